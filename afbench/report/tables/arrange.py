"""The order of a table's rows, bold and footnotes; made again when rows are left out or activations are renamed."""

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
        texts = [*remarks(row, table), *best.remarks.get(row.activation, ())]
        rows[index] = replace(row, best=row.activation in best.marked, marks=footnotes.marks(texts))
    return replace(table, rows=tuple(rows), footnotes=tuple(footnotes.texts))


def restricted(table: Table, keep: Collection[str]) -> Table:
    """Keep the rows of these activations; the best row is then the best of these.

    P-values stay adjusted for the comparisons of all rows: leaving rows out makes no difference significant.
    """
    kept = tuple(row for row in table.rows if row.activation in keep)
    return arranged(replace(table, rows=kept, hidden=table.hidden + len(table.rows) - len(kept)))


def named(table: Table, names: Mapping[str, str]) -> Table:
    """Give activations other names than their specs, in rows, headers, captions and footnotes alike."""
    return arranged(replace(table, names={**table.names, **names}))


def order(row: Row, higher: bool) -> float:
    """Return the key that sorts the best row first and rows without a number last."""
    mean = row.mean.mean
    return math.inf if math.isnan(mean) else -mean if higher else mean


def remarks(row: Row, table: Table) -> list[str]:
    """Return what is odd about a row, as footnotes."""
    texts = [failure.words(len(row.seeds)) for failure in row.failures]
    if set(row.seeds) != set(table.seeds):
        texts.append(f"only seeds {ranges(row.seeds)} of {ranges(table.seeds)} were run")
    if row.versus is not None and row.versus.n < len(table.seeds):
        count = f"{row.versus.n} {plural('seed', row.versus.n)}"
        texts.append(f"vs {table.baseline_name}: over the {count} that both finished")
    if is_older(row.activation):
        texts.append("older code: not compared, not bold")
    if row.modes:
        texts.append(two_groups(row.modes))
    texts += row.oddities
    if table.costs.by_activation and not is_older(row.activation) and (row.cost is None or row.cost.failure):
        texts.append(f"no cost: {row.cost.failure}" if row.cost else "no cost was measured")
    return texts
