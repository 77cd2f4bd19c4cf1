"""Several tasks in one table: a row an activation, a column a task, and the mean rank over tasks.

A metric is never averaged over tasks: per cent of one and errors of another have no common unit; ranks have.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import UsageError
from ...statistics.ranks import ranks
from .footnotes import Footnotes, ranges
from .groups import headings
from .members import spec_of
from .rows import Row, Table


@dataclass(frozen=True)
class WideRow:
    """One activation over all tasks.

    Attributes:
        activation: its canonical spec.
        cells: its row in each task's table, None where it was not run.
        ranks: its rank in each task; empty if it has no number in one of them.
        cell_marks: the numbers of each cell's footnotes, from 1 on.
        rank_marks: those of its mean rank.
    """

    activation: str
    cells: tuple[Row | None, ...]
    ranks: tuple[float, ...] = ()
    cell_marks: tuple[tuple[int, ...], ...] = ()
    rank_marks: tuple[int, ...] = ()

    @property
    def mean_rank(self) -> float:
        """The mean of its ranks over tasks, NaN if it is not ranked."""
        return statistics.fmean(self.ranks) if self.ranks else math.nan


@dataclass(frozen=True)
class Wide:
    """Tables side by side. Rows are sorted by mean rank, the best first; those that are not ranked come last, by name.

    Attributes:
        tables: one a column.
        names: the columns' names, which tell the tables apart.
        rows: one an activation.
        footnotes: what the marks refer to.
    """

    tables: tuple[Table, ...]
    names: tuple[str, ...]
    rows: tuple[WideRow, ...]
    footnotes: tuple[str, ...] = ()

    def name(self, activation: str) -> str:
        """Return an activation's name as it is printed."""
        spec = spec_of(activation)
        return self.labels.get(spec, spec) + activation.removeprefix(spec)

    @property
    def labels(self) -> dict[str, str]:
        """What activations are called where it is not their spec."""
        return {activation: name for table in self.tables for activation, name in table.names.items()}

    @property
    def ranked(self) -> int:
        """How many activations are ranked."""
        return sum(bool(row.ranks) for row in self.rows)

    @property
    def title(self) -> str:
        """What stands above the table."""
        return f"{len(self.tables)} tasks: {', '.join(self.names)}"


def widen(tables: Sequence[Table]) -> Wide:
    """Lay tables side by side and rank the activations that have a number in all of them.

    Each table is a column: a task under several settings has several, and counts as often in the mean rank.

    Raises:
        UsageError: if there are fewer than two, or two of the same task, settings, device and dtype.
    """
    groups = [table.group for table in tables]
    if len(groups) < 2:
        held = f"only {groups[0].task}" if groups else "none"
        raise UsageError(f"a wide table takes several tasks, here is {held}: name more results folders")
    for group in groups:
        if groups.count(group) > 1:
            raise UsageError(
                f"{headings([group])[group]} is in several of the folders: "
                "it can be one column only if their trials lie in one folder"
            )
    names = tuple(headings(groups)[group] for group in groups)
    by_name = [{row.activation: row for row in table.rows} for table in tables]
    known = sorted({name for of in by_name for name in of})
    rows = [WideRow(name, tuple(of.get(name) for of in by_name)) for name in known]
    complete = [row for row in rows if all(cell and numbered(cell) for cell in row.cells)]
    by_task = [
        ranks([cell.mean.mean for row in complete if (cell := row.cells[i])], table.higher_is_better)
        for i, table in enumerate(tables)
    ]
    found = {row.activation: its for row, its in zip(complete, zip(*by_task, strict=True), strict=True)}
    rows = [WideRow(row.activation, row.cells, found.get(row.activation, ())) for row in rows]
    rows.sort(key=lambda row: (math.inf if math.isnan(row.mean_rank) else row.mean_rank, row.activation))
    footnotes = Footnotes()
    marked = [mark(row, tables, names, footnotes) for row in rows]
    return Wide(tuple(tables), names, tuple(marked), tuple(footnotes.texts))


def mark(row: WideRow, tables: Sequence[Table], names: Sequence[str], footnotes: Footnotes) -> WideRow:
    """Give a row its footnotes: failed and missing trials beside the task's number, why it is not ranked at the end."""
    cells = []
    for table, cell in zip(tables, row.cells, strict=True):
        said = [failure.words(len(cell.seeds)) for failure in cell.failures] if cell else []
        if cell and set(cell.seeds) != set(table.seeds):
            said.append(f"only seeds {ranges(cell.seeds)} of {ranges(table.seeds)} were run")
        cells.append(footnotes.marks(said))
    lacking = [name for name, cell in zip(names, row.cells, strict=True) if not (cell and numbered(cell))]
    told = [f"not ranked: no number in {', '.join(lacking)}"] if lacking else []
    return WideRow(row.activation, row.cells, row.ranks, tuple(cells), footnotes.marks(told))


def numbered(row: Row) -> bool:
    """Tell whether a row has a mean."""
    return not math.isnan(row.mean.mean)
