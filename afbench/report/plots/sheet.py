"""The sheet a plot is drawn on: as wide as a column or the text, with the caption below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine, PlaceHolderLayoutEngine
from matplotlib.lines import Line2D

from ...errors import UsageError, did_you_mean
from .lettering import LEADING, POINTS, shorten, wrap
from .style import BODY, GREY, SMALL, WIDTHS

PAD = 0.03
"""Inches around everything."""
LINE = LEADING * SMALL / POINTS
"""Inches that a line of small text takes."""
HINTED = 1.02
"""How much wider text may be than measured, where a figure is shown without this style's hinting."""
WIDEST = 2.3
"""Largest width of a picture in inches: a third of the text."""
HEAD = LEADING * BODY / POINTS + LINE
"""Inches that the two lines above a panel take."""
BESIDE_PANEL: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
"""Places a text by a corner of a panel, some points off."""


@dataclass(frozen=True)
class Grid:
    """Cells beside and below each other, each with a head and one or more pictures, that fill a sheet's width.

    Attributes:
        count: cells.
        columns: cells beside each other at most.
        ratio: a picture's height in units of its width.
        stack: pictures below each other in a cell.
        lines: of text below the last of them.
        left, bottom, top: inches beside, below and above all cells, for labels.
    """

    count: int
    columns: int
    ratio: float = 1.0
    stack: int = 1
    lines: int = 0
    left: float = 0.0
    bottom: float = 0.0
    top: float = 0.0

    @property
    def across(self) -> int:
        """The columns that are used."""
        return min(self.columns, self.count)

    @property
    def down(self) -> int:
        """The rows."""
        return -(-self.count // self.across)


@dataclass(frozen=True)
class Sheet:
    """A width in inches, and whether the caption is printed below the plot."""

    width: float
    caption: bool = True

    @classmethod
    def of(cls, width: str, caption: bool = True) -> Sheet:
        """Take a width by name.

        Raises:
            UsageError: if there is no such width.
        """
        if width not in WIDTHS:
            known = " or ".join(WIDTHS)
            raise UsageError(f"a plot's width is {known}, not {width!r}{did_you_mean(str(width), WIDTHS)}")
        return cls(WIDTHS[width], caption)

    @property
    def wide(self) -> bool:
        """Whether it spans the text."""
        return self.width > WIDTHS["column"]

    def figure(self, height: float, sentences: Iterable[str], *, layout: bool = True) -> Figure:
        """Make a figure with some inches for its panels, and as many more for the caption, which is its label too.

        Args:
            height: inches for the panels.
            sentences: of the caption.
            layout: whether matplotlib is to place the panels, by the labels around them.
        """
        caption = " ".join(sentence for sentence in sentences if sentence)
        lines = wrap(caption, (self.width - 2 * PAD) * POINTS / HINTED, SMALL) if self.caption else []
        below = len(lines) * LINE + 2 * PAD if lines else 0.0
        whole = height + below
        rect = (0, below / whole, 1, height / whole)
        engine = ConstrainedLayoutEngine(w_pad=PAD, h_pad=PAD, wspace=0.0, hspace=0.0, rect=rect)
        figure = Figure(figsize=(self.width, whole), layout=engine if layout else None, facecolor="white")
        figure.set_label(caption)
        for above, line in enumerate(reversed(lines)):  # one by one: matplotlib spaces lines unevenly
            place = (PAD / self.width, (PAD + (above + 0.25) * LINE) / whole)
            figure.text(*place, line, size=SMALL, va="baseline", gid="caption")
        return figure

    def pair(self, figure: Figure, names: Iterable[str], label: str) -> dict[str, Axes]:
        """Make two panels, next to each other if the sheet is wide, else one below the other; they share an axis."""
        shape = (1, 2) if self.wide else (2, 1)
        panels = dict(zip(names, figure.subplots(*shape, sharex=True).flat, strict=True))
        for panel in [*panels.values()][0 if self.wide else 1 :]:
            panel.set_xlabel(label)
        return panels

    def grid(self, grid: Grid, sentences: Iterable[str]) -> tuple[Figure, list[list[Axes]]]:
        """Make a figure with the cells of a grid, each a list of its pictures; a few stand in the middle."""
        side = min((self.width - grid.left) / grid.across - 2 * PAD, WIDEST)
        indent = (self.width - grid.left - grid.across * (side + 2 * PAD)) / 2 + grid.left + PAD
        picture = side * grid.ratio + 2 * PAD
        height = HEAD + grid.stack * picture + grid.lines * LINE
        figure = self.figure(grid.top + grid.down * height + grid.bottom, sentences, layout=False)
        whole = figure.get_figheight()
        cells = []
        for index in range(grid.count):
            row, column = divmod(index, grid.across)
            left = indent + column * (side + 2 * PAD)
            top = grid.top + PAD + row * height + HEAD
            bottoms = [whole - top - level * picture - side * grid.ratio for level in range(grid.stack)]
            boxes = [(left / self.width, y / whole, side / self.width, side * grid.ratio / whole) for y in bottoms]
            cells.append([figure.add_axes(box) for box in boxes])
        return figure, cells


def head(panel: Axes, title: str, below: str = "", *, span: int = 1, among: Iterable[str] = ()) -> None:
    """Write a panel's title and a grey line below it.

    Args:
        panel: where.
        title: is shortened to the width of ``span`` panels, so that it differs from those in ``among``.
        below: is shortened to the panel's own width.
        span: how many panels the title stands above.
        among: the titles of all panels.
    """
    width = panel.get_position().width * panel.figure.bbox.width / panel.figure.dpi * POINTS
    panel.set_title(shorten(title, span * width, among=among), pad=SMALL * LEADING + 1)
    panel.annotate(shorten(below, width, SMALL), (0, 1), (0, 2.5), size=SMALL, color=GREY, **BESIDE_PANEL)


def name_axes(figure: Figure, grid: Grid, across: str, up: str) -> None:
    """Name the axes that all cells of a grid share, once."""
    boxes = [panel.get_position() for panel in figure.axes]
    left, right = min(b.x0 for b in boxes), max(b.x1 for b in boxes)
    low, high = min(b.y0 for b in boxes), max(b.y1 for b in boxes)
    width, height = figure.get_size_inches()
    figure.text((left + right) / 2, low - (grid.bottom - PAD) / height, across, ha="center")
    figure.text(left - (grid.left - PAD) / width, (low + high) / 2, up, va="center", rotation="vertical")


def key(figure: Figure, lines: Mapping[str, dict[str, Any]]) -> None:
    """Draw a key of lines across the top."""
    handles = [Line2D([], [], label=name, **line) for name, line in lines.items()]
    corner = (PAD / figure.get_figwidth(), 1 - PAD / figure.get_figheight())
    tight: dict[str, Any] = {"frameon": False, "borderpad": 0, "borderaxespad": 0, "handlelength": 2.4}
    figure.legend(handles=handles, loc="upper left", ncols=len(handles), bbox_to_anchor=corner, **tight)


def freeze(figure: Figure) -> None:
    """Lay a figure out for good: what is placed later stays in place, and saving changes nothing.

    Ticks are made when they are first drawn: here, so in this style.
    """
    if not isinstance(figure.get_layout_engine(), PlaceHolderLayoutEngine):
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
