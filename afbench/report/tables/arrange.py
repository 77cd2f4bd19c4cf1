"""A table's rows in order, with bold and footnotes: made anew when rows are left out or activations named otherwise."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace

from ...records.members import is_older
from ...records.wording import plural, ranges
from .best import best_of
from .footnotes import two_groups
from .grid import Footnotes
from .rows import Row, Table


def arranged(table: Table) -> Table:
    """Sort rows, the best mean first, mark the bold ones and give each its footnotes."""
    best = best_of(table.rows, table.higher_is_better, table.names)
    seeds = tuple(sorted({seed for row in table.rows for seed in row.seeds}))
    table = replace(table, seeds=seeds)
    rows = sorted(table.rows, key=lambda row: order(row, table.higher_is_better))
    footnotes = Footnotes()
    for index, row in enumerate(rows):
        said = [*remarks(row, table), *best.remarks.get(row.activation, ())]
        rows[index] = replace(row, best=row.activation in best.marked, marks=footnotes.marks(said))
    return replace(table, rows=tuple(rows), footnotes=tuple(footnotes.texts))


def restricted(table: Table, keep: Collection[str]) -> Table:
    """Leave out rows whose activation is not among ``keep``; the best is then looked for among those that are left.

    The number of comparisons that p-values are adjusted for stays that of all rows: leaving some out makes no
    difference significant.
    """
    kept = tuple(row for row in table.rows if row.activation in keep)
    return arranged(replace(table, rows=kept, hidden=table.hidden + len(table.rows) - len(kept)))


def named(table: Table, names: Mapping[str, str]) -> Table:
    """Call activations otherwise than by their specs, in rows, headers, captions and footnotes alike."""
    return arranged(replace(table, names={**table.names, **names}))


def order(row: Row, higher: bool) -> float:
    """Return what rows are sorted by: the best first, those without a number last."""
    mean = row.mean.mean
    return math.inf if math.isnan(mean) else -mean if higher else mean


def remarks(row: Row, table: Table) -> list[str]:
    """Say what is odd about a row."""
    said = [failure.words(len(row.seeds)) for failure in row.failures]
    if set(row.seeds) != set(table.seeds):
        said.append(f"only seeds {ranges(row.seeds)} of {ranges(table.seeds)} were run")
    if row.versus is not None and row.versus.n < len(table.seeds):
        count = f"{row.versus.n} {plural('seed', row.versus.n)}"
        said.append(f"vs {table.baseline_name} over the {count} that both finished")
    if is_older(row.activation):
        said.append("ran with code that was edited since: not compared, not bold")
    if row.modes:
        said.append(two_groups(row.modes))
    said += row.oddities
    if table.costs.by_activation and not is_older(row.activation) and (row.cost is None or row.cost.failure):
        said.append(f"no cost: {row.cost.failure}" if row.cost else "its cost has not been measured")
    return said
