"""A table's columns as text, rounded to what the intervals allow."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...records.cost import Figure
from ...statistics.intervals import LEVEL, Interval
from ...statistics.metric import written
from .cost_table import UNSTABLE
from .rows import Row, Table

HUGE = 1e6
"""From this size on a number is printed with an exponent: one diverging mean must not widen its column."""


@dataclass(frozen=True)
class Column:
    """One column: a name that formats know it by, a header, a cell for each row (empty where there is nothing)."""

    name: str
    header: str
    cells: tuple[str, ...]
    exponent: int = 0
    """The column is printed in units of ten to this power."""


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

    def ends(self, one: Interval, sign: str = "") -> str:
        """Print an interval's ends; empty if there are none."""
        return f"[{self.show(one.low, sign)}, {self.show(one.high, sign)}]" if one.known else ""


def columns(table: Table, chosen: Sequence[str] = ()) -> list[Column]:
    """Lay a table out: the columns that have content, or those that are chosen, in their order after the activation."""
    rows = table.rows
    scale = scale_of([row.mean for row in rows])
    versus = Scale(scale_of([row.versus for row in rows if row.versus], scale.exponent).decimals, scale.exponent)
    paired = "pp, paired" if table.unit == "%" else "paired"
    low, high = table.counts
    uneven = low != high or any(row.ok != len(table.seeds) for row in rows)
    parted = any(row.modes for row in rows)
    found = [
        Column("activation", "activation", tuple(table.name(row.activation) for row in rows)),
        Column("n", "n", tuple(count(row) if uneven or "n" in chosen else "" for row in rows)),
        Column(
            "mean",
            f"{table.metric_name} {table.unit}".strip(),
            each(scale.show(row.mean.mean) for row in rows),
            scale.exponent,
        ),
        Column(
            "median",
            "median",
            each(scale.show(row.median) if parted or "median" in chosen else "" for row in rows),
            scale.exponent,
        ),
        Column("interval", f"{100 * LEVEL:g} % interval", each(scale.ends(row.mean) for row in rows)),
        Column("vs", f"vs {table.baseline_name} ({paired})", each(difference(row, versus) for row in rows)),
        Column("published", "published", each(shown(row.published, "g") for row in rows)),
        Column("params", "params", each(shown(row.parameters, ",") for row in rows)),
        Column("step", "step", steps((row.cost.step if row.cost else Figure() for row in rows), table.costs.busy)),
        Column("saved", "saved", each(ratio(row.cost.saved_ratio if row.cost else None) for row in rows)),
    ]
    for name in table.extras:
        extra = [row.extras[name] for row in rows]
        scale = scale_of(extra)
        found.append(
            Column(f"extra {name}", written(name), each(scale.show(one.mean) for one in extra), scale.exponent)
        )
    if chosen:
        by_name = {column.name: column for column in found}
        return [by_name[name] for name in dict.fromkeys(("activation", *chosen)) if name in by_name]
    found = [column for column in found if any(column.cells) or column.name == "mean"]
    return [column for column in found if column.name != "vs" or table.comparisons]


def scale_of(intervals: Sequence[Interval], exponent: int | None = None) -> Scale:
    """Choose how a column is printed: the median interval's half-width keeps two digits up to 3.5, else one.

    So 0.4 gives one decimal and 0.12 gives two. The median row decides, since all rows get the same number of decimals
    and a single wide interval would round the others away. Without intervals the median value keeps three digits.
    """
    if exponent is None:
        exponent = power([abs(one.mean) for one in intervals])
    unit = 10.0**exponent
    widths = [one.half_width / unit for one in intervals if 0 < one.half_width < math.inf]
    sizes = [abs(one.mean) / unit for one in intervals if one.mean and math.isfinite(one.mean)]
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


def difference(row: Row, scale: Scale) -> str:
    """Print a paired difference to the baseline."""
    if row.versus is None:
        return "baseline" if row.is_baseline else ""
    return f"{scale.show(row.versus.mean, '+')} {scale.ends(row.versus, '+')}".strip()


def count(row: Row) -> str:
    """Print over how many seeds a mean is: ``5``, or ``3/4`` where only 3 of 4 trials ended well."""
    return str(row.ok) if row.ok == len(row.seeds) else f"{row.ok}/{len(row.seeds)}"


def steps(ratios: Iterable[Figure], busy: str = "") -> tuple[str, ...]:
    """Print step times with one decimal or two, as the median row's quartiles have it; unstable ones are marked.

    Where the machine was too busy to time on there are none.
    """
    ratios = tuple(ratios)
    widths = [(high - low) / 2 for low, high in (one.quartiles for one in ratios if one.quartiles)]
    width = statistics.median(widths) if widths else 0.0
    decimals = min(max(certain(width), 1), 2) if width else 2
    marks = [UNSTABLE if one.unstable and one.median is not None else "" for one in ratios]
    return each("" if busy else ratio(one.median, decimals) + mark for one, mark in zip(ratios, marks, strict=True))


def ratio(value: float | None, decimals: int = 2) -> str:
    """Print a cost: ``1.31x``."""
    return "" if value is None else f"{value:.{decimals}f}x"


def shown(value: float | None, form: str) -> str:
    """Print a number if there is one."""
    return "" if value is None else f"{value:{form}}"


def each(cells: Iterable[str]) -> tuple[str, ...]:
    """Collect cells."""
    return tuple(cells)
