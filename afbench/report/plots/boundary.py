"""Decision regions of a classifier of two inputs, with test points in the colours of their true classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import ndimage

from ...files.arrays import Array, Damaged
from .arrays import check_picture, classes, corners, finite, get, whole
from .colours import ClassColours, class_colours
from .kind import Plot
from .pages import pages
from .sheet import Grid, Sheet, head
from .style import INK
from .trials import Arrays, Trials

ROWS = 4
"""Rows of a page."""
SHOWN = 400
"""Most points of a panel: 1000 points hide the regions below them."""
EDGE = 0.7
"""Points. The lines between regions hide the stairs of the stored grid: 201 cells in 1.7 inches are 0.6 points each."""


def draw(trials: Trials, sheet: Sheet, *, seed: int | None = None, page: int | None = None) -> Iterator[Figure]:
    """Draw the regions of one seed: best activation, runner-up, baseline and worst, or those that were named."""
    columns = 4 if sheet.wide else 2
    for shown in pages(trials, PLOT, 4, ROWS * columns, seed, page):
        first, *_ = shown.arrays.values()
        count = 1 + max(int(p[f"picture/{a}"].max()) for p in shown.arrays.values() for a in ("regions", "labels"))
        colours = class_colours(count)
        xmin, xmax, ymin, ymax = first["picture/extent"]
        grid = Grid(len(shown.arrays), columns, float((ymax - ymin) / (xmax - xmin)))
        words = f"Decision regions and {len(drawn_points(first))} test points in the colours of their true classes; "
        figure, cells = sheet.grid(grid, shown.caption(f"{words}black ring: misclassified."))
        for (panel,), (name, picture) in zip(cells, shown.arrays.items(), strict=True):
            head(panel, trials.called(name), shown.score(name), among=trials.all_called(shown.arrays))
            regions(panel, picture, colours)
            points(panel, picture, colours)
            panel.set(xticks=[], yticks=[], aspect="equal")
            panel.set(xlim=picture["picture/extent"][:2], ylim=picture["picture/extent"][2:])
            panel.spines[:].set_visible(True)
        yield figure


def regions(panel: Axes, picture: Arrays, colours: ClassColours) -> None:
    """Fill the regions and draw white lines between them."""
    cells, extent = picture["picture/regions"], picture["picture/extent"]
    present = np.unique(cells)
    # Half a cell of blur takes the stairs off the edges; a cell that is alone in its class keeps 62 % and stays.
    soft = np.stack([ndimage.gaussian_filter((cells == k).astype(np.float32), 0.5, mode="nearest") for k in present])
    panel.imshow(colours.fills[cells], origin="lower", extent=tuple(extent), interpolation="nearest")
    rows, columns = cells.shape
    xs = extent[0] + (np.arange(columns) + 0.5) / columns * (extent[1] - extent[0])
    ys = extent[2] + (np.arange(rows) + 0.5) / rows * (extent[3] - extent[2])
    first, second = -np.partition(-np.pad(soft, ((0, 1), (0, 0), (0, 0))), (0, 1), axis=0)[:2]
    for share in soft[: len(present) * (len(present) > 1)]:
        lead = share - np.where(share == first, second, first)
        panel.contour(xs, ys, lead, levels=[0.0], colors="white", linewidths=EDGE, linestyles="solid")


def points(panel: Axes, picture: Arrays, colours: ClassColours) -> None:
    """Draw test points in the colours of their true classes, those in a region of another class with a black ring."""
    index = drawn_points(picture)
    xy, labels = picture["picture/points"][index], picture["picture/labels"][index]
    wrong = labels != region_at(picture, xy)
    for kept, size, ring in ((~wrong, 2.2, 0.0), (wrong, 7.0, 0.6)):
        x, y = xy[kept].T
        edges = INK if ring else "none"
        panel.scatter(x, y, s=size, c=colours.points[labels[kept]], linewidths=ring, edgecolors=edges, zorder=3)


def drawn_points(picture: Arrays) -> Array:
    """Choose the points to draw: within the picture, evenly through the list if there are too many."""
    xmin, xmax, ymin, ymax = picture["picture/extent"]
    x, y = picture["picture/points"].T
    within = np.flatnonzero((xmin <= x) & (x < xmax) & (ymin <= y) & (y < ymax))
    chosen: Array = within[np.linspace(0, len(within) - 1, min(SHOWN, len(within))).round().astype(int)]
    return chosen


def region_at(picture: Arrays, xy: Array) -> Array:
    """Return the class of the cell that each point [m, 2] lies in."""
    cells, (xmin, xmax, ymin, ymax) = picture["picture/regions"], picture["picture/extent"]
    rows, columns = cells.shape
    column = ((xy[:, 0] - xmin) / (xmax - xmin) * columns).astype(int).clip(0, columns - 1)
    row = ((xy[:, 1] - ymin) / (ymax - ymin) * rows).astype(int).clip(0, rows - 1)
    return np.asarray(cells[row, column])


@whole
def check(arrays: Arrays) -> Arrays:
    """Check regions [H, W], their extent, and points [N, 2] with labels [N]; raises ``Damaged``."""
    cells = classes(arrays, "picture/regions", 2)
    points, labels = finite(get(arrays, "picture/points"), "picture/points"), classes(arrays, "picture/labels", 1)
    check_picture("picture/regions", cells)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise Damaged(f"'picture/points' has the shape {points.shape}, not (points, 2)")
    if len(points) != len(labels):
        raise Damaged(f"{len(points)} 'picture/points' and {len(labels)} 'picture/labels'")
    extent = corners(arrays)
    return {
        "picture/regions": cells,
        "picture/extent": extent,
        "picture/points": points,
        "picture/labels": labels,
    }


PLOT = Plot(
    "decision regions with test points, for classification in two dimensions",
    draw,
    ("picture/regions", "picture/points", "picture/labels"),
    check,
)
