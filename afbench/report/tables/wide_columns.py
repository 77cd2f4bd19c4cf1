"""A wide table's columns as text, and what its caption says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...statistics.intervals import LEVEL, Interval
from .caption import RULES, marked, methods_of, quantity, seeds
from .columns import Scale, scale_of
from .footnotes import plural
from .rows import Table
from .wide import Wide


@dataclass(frozen=True)
class WideCell:
    """A cell: ``91.2`` and ``0.4`` or ``[97.1, 99.8]``, empty where there is none; whether it is bold; footnotes."""

    mean: str = ""
    half_width: str = ""
    best: bool = False
    marks: tuple[int, ...] = ()

    @property
    def superscript(self) -> str:
        """The numbers of its footnotes: ``1,2``."""
        return ",".join(map(str, self.marks))

    def joined(self, sign: str) -> str:
        """Print mean and half-width with a sign between: ``91.2 ± 0.4``."""
        if self.half_width.startswith("["):
            return f"{self.mean} {self.half_width}"
        return f"{self.mean} {sign} {self.half_width}" if self.half_width else self.mean


@dataclass(frozen=True)
class WideColumn:
    """A task's column, or that of the mean ranks.

    Attributes:
        name: what stands above: the task.
        below: what stands below it: the metric and its unit.
        exponent: the numbers are in units of ten to this power.
        higher: the metric's direction; None for ranks.
        cells: one a row.
    """

    name: str
    below: str
    exponent: int
    higher: bool | None
    cells: tuple[WideCell, ...]


def wide_columns(wide: Wide, chosen: Sequence[str] = ()) -> list[WideColumn]:
    """Lay a wide table out: a column a task, then the mean rank; or those that are chosen, in that order."""
    found = []
    for index, (table, name) in enumerate(zip(wide.tables, wide.names, strict=True)):
        scale = scale_of([row.mean for row in table.rows])
        cells = []
        for row in wide.rows:
            cell, marks = row.cells[index], row.cell_marks[index]
            if cell is None:
                cells.append(WideCell(marks=marks))
            else:
                cells.append(WideCell(scale.show(cell.mean.mean), spread(cell.mean, table, scale), cell.best, marks))
        header = f"{table.metric_name} {table.unit}".strip()
        found.append(WideColumn(name, header, scale.exponent, table.higher_is_better, tuple(cells)))
    digits = 1 if len(wide.tables) < 10 else 2
    shown = ["" if math.isnan(row.mean_rank) else f"{row.mean_rank:.{digits}f}" for row in wide.rows]
    cells = [WideCell(rank, marks=row.rank_marks) for rank, row in zip(shown, wide.rows, strict=True)]
    found.append(WideColumn("mean", "rank", 0, None, tuple(cells)))
    by_name = dict(zip((*wide.names, "rank"), found, strict=True))
    picked = [by_name[name] for name in chosen if name in by_name]
    return picked or found


def spread(one: Interval, table: Table, scale: Scale) -> str:
    """Print an interval after its mean: half its width, or its ends where mean +- half leaves the range."""
    half = one.half_width
    if one.known and not table.bounds.hold((one.mean - half, one.mean + half)):
        return scale.ends(one)
    return scale.show(half)


def wide_sentences(wide: Wide, best: str, sign: str, detail: str = "full") -> list[str]:
    """Word a wide table's caption.

    Args:
        wide: the table.
        best: how the format marks the best group: ``bold``, ``>``.
        sign: what stands between a mean and its half-width: ``±``.
        detail: ``short``, ``full`` or ``none``.
    """
    if detail == "none":
        return []
    bold = [marked(best, wide.tables)] if any(row.best for table in wide.tables for row in table.rows) else []
    methods = methods_of(wide.tables)
    bracketed = any("[" in cell.half_width for column in wide_columns(wide) for cell in column.cells)
    brackets = ", or its ends in brackets where that would leave the metric's range" if bracketed else ""
    ends = f" {sign} half the width of the {100 * LEVEL:g} % interval ({methods}){brackets}" if methods else ""
    several = len(wide.tables) - len({table.group.task for table in wide.tables})
    count = wide.ranked
    if detail == "short":
        told_ = [told(name, table) for name, table in zip(wide.names, wide.tables, strict=True)]
        return [*told_, f"Means over seeds{ends}.", *bold, "Untuned: one learning rate for all."]
    return [
        *(told(name, table) for name, table in zip(wide.names, wide.tables, strict=True)),
        f"Means over seeds{ends}.",
        *bold,
        f"Mean rank over tasks: 1 is the best, by the means shown, ties averaged, among the {count} "
        f"{plural('activation', count)} with a number in every task; no metric is averaged over tasks."
        if count
        else "No activation has a number in every task, so that none is ranked.",
        *(["A task under several settings counts as often in the mean rank."] if several and count else []),
        "Untuned: one learning rate for all.",
        *(
            f"Note on {name}: {note}."
            for name, table in zip(wide.names, wide.tables, strict=True)
            for note in table.notes
            if note not in table.costs.notes
        ),
        RULES,
    ]


def told(name: str, table: Table) -> str:
    """Say a column's metric, direction, target, seeds and device."""
    unit = f" in {table.unit}" if table.unit else ""
    parts = [f"{name}: {table.metric_name}{unit}, {'higher' if table.higher_is_better else 'lower'} is better"]
    if table.target is not None:
        parts.append(f"target {quantity(table.target, table.unit)}")
    parts += [f"{word} {quantity(value, table.unit)}" for word, value in table.references.items()]
    parts.append(seeds(table))
    place = ", ".join(word for word in (table.group.device, table.group.dtype) if word)
    return "; ".join([*parts, *([f"on {place}"] if place else [])]) + "."
