"""A function of two variables, what networks made of it, and their errors on one scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator

from ...files.arrays import Array
from .arrays import check_picture, check_shapes, corners, finite, get, whole
from .kind import Plot
from .pages import pages
from .sheet import BESIDE_PANEL, Grid, Sheet, head
from .style import SMALL
from .trials import Arrays, Trials

VALUES, ERRORS = "viridis", "PuOr_r"
"""Even in lightness; two hues on white that all eyes tell apart."""
ROWS = 2
"""Rows of a page."""
SHORT = 4
"""Letters of a metric's name that stand beside its value; a longer one would press the value out of a narrow panel."""
MOST = 99.5
"""Percentile of the absolute errors at which their scale ends: one corner must not pale all the rest."""


def draw(trials: Trials, sheet: Sheet, *, seed: int | None = None, page: int | None = None) -> Iterator[Figure]:
    """Draw the target and the surfaces of one seed, errors below: best and baseline, or those that were named.

    A sheet as wide as the text has room for the runner-up.
    """
    columns = 4 if sheet.wide else 3  # with the target
    for shown in pages(trials, PLOT, columns - 1, ROWS * columns - 1, seed, page):
        pictures = on_one_grid(trials, shown.arrays)
        first, *_ = pictures.values()
        target, extent = first["picture/target"], first["picture/extent"]
        xmin, xmax, ymin, ymax = extent
        errors = {name: picture["picture/prediction"] - target for name, picture in pictures.items()}
        most = float(np.percentile(np.abs(list(errors.values())), MOST)) or 1.0

        grid = Grid(1 + len(pictures), columns, float((ymax - ymin) / (xmax - xmin)), stack=2, lines=1)
        words = "Above: target and predictions; below: errors, with their RMSE on this grid. Each has one colour scale."
        figure, cells = sheet.grid(grid, shown.caption(words, pictures))
        top, bottom = cells[0]
        head(top, "target")
        values: dict[str, Any] = {"cmap": VALUES, "vmin": target.min(), "vmax": target.max()}
        value = image(top, target, extent, **values)
        for name, (above, below) in zip(pictures, cells[1:], strict=True):
            metric = f"{trials.metric} " if len(trials.metric) <= SHORT else ""
            head(above, trials.called(name), f"{metric}{shown.score(name)}", among=trials.all_called(pictures))
            image(above, pictures[name]["picture/prediction"], extent, **values)
            error = image(below, errors[name], extent, cmap=ERRORS, vmin=-most, vmax=most)
            rmse = f"RMSE {np.sqrt(np.mean(errors[name] ** 2)):#.3g}"
            below.annotate(rmse, (0, 0), (0, -2.5), size=SMALL, va="top", **BESIDE_PANEL)
        predictions = np.stack([picture["picture/prediction"] for picture in pictures.values()])
        draw_scale(bottom, value, 0.78, "value", predictions)
        draw_scale(bottom, error, 0.3, "prediction − target", np.stack(list(errors.values())))
        bottom.set_axis_off()
        yield figure


def on_one_grid(trials: Trials, pictures: Mapping[str, Arrays]) -> dict[str, Arrays]:
    """Keep the pictures on the first one's grid, whose errors one scale can show; the store notes the others."""
    first, *_ = pictures
    shape = pictures[first]["picture/target"].shape
    kept = {name: picture for name, picture in pictures.items() if picture["picture/target"].shape == shape}
    for name in pictures:
        if name not in kept:
            problem = f"the grid of {name} in {trials.label} differs from that of {first}; left out of plot 'surface'"
            trials.store.problems[f"arrays/surface/{name}"] = problem
    return kept


def image(panel: Axes, values: Array, extent: Array, **colours: Any) -> AxesImage:
    """Draw values on an even grid whose outermost points lie on the extent's edges."""
    rows, columns = values.shape
    dx, dy = (extent[1] - extent[0]) / (columns - 1) / 2, (extent[3] - extent[2]) / (rows - 1) / 2
    edges = (extent[0] - dx, extent[1] + dx, extent[2] - dy, extent[3] + dy)
    drawn = panel.imshow(values, origin="lower", extent=edges, interpolation="nearest", aspect="auto", **colours)
    panel.set(xticks=[], yticks=[], xlim=extent[:2], ylim=extent[2:])
    panel.spines[:].set_visible(True)
    return drawn


def draw_scale(cell: Axes, drawn: AxesImage, height: float, label: str, values: Array) -> None:
    """Draw a colour scale into a cell; its ends are pointed where values go beyond them."""
    low, high = drawn.get_clim()
    beyond = {(True, True): "both", (True, False): "min", (False, True): "max"}
    extend = beyond.get((bool(values.min() < low), bool(values.max() > high)), "neither")
    scale = cell.figure.colorbar(
        drawn, cax=cell.inset_axes((0.05, height, 0.9, 0.07)), orientation="horizontal", extend=extend
    )
    scale.set_label(label)
    scale.outline.set_linewidth(0.5)
    scale.locator = MaxNLocator(3, symmetric=low == -high)
    scale.update_ticks()


@whole
def check(arrays: Arrays) -> Arrays:
    """Check target and prediction, each [H, W], and their extent; raises ``Damaged``."""
    pictures = {}
    for name in ("picture/target", "picture/prediction"):
        pictures[name] = finite(get(arrays, name), name)
        check_picture(name, pictures[name])
    check_shapes(pictures)
    return pictures | {"picture/extent": corners(arrays)}


PLOT = Plot(
    "target, best fit, baseline, and their errors, for regression in two dimensions",
    draw,
    ("picture/target", "picture/prediction"),
    check,
)
