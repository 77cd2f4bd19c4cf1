"""The hidden nodes of a network of one input, each before and after its activation, and the network's fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ...files.arrays import Array, Damaged
from .arrays import check_shapes, get, mostly, rising, vector, whole
from .kind import Plot
from .pages import pages
from .sheet import HEAD, LINE, PAD, Sheet, head, key
from .style import GREY, INK, LOOKS, PALE, SMALL
from .trials import Arrays, Trials

NODES = 3
"""Most hidden nodes that are shown."""
SHOWN = 2
"""How many activations are shown unless others are named: the baseline and the best."""
ROWS = 2
"""Rows of a page."""
RATIO = 0.6
"""A node's picture: its height in units of its width."""
TALLEST = 0.9
"""Largest height of a node's picture in inches: the nodes of a single activation would fill a page."""
LABELS = 0.32
"""Inches beside a pair of pictures, for the numbers of their vertical axis."""
OVER, UNDER = 1.6 * LINE, 2.8 * LINE
"""Inches above a fit, for its line of text, and below it, for the numbers and the name of its horizontal axis."""
BEYOND = 0.25
"""Share of the target's range by which the axis of the fits may pass it: one wild fit would flatten all."""
BEFORE: dict[str, Any] = {"color": GREY, "linestyle": "solid", "linewidth": 1.0}
AFTER: dict[str, Any] = {"color": LOOKS[0].colour, "linestyle": "solid", "linewidth": 1.0}
TARGET: dict[str, Any] = {"color": INK, "linestyle": (0, (5, 2)), "linewidth": 0.7}


@dataclass(frozen=True)
class Block:
    """The panels of an activation: a pair for each node, and the fit below them."""

    nodes: Sequence[tuple[Axes, Axes]]
    fit: Axes


def draw(trials: Trials, sheet: Sheet, *, seed: int | None = None, page: int | None = None) -> Iterator[Figure]:
    """Draw the nodes of one seed and the fits below: baseline and best, or those that were named.

    Three activations beside each other span the text, two a column.
    """
    columns = 3 if sheet.wide else 2
    for shown in pages(trials, PLOT, SHOWN, ROWS * columns, seed, page):
        names = list(shown.arrays) if trials.named else sorted(shown.arrays, key=lambda name: name != trials.baseline)
        pictures = [shown.arrays[name] for name in names]
        rows = min(NODES, max(picture["picture/before"].shape[1] for picture in pictures))
        nodes = f"Hidden nodes 1 to {rows}" if rows > 1 else "The first hidden node"
        words = f"{nodes} before and after the activation, against the input; below, the network's fit and the target."
        figure, blocks = lay_out(sheet, len(names), columns, rows, shown.caption(words))
        limits = around(pictures)
        for name, picture, block in zip(names, pictures, blocks, strict=True):
            before, after = block.nodes[0]
            head(before, trials.called(name), "before", span=2, among=trials.all_called(names))
            head(after, "", "after")
            for node, pair in enumerate(block.nodes):
                draw_node(pair, picture, node)
            fit(block.fit, picture, limits)
            head(block.fit, "", f"{f'{trials.metric} ' if sheet.wide else ''}{shown.score(name)}")
        key(figure, {"target": TARGET, "fit": AFTER})
        yield figure


def lay_out(sheet: Sheet, count: int, columns: int, rows: int, sentences: Iterator[str]) -> tuple[Figure, list[Block]]:
    """Place the blocks of some activations beside each other, and below each other where there are many."""
    down = -(-count // columns)
    across = -(-count // down)
    side = LINE + PAD  # the names of the rows
    whole = (sheet.width - side) / across
    width = (whole - LABELS - 4 * PAD) / 2
    height = min(width * RATIO, TALLEST)
    row_height = height + 3 * PAD  # numbers at the ends of two axes keep apart
    band = HEAD + rows * row_height + OVER + 1.5 * height + UNDER
    figure = sheet.figure(LINE + PAD + down * band, sentences, layout=False)
    tall = figure.get_figheight()

    def place(x: float, top: float, wide: float, high: float) -> Axes:
        return figure.add_axes((x / sheet.width, 1 - (top + high) / tall, wide / sheet.width, high / tall))

    def name_row(top: float, high: float, text: str) -> None:
        where = ((PAD + LINE / 2) / sheet.width, 1 - (top + high / 2) / tall)
        figure.text(*where, text, rotation="vertical", ha="center", va="center", size=SMALL)

    blocks = []
    for index in range(count):
        row, column = divmod(index, across)
        x, top = side + column * whole + LABELS, LINE + PAD + row * band + HEAD
        beside = x + width + 3 * PAD
        tops = [top + node * row_height for node in range(rows)]
        pairs = [(place(x, high, width, height), place(beside, high, width, height)) for high in tops]
        under = top + rows * row_height + OVER
        blocks.append(Block(pairs, place(x, under, 2 * width + 3 * PAD, 1.5 * height)))
        if column == 0:
            for node, high in enumerate(tops):
                name_row(high, height, f"node {node + 1}")
            name_row(under, 1.5 * height, "fit")
    return figure, blocks


def draw_node(pair: tuple[Axes, Axes], picture: Arrays, node: int) -> None:
    """Draw a node's values before and after its activation on one vertical axis."""
    x, sides = picture["picture/x"], [picture["picture/before"], picture["picture/after"]]
    if node >= sides[0].shape[1]:
        for panel in pair:
            panel.set_axis_off()
        return
    values = [side[:, node] for side in sides]
    finite = np.concatenate(values)
    finite = finite[np.isfinite(finite)] if np.isfinite(finite).any() else np.zeros(1)
    spare = 0.08 * float(np.ptp(finite)) or 0.5
    limits = (float(finite.min()) - spare, float(finite.max()) + spare)
    for panel, part, line in zip(pair, values, (BEFORE, AFTER), strict=True):
        panel.axhline(0.0, color=PALE, linewidth=0.5, zorder=1)
        panel.plot(x, part, zorder=2, **line)
        panel.set(ylim=limits)
        set_axes(panel, x)
        panel.tick_params(labelbottom=False)
    pair[1].tick_params(labelleft=False)


def fit(panel: Axes, picture: Arrays, limits: tuple[float, float]) -> None:
    """Draw the target and the network's fit."""
    panel.plot(picture["picture/x"], picture["picture/fit"], zorder=2, **AFTER)
    panel.plot(picture["picture/x"], picture["picture/f"], zorder=3, **TARGET)
    panel.set(ylim=limits)
    panel.set_xlabel("input", size=SMALL)
    set_axes(panel, picture["picture/x"])


def set_axes(panel: Axes, x: Array) -> None:
    """Set a panel's horizontal limits and the ticks of both axes."""
    panel.set_xlim(float(x.min()), float(x.max()))
    panel.xaxis.set_major_locator(MaxNLocator(2, steps=[1, 2, 5, 10]))
    panel.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    for axis in (panel.xaxis, panel.yaxis):  # numbers with their exponents: one above a small panel has no room
        axis.set_major_formatter(lambda value, _: f"{value:.3g}".replace("-", "−"))


def around(pictures: Sequence[Arrays]) -> tuple[float, float]:
    """Return the vertical limits of all fits: around the target, and around the fits as far as they stay near."""
    target = np.concatenate([picture["picture/f"] for picture in pictures])
    fits = np.concatenate([picture["picture/fit"] for picture in pictures])
    low, high = float(target.min()), float(target.max())
    room = high - low or 1.0
    least, most = np.clip([np.nanmin(fits), np.nanmax(fits)], low - BEYOND * room, high + BEYOND * room)
    return min(low, float(least)) - 0.06 * room, max(high, float(most)) + 0.06 * room


@whole
def check(arrays: Arrays) -> Arrays:
    """Check inputs, target and fit, each [P], and nodes [P, K]; nodes may have poles. Raises ``Damaged``."""
    lines = {f"picture/{name}": vector(arrays, f"picture/{name}") for name in ("x", "f", "fit")}
    check_shapes(lines)
    rising(lines, "picture/x", 2)
    hidden = {}
    for name in ("picture/before", "picture/after"):
        hidden[name] = values = mostly(get(arrays, name), name)
        if values.ndim != 2 or not values.shape[1] or len(values) != len(lines["picture/x"]):
            raise Damaged(f"{name!r} has the shape {values.shape}, not ({len(lines['picture/x'])}, nodes)")
    check_shapes(hidden)
    return lines | hidden


PLOT = Plot(
    "hidden nodes of a network of one input before and after their activation, and its fit: baseline and best",
    draw,
    ("picture/x", "picture/f", "picture/fit", "picture/before", "picture/after"),
    check,
)
