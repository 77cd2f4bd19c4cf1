"""How numbers are printed: rounded as their intervals allow; very small or large ones in powers of ten."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...statistics.intervals import Interval

HUGE = 1e6
"""From this size on a number is printed with an exponent: one diverging mean must not widen its column."""


@dataclass(frozen=True)
class Scale:
    """How the numbers of a column are printed: in units of 10^exponent, all with as many decimals."""

    decimals: int
    exponent: int = 0

    def show(self, value: float, sign: str = "") -> str:
        """Print a number; empty if there is none."""
        if not math.isfinite(value):
            return ""
        scaled = value / 10.0**self.exponent
        if abs(scaled) >= HUGE:
            return f"{scaled:{sign}.1e}"
        # A difference of -0.04 stays "-0.0": its sign tells whether an interval contains 0. A mean becomes "0.0".
        rounded = scaled + 0.0 if sign else round(scaled, self.decimals) + 0.0
        return f"{rounded:{sign}.{self.decimals}f}"

    def ends(self, interval: Interval, sign: str = "") -> str:
        """Print an interval's ends; empty if there are none."""
        return f"[{self.show(interval.low, sign)}, {self.show(interval.high, sign)}]" if interval.known else ""


def scale_of(intervals: Iterable[Interval], exponent: int | None = None) -> Scale:
    """Choose how a column is printed: the median interval's half-width keeps two digits up to 3.5, else one.

    So 0.4 gives one decimal and 0.12 gives two. The median row decides, since all rows get the same number of decimals
    and a single wide interval would round the others away. Without intervals the median value keeps three digits.
    """
    intervals = list(intervals)
    if exponent is None:
        exponent = power([abs(interval.mean) for interval in intervals])
    unit = 10.0**exponent
    widths = [interval.half_width / unit for interval in intervals if 0 < interval.half_width < math.inf]
    sizes = [abs(i.mean) / unit for i in intervals if i.mean and math.isfinite(i.mean)]
    if widths:
        digits = certain(statistics.median(widths))
    else:
        digits = 2 - math.floor(math.log10(statistics.median(sizes))) if sizes else 0
    return Scale(min(max(digits, 0), 9), exponent)


def certain(width: float) -> int:
    """Return how many decimals leave a half-width two digits up to 3.5, else one; below 0 for tens.

    >>> certain(0.12), certain(0.4)
    (2, 1)
    """
    order = math.floor(math.log10(width))
    return (2 if width / 10.0**order < 3.5 else 1) - 1 - order


def power(sizes: Sequence[float]) -> int:
    """Return the power of ten that a column of very small or very large numbers is printed in, a multiple of three."""
    usable = [size for size in sizes if size and math.isfinite(size)]
    order = math.floor(math.log10(statistics.median(usable))) if usable else 0
    return 0 if -3 <= order <= 5 else 3 * (order // 3)


def shown(value: float | None, form: str, after: str = "") -> str:
    """Print a number if there is one: ``shown(1.312, ".2f", after="x")`` is ``1.31x``."""
    return "" if value is None else f"{value:{form}}{after}"
