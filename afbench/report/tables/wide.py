"""Several tasks in one table: a row an activation, a column a task, and the mean rank over tasks.

A metric is never averaged over tasks: the percentage of one and the error of another have no common unit, but ranks
have.
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

FIELDS = tuple("metric unit higher_is_better mean low high level method rank best trials ok".split())
"""The fields of a row's data for each task; the task's name stands before each."""


@dataclass(frozen=True)
class WideRow:
    """One activation over all tasks.

    Attributes:
        activation: its canonical spec.
        by_task: its row in each task's table, None where it was not run.
        ranks: its rank in each task; empty if it has no number in one of them.
    """

    activation: str
    by_task: tuple[Row | None, ...]
    ranks: tuple[float, ...] = ()

    @property
    def mean_rank(self) -> float:
        """The mean of its ranks over tasks, NaN if it is not ranked."""
        return statistics.fmean(self.ranks) if self.ranks else math.nan


@dataclass(frozen=True)
class Wide:
    """Tables side by side; ``names`` are the columns' names, which tell the tables apart.

    Rows are sorted by mean rank, the best first; those that are not ranked come last, by name.
    """

    tables: tuple[Table, ...]
    names: tuple[str, ...]
    rows: tuple[WideRow, ...]

    @property
    def given_names(self) -> dict[str, str]:
        """The names that activations are given, by spec."""
        return {activation: name for table in self.tables for activation, name in table.names.items()}

    @property
    def ranked(self) -> int:
        """How many activations are ranked."""
        return sum(bool(row.ranks) for row in self.rows)


def widen(tables: Sequence[Table]) -> Wide:
    """Put tables side by side and rank the activations that have a number in all of them.

    Each table is a column: a task under several settings has several, and counts as often in the mean rank.

    Raises:
        UsageError: if there are fewer than two, or two of the same task, settings, device and dtype.
    """
    groups = [table.group for table in tables]
    if len(groups) < 2:
        number = f"only {groups[0].task}" if groups else "none"
        raise UsageError(f"a wide table needs several tasks, but there is {number}; name more results folders")
    for group in groups:
        if groups.count(group) > 1:
            name = headings([group])[group]
            raise UsageError(f"{name} is in several of these folders; copy its trials into one folder")
    by_activation = [{row.activation: row for row in table.rows} for table in tables]
    activations = sorted({activation for rows in by_activation for activation in rows})
    rows = [WideRow(activation, tuple(rows.get(activation) for rows in by_activation)) for activation in activations]
    complete = [row for row in rows if all(map(numbered, row.by_task))]
    by_task = [
        ranks([row.mean.mean for wide in complete if (row := wide.by_task[i])], table.higher_is_better)
        for i, table in enumerate(tables)
    ]
    its_ranks = {row.activation: own for row, own in zip(complete, zip(*by_task, strict=True), strict=True)}
    rows = [WideRow(row.activation, row.by_task, its_ranks.get(row.activation, ())) for row in rows]
    rows.sort(key=lambda row: (math.inf if math.isnan(row.mean_rank) else row.mean_rank, row.activation))
    return Wide(tuple(tables), tuple(headings(groups)[group] for group in groups), tuple(rows))


def numbered(row: Row | None) -> bool:
    """Tell whether a row has a mean."""
    return row is not None and not math.isnan(row.mean.mean)


def wide_grid(wide: Wide) -> Grid:
    """Lay a wide table out, with its full caption: one column a task, then the mean rank."""
    scales = [scale_of(row.mean for row in table.rows) for table in wide.tables]
    columns = [Column("activation", "", "activation", fields=("activation", "name"))]
    for table, name, scale in zip(wide.tables, wide.names, scales, strict=True):
        header, fields = f"{table.metric_name} {table.unit}".strip(), tuple(f"{name} {field}" for field in FIELDS)
        higher = table.higher_is_better
        columns.append(Column(name, header, name, scale.exponent, higher, higher, fields=fields))
    columns.append(Column("rank", "rank", "mean", aliases=("mean rank",), fields=("mean_rank",)))
    footnotes, digits = Footnotes(), 1 if len(wide.tables) < 10 else 2
    rows, data = [], []
    for row in wide.rows:
        cells = [label(row.activation, wide.given_names)]
        for table, its_row, scale in zip(wide.tables, row.by_task, scales, strict=True):
            cells.append(task_cell(its_row, table, scale, footnotes))
        lacking = [name for name, its_row in zip(wide.names, row.by_task, strict=True) if not numbered(its_row)]
        marks = footnotes.marks([f"not ranked: no number in {', '.join(lacking)}"] if lacking else [])
        cells.append(Cell("" if lacking else f"{row.mean_rank:.{digits}f}", row.mean_rank, marks=marks))
        rows.append(tuple(cells))
        all_marks = sorted({mark for cell in cells for mark in cell.marks})
        data.append(data_of(wide, row) | {"notes": "; ".join(footnotes.texts[mark - 1] for mark in all_marks)})
    brackets = any(cell.spread.startswith("[") for cells in rows for cell in cells)
    notes = [
        f"on {name}: {note}"
        for name, table in zip(wide.names, wide.tables, strict=True)
        for note in table.notes
        if note not in table.costs.notes
    ]
    return Grid(
        "wide",
        "tasks",
        f"{len(wide.tables)} tasks: {', '.join(wide.names)}",
        tuple(columns),
        tuple(rows),
        tuple(data),
        tuple(wide_sentences(wide.names, wide.tables, brackets)),
        RULES,
        tuple(notes),
        tuple(footnotes.texts),
    )


def task_cell(row: Row | None, table: Table, scale: Scale, footnotes: Footnotes) -> Cell:
    """Return the cell of an activation in a task: its mean with half its interval's width, or the interval's ends."""
    if row is None:
        return Cell()
    texts = [failure.words(len(row.seeds)) for failure in row.failures]
    if set(row.seeds) != set(table.seeds):
        texts.append(f"only seeds {ranges(row.seeds)} of {ranges(table.seeds)} were run")
    mean, half = row.mean, row.mean.half_width
    beyond = mean.known and not table.bounds.hold((mean.mean - half, mean.mean + half))
    spread, marks = scale.ends(mean) if beyond else scale.show(half), footnotes.marks(texts)
    return Cell(scale.show(mean.mean), mean.mean, spread, best=row.best, marks=marks, failures=badges(row.failures))


def data_of(wide: Wide, row: WideRow) -> dict[str, Value]:
    """Return a row's numbers; a task's fields begin with its name: ``gmm mean``."""
    line: dict[str, Value] = {"activation": row.activation}
    if wide.given_names:
        name = label(row.activation, wide.given_names)
        line["name"] = name.text + name.suffix
    line |= {"mean_rank": row.mean_rank, "ranked_activations": wide.ranked, "ranked_tasks": len(wide.tables)}
    its_ranks = row.ranks or (None,) * len(wide.tables)
    for task, table, its_row, rank in zip(wide.names, wide.tables, row.by_task, its_ranks, strict=True):
        mean = its_row.mean if its_row else Interval()
        values = (
            *(table.metric_name, table.unit, table.higher_is_better, mean.mean, mean.low, mean.high),
            *(LEVEL if mean.known else None, mean.method, rank),
            *((its_row.best, len(its_row.seeds), its_row.ok) if its_row else (None, None, None)),
        )
        line |= {f"{task} {field}": value for field, value in zip(FIELDS, values, strict=True)}
    return known(line)
