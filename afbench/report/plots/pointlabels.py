"""Names beside points, none on another name, a marker or other words; who has no room stays unnamed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from .lettering import POINTS, extent, shorten
from .style import GREY, INK, SMALL

WIDEST = 82.0
"""Points that a name takes at most: a third of a column."""
NEAR, FAR = 4.5, (4.5, 10.0, 16.0, 24.0, 34.0, 46.0, 60.0)
"""Points from a marker to its name: next to it, or at the end of a thin line."""
MARKER = 3.2
"""Points from a marker's middle that are kept free."""
FARTHER = 2.0
"""A place farther off is taken if it hides so many pieces of lines less, of 3 points each."""
SIDES = tuple(itertools.product((1, 0, -1), repeat=2))


Corners = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Box:
    """A rectangle, in points from the figure's lower left corner."""

    left: float
    low: float
    right: float
    high: float

    def meets(self, other: Box) -> bool:
        """Tell whether two overlap."""
        return self.left < other.right and other.left < self.right and self.low < other.high and other.low < self.high

    def within(self, other: Box) -> bool:
        """Tell whether it lies in another."""
        return (
            other.left <= self.left and self.right <= other.right and other.low <= self.low and self.high <= other.high
        )


def label_points(
    panel: Axes, points: Mapping[str, tuple[float, float]], important: Sequence[str], lines: Iterable[Corners]
) -> list[str]:
    """Write names beside the points of a panel that is laid out; returns those that were written.

    Args:
        panel: where.
        points: x and y by name; those beyond the axes are not named.
        important: who comes first, may stand farther off, and is black; the others are grey.
        lines: corners of lines that names keep off where they can.
    """
    scale = POINTS / panel.figure.dpi
    frame = panel.get_window_extent()
    inside = Box(frame.x0 * scale, frame.y0 * scale, frame.x1 * scale, frame.y1 * scale)
    at = {name: tuple(panel.transData.transform(xy) * scale) for name, xy in points.items()}
    at = {name: xy for name, xy in at.items() if Box(*xy, *xy).within(inside)}
    extents = [text.get_window_extent() for text in panel.texts]
    taken = [Box(e.x0 * scale, e.y0 * scale, e.x1 * scale, e.y1 * scale) for e in extents]
    taken += [Box(x - MARKER, y - MARKER, x + MARKER, y + MARKER) for x, y in at.values()]
    soft = [box for line in lines for box in along(panel.transData.transform(np.array(line)) * scale)]
    written = []
    for name in [*(n for n in important if n in at), *(n for n in at if n not in important)]:
        words = shorten(name, WIDEST, SMALL, points)
        chosen = place(words, at[name], FAR if name in important else (NEAR,), inside, taken, soft)
        if chosen is not None:
            taken.append(chosen)
            write(panel, words, points[name], at[name], chosen, INK if name in important else GREY)
            written.append(name)
    return written


def place(
    words: str, at: Sequence[float], rings: Iterable[float], inside: Box, taken: Sequence[Box], soft: Sequence[Box]
) -> Box | None:
    """Choose where a name stands: as near as may be, off the line if it can; None if there is no room."""
    width, height = extent(words, SMALL) + 2.0, SMALL * 1.15
    free: list[tuple[float, int, Box]] = []
    for ring, distance in enumerate(rings):
        for right, up in SIDES:
            if (right, up) == (0, 0):
                continue
            reach = distance if 0 in (right, up) else 0.75 * distance
            x = at[0] + right * (reach + width / 2)
            y = at[1] + up * (reach * 0.7 + height / 2)
            box = Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            if box.within(inside) and not any(box.meets(other) for other in taken):
                free.append((sum(box.meets(other) for other in soft) + FARTHER * ring, len(free), box))
    return min(free, key=lambda one: one[:2])[2] if free else None


def along(corners: Any) -> Iterator[Box]:
    """Cut a line into small boxes."""
    for (x0, y0), (x1, y1) in itertools.pairwise(corners):
        for share in np.linspace(0, 1, max(2, int(np.hypot(x1 - x0, y1 - y0) / 3))):
            x, y = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
            yield Box(x - 0.5, y - 0.5, x + 0.5, y + 0.5)


def write(panel: Axes, words: str, xy: tuple[float, float], at: Sequence[float], box: Box, colour: str) -> None:
    """Write a name into its box, with a thin line to its marker if that is not next to it."""
    middle = ((box.left + box.right) / 2, (box.low + box.high) / 2)
    nearest = (min(max(at[0], box.left), box.right), min(max(at[1], box.low), box.high))
    far = np.hypot(nearest[0] - at[0], nearest[1] - at[1]) > 1.5 * NEAR
    style: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "va": "center_baseline", "size": SMALL}
    panel.annotate(
        words, xy, (middle[0] - at[0], middle[1] - at[1]), color=colour, gid="point label", zorder=5, **style
    )
    if far:
        offset = (nearest[0] - at[0], nearest[1] - at[1])
        arrow = {"arrowstyle": "-", "linewidth": 0.4, "color": GREY, "shrinkA": 0, "shrinkB": MARKER}
        panel.annotate("", xy, offset, textcoords="offset points", arrowprops=arrow, zorder=1)
