"""Several tasks in one table: a row an activation, a column a task, and the mean rank over tasks.

A metric is never averaged over tasks: per cent of one and errors of another have no common unit; ranks have.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import UsageError
from ...records.groups import headings
from ...records.wording import ranges
from ...statistics.intervals import LEVEL, Interval
from ...statistics.ranks import ranks
from .caption import RULES, wide_sentences
from .grid import Cell, Column, Footnotes, Grid, Value
from .rows import Row, Table
from .scale import Scale, scale_of
from .task_grid import badges, known, label


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

    @property
    def given_names(self) -> dict[str, str]:
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


TASK_FIELDS = tuple("metric unit higher_is_better mean low high level method rank best trials ok".split())
"""What a row's data holds of each task, each behind the task's name."""


def wide_grid(wide: Wide, caption: str = "full") -> Grid:
    """Lay a wide table out: a column a task, then the mean rank.

    Args:
        wide: the table.
        caption: ``full``, ``short`` or ``none``.
    """
    columns = [Column("activation", "", "activation", fields=("activation", "name"))]
    cells = [[label(row.activation, wide.given_names) for row in wide.rows]]
    for index, (table, name) in enumerate(zip(wide.tables, wide.names, strict=True)):
        scale, higher = scale_of(row.mean for row in table.rows), table.higher_is_better
        header, fields = f"{table.metric_name} {table.unit}".strip(), tuple(f"{name} {field}" for field in TASK_FIELDS)
        columns.append(Column(name, header, name, scale.exponent, higher, higher, fields=fields))
        cells.append([task_cell(row.cells[index], row.cell_marks[index], table, scale) for row in wide.rows])
    columns.append(Column("rank", "rank", "mean", aliases=("mean rank",), fields=("mean_rank",)))
    digits = 1 if len(wide.tables) < 10 else 2
    texts = ["" if math.isnan(row.mean_rank) else f"{row.mean_rank:.{digits}f}" for row in wide.rows]
    cells.append([Cell(text, row.mean_rank, marks=row.rank_marks) for text, row in zip(texts, wide.rows, strict=True)])
    brackets = any(cell.spread.startswith("[") for column in cells for cell in column)
    notes = [
        f"on {name}: {note}"
        for name, table in zip(wide.names, wide.tables, strict=True)
        for note in table.notes
        if note not in table.costs.notes
    ]
    return Grid(
        "wide",
        "tasks",
        wide.title,
        tuple(columns),
        tuple(zip(*cells, strict=True)),
        tuple(data_of(wide, row) for row in wide.rows),
        tuple(wide_sentences(wide.names, wide.tables, brackets)),
        RULES,
        tuple(notes),
        wide.footnotes,
    ).with_caption(caption)


def task_cell(row: Row | None, marks: tuple[int, ...], table: Table, scale: Scale) -> Cell:
    """Return the cell of an activation in a task: its mean with half its interval's width, or the interval's ends."""
    if row is None:
        return Cell(marks=marks)
    mean, half = row.mean, row.mean.half_width
    beyond = mean.known and not table.bounds.hold((mean.mean - half, mean.mean + half))
    spread = scale.ends(mean) if beyond else scale.show(half)
    return Cell(scale.show(mean.mean), mean.mean, spread, best=row.best, marks=marks, failures=badges(row.failures))


def data_of(wide: Wide, row: WideRow) -> dict[str, Value]:
    """Return a row's numbers; a task's fields begin with its name: ``gmm mean``."""
    line: dict[str, Value] = {"activation": row.activation}
    if wide.given_names:
        named = label(row.activation, wide.given_names)
        line["name"] = named.text + named.suffix
    line |= {"mean_rank": row.mean_rank, "ranked_activations": wide.ranked, "ranked_tasks": len(wide.tables)}
    task_ranks = row.ranks or (None,) * len(wide.tables)
    for name, table, cell, rank in zip(wide.names, wide.tables, row.cells, task_ranks, strict=True):
        mean = cell.mean if cell else Interval()
        values = (
            *(table.metric_name, table.unit, table.higher_is_better, mean.mean, mean.low, mean.high),
            *(LEVEL if mean.known else None, mean.method, rank),
            *((cell.best, len(cell.seeds), cell.ok) if cell else (None, None, None)),
        )
        line |= {f"{name} {field}": value for field, value in zip(TASK_FIELDS, values, strict=True)}
    marks = sorted({*row.rank_marks, *(mark for marks in row.cell_marks for mark in marks)})
    line["notes"] = "; ".join(wide.footnotes[mark - 1] for mark in marks)
    return known(line)
