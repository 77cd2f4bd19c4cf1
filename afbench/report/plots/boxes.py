"""Rectangles in pixels: what a name takes on a panel, and what it must not meet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle, in pixels."""

    left: float
    low: float
    right: float
    high: float

    def grown(self, by: float) -> Box:
        """Return a rectangle that is larger on all sides."""
        return Box(self.left - by, self.low - by, self.right + by, self.high + by)

    def meets(self, other: Box) -> bool:
        """Tell whether two overlap."""
        return self.left < other.right and other.left < self.right and self.low < other.high and other.low < self.high

    def within(self, other: Box) -> bool:
        """Tell whether it lies in another."""
        return (
            other.left <= self.left and self.right <= other.right and other.low <= self.low and self.high <= other.high
        )

    def nearest(self, at: Point) -> Point:
        """Return its point nearest to another point."""
        return min(max(at[0], self.left), self.right), min(max(at[1], self.low), self.high)

    def distance(self, at: Point) -> float:
        """Return its distance from a point."""
        x, y = self.nearest(at)
        return float(np.hypot(x - at[0], y - at[1]))

    def struck(self, start: Point, end: Point) -> bool:
        """Tell whether a straight line passes through it (Liang and Barsky 1984)."""
        low, high = 0.0, 1.0
        for begin, stop, least, most in (
            (start[0], end[0], self.left, self.right),
            (start[1], end[1], self.low, self.high),
        ):
            step = stop - begin
            if step == 0.0:
                if not least < begin < most:
                    return False
                continue
            first, last = sorted(((least - begin) / step, (most - begin) / step))
            low, high = max(low, first), min(high, last)
        return low < high

    @property
    def outline(self) -> list[Point]:
        """Its sides and diagonals in one stroke."""
        a, b, c, d = (self.left, self.low), (self.right, self.low), (self.right, self.high), (self.left, self.high)
        return [a, b, c, d, a, c, b, d]
