"""Names next to points: no name covers a line, a marker or other words, or is nearer to another marker than its own.

``textalloc`` proposes the places, side by side and ring by ring. They are checked here, because textalloc does not know
which marker is nearest. A name without such a place becomes a number, if the number has a place. (adjustText moves
texts by random forces and imports pyplot; here each call gives the same places.)
"""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.transforms import IdentityTransform

from ...files.arrays import Array
from .boxes import Box, Point
from .lettering import POINTS, shorten
from .style import GREY, INK, SMALL

WIDEST = 82.0
"""Largest width of a name in points: a third of a column."""
MARKER = 3.2
"""Points from a marker's middle that are kept free."""
GAP = 1.6
"""Points from there to a name that is next to it; farther ones stand a whole number of such steps off."""
CLEAR = 0.8
"""Points that names keep from each other and from lines."""
FAR = 9.0
"""From this distance in points on, a thin line joins a marker and its name."""
REACHES = (7.5, 16.0, 50.0)
"""Largest distances in points of a name from its marker: all sides are tried at the first, then all at the next."""
SIDES = ("east", "west", "northeast", "northwest", "southeast", "southwest", "north", "south")


@dataclass(frozen=True)
class Label:
    """A name or number: what is written, and where its middle and the start of its leader are from its marker."""

    words: str
    middle: Point
    leader: Point | None


@dataclass(frozen=True)
class Labels:
    """The labels of a panel by name, and what a caption must say about them; empty if nothing."""

    by_name: Mapping[str, Label]
    sentence: str


class Pixels(IdentityTransform):
    """Pixels as coordinates of a panel. textalloc takes any that go by matplotlib's protocol for them."""

    def _as_mpl_transform(self, axes: Axes) -> Pixels:
        return self


@dataclass
class Room:
    """What is on a panel, in pixels: markers by name, boxes that are taken, straight pieces of lines.

    Attributes:
        panel: where.
        points: places of the markers.
        taken: other words, and the names that have a place.
        lines: pieces of lines that no name may cover.
        scale: pixels in a point.
    """

    panel: Axes
    points: Mapping[str, Point]
    taken: list[Box]
    lines: list[tuple[Point, Point]]
    scale: float
    placed: dict[str, Box] = field(default_factory=dict)

    @cached_property
    def renderer(self) -> RendererAgg:
        """The renderer that measures all texts: one for each text would take longer than placing it."""
        renderer: RendererAgg = FigureCanvasAgg(self.panel.figure).get_renderer()  # type: ignore
        return renderer

    def fits(self, name: str, box: Box) -> bool:
        """Tell whether a name may stand in a box."""
        frame = self.panel.get_window_extent()
        if not box.within(Box(frame.x0, frame.y0, frame.x1, frame.y1)):
            return False
        own, around = self.points[name], box.grown(CLEAR * self.scale)
        reach = MARKER * self.scale
        if any(Box(x, y, x, y).grown(reach).meets(box) for x, y in self.points.values()):
            return False
        if any(around.meets(other) for other in self.taken) or any(around.struck(*line) for line in self.lines):
            return False
        others = [at for at in self.points.values() if at != own]
        if any(box.distance(at) < box.distance(own) for at in others):
            return False
        leader = self.leader(name, box)
        return leader is None or not (
            any(other.struck(*leader) for other in self.taken)
            or any(Box(x, y, x, y).grown(0.7 * reach).struck(*leader) for x, y in others)
        )

    def leader(self, name: str, box: Box) -> tuple[Point, Point] | None:
        """Return the line from a name that is not next to its marker to it."""
        own = self.points[name]
        return (box.nearest(own), own) if box.distance(own) > FAR * self.scale else None

    def put(self, name: str, box: Box) -> None:
        """Give a name its place."""
        self.placed[name] = box
        self.taken.append(box)
        leader = self.leader(name, box)
        self.lines += [leader] if leader else []

    def label(self, name: str, words: str) -> Label:
        """Return the label of a name that has a place, in points from its marker."""
        box, (x, y), leader = self.placed[name], self.points[name], self.leader(name, self.placed[name])
        middle = ((box.left + box.right) / 2, (box.low + box.high) / 2)

        def from_marker(at: Point) -> Point:
            return (at[0] - x) / self.scale, (at[1] - y) / self.scale

        return Label(words, from_marker(middle), from_marker(leader[0]) if leader else None)

    def propose(self, names: Sequence[str], words: Mapping[str, str], side: str) -> dict[str, Box]:
        """Ask textalloc for a place of each name on a side of its marker; names without a place are left out."""
        from textalloc import allocate

        strokes = [[*line] for line in self.lines] + [box.outline for box in self.taken]
        own, others = (np.array([self.points[n] for n in group]) for group in (names, [*self.points]))
        sizes: Any = np.full(len(others), MARKER * self.scale)  # textalloc's annotations ask for lists of lists here
        own_sizes: Any = np.full(len(names), (MARKER + GAP) * self.scale)
        with contextlib.redirect_stdout(io.StringIO()):  # it prints where it finds no place at all
            _, _, texts, _ = allocate(
                self.panel,
                own[:, 0],
                own[:, 1],
                [words[name] for name in names],
                x_scatter=others[:, 0],
                y_scatter=others[:, 1],
                scatter_sizes=sizes,
                text_scatter_sizes=own_sizes,
                x_lines=[[px for px, _ in stroke] for stroke in strokes],
                y_lines=[[py for _, py in stroke] for stroke in strokes],
                textsize=SMALL,
                margin=0.0,
                min_distance=0.0,
                max_distance=0.0,
                nbr_candidates=1,
                direction=[side],
                draw_lines=False,
                draw_all=False,
                transform=Pixels(),  # in pixels: else the whole figure is drawn at each call
            )
        boxes = {}
        text: Any
        for name, text in zip(names, texts, strict=True):
            if text is not None:
                extent = text.get_window_extent(self.renderer)
                boxes[name] = Box(extent.x0, extent.y0, extent.x1, extent.y1)
                text.remove()
        return boxes


def find_places(
    panel: Axes,
    points: Mapping[str, Point],
    important: Sequence[str],
    lines: Iterable[Sequence[Point]],
    names: Mapping[str, str],
) -> Labels:
    """Find a place for the names of points on a panel that is laid out; for a number where a name has no room.

    Args:
        panel: where.
        points: x and y by name; those beyond the axes are not named.
        important: the names that come first.
        lines: corners of lines that no name may cover.
        names: display names.
    """
    pixels = {name: to_pixels(panel, [xy])[0] for name, xy in points.items()}
    frame = panel.get_window_extent()
    edge = Box(frame.x0, frame.y0, frame.x1, frame.y1).grown(1.0)
    pixels = {name: at for name, at in pixels.items() if Box(*at, *at).within(edge)}
    words = [text.get_window_extent() for text in panel.texts]
    pieces = [piece for line in lines for piece in itertools.pairwise(to_pixels(panel, line))]
    scale = panel.figure.dpi / POINTS
    room = Room(panel, pixels, [Box(e.x0, e.y0, e.x1, e.y1) for e in words], pieces, scale)
    called = {name: names.get(name, name) for name in points}
    written = {name: shorten(called[name], WIDEST, SMALL, called.values()) for name in points}
    first = [name for name in important if name in pixels]
    numbered: list[str] = []
    for group in (first, [name for name in pixels if name not in first]):
        fill(room, group, written, REACHES)
        for name in [name for name in group if name not in room.placed]:
            trial = {**written, name: str(len(numbered) + 1)}
            fill(room, [name], trial, REACHES if group is first else REACHES[:2])
            if name in room.placed:
                numbered.append(name)
                written = trial
    nameless = [called[name] for name in pixels if name not in room.placed]
    words_by_number = [f"{number} {called[name]}" for number, name in enumerate(numbered, start=1)]
    sentences = [
        f"Numbers: {', '.join(words_by_number)}." if words_by_number else "",
        f"Not named: {', '.join(nameless)}." if nameless else "",
    ]
    labels = {name: room.label(name, written[name]) for name in room.placed}
    return Labels(labels, " ".join(sentence for sentence in sentences if sentence))


def fill(room: Room, names: Sequence[str], words: Mapping[str, str], reaches: Sequence[float]) -> None:
    """Give places to those that have none yet: next to their markers first, then farther off."""
    for reach, side in itertools.product(reaches, SIDES):
        left = [name for name in names if name not in room.placed]
        for name, box in (room.propose(left, words, side) if left else {}).items():
            if box.distance(room.points[name]) <= reach * room.scale and room.fits(name, box):
                room.put(name, box)


def to_pixels(panel: Axes, corners: Sequence[Point]) -> list[Point]:
    """Turn points of a panel's axes into pixels."""
    pixels: Array = panel.transData.transform(np.asarray(corners, float))
    return [(float(x), float(y)) for x, y in pixels]


def write(panel: Axes, labels: Labels, points: Mapping[str, Point], important: Iterable[str]) -> None:
    """Write labels beside their points, the important ones black; those farther off with a thin line to the marker."""
    style: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "va": "center", "size": SMALL}
    arrow = {"arrowstyle": "-", "linewidth": 0.4, "color": GREY, "shrinkA": 0, "shrinkB": MARKER}
    black = set(important)
    for name, label in labels.by_name.items():
        colour = INK if name in black else GREY
        panel.annotate(label.words, points[name], label.middle, color=colour, gid="point label", zorder=5, **style)
        if label.leader:
            panel.annotate("", points[name], label.leader, textcoords="offset points", arrowprops=arrow, zorder=1)
