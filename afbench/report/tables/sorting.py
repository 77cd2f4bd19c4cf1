"""The order of a table's rows: ``--sort COLUMN``, ``--sort COLUMN:desc``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from ...errors import UsageError
from ...statistics.intervals import Interval
from .rows import Row, Table
from .view import chosen, names_of
from .wide import Wide, WideRow

Key = float | str
R = TypeVar("R", Row, WideRow)
BEST_FIRST = ("mean", "median", "vs")
"""Columns that go in the metric's direction."""


def sort(tables: Sequence[Table | Wide], text: str) -> list[Table | Wide]:
    """Sort the rows of each table that has the column: ``step``, ``params:desc``. Rows without a number come last.

    Without a direction the best comes first where the column has one of its own (the metric, differences of it, ranks),
    else the smallest.

    Raises:
        UsageError: if no table has the column, or it is no column with a direction.
    """
    name, direction = text.strip(), ""
    if not any(name in names_of(table) for table in tables):
        name, colon, direction = (part.strip() for part in text.rpartition(":"))
        if not colon or direction not in ("asc", "desc"):
            name, direction = text.strip(), ""
            if colon and any(text.rpartition(":")[0].strip() in names_of(table) for table in tables):
                raise UsageError(f"--sort takes COLUMN, COLUMN:asc or COLUMN:desc, not {text!r}")
    columns = chosen(name, tables, "--sort")
    if len(columns) > 1:
        raise UsageError(f"--sort takes one column, not {len(columns)}")
    column = columns[0]
    return [ordered(table, column, direction) if column in names_of(table).values() else table for table in tables]


def ordered(table: Table | Wide, column: str, direction: str = "") -> Table | Wide:
    """Sort the rows of one table."""
    if isinstance(table, Wide):
        higher = column in table.names and table.tables[table.names.index(column)].higher_is_better
        down = direction == "desc" or (not direction and higher)
        return replace(table, rows=tuple(placed(table.rows, lambda row: wide_value(table, row, column), down)))
    down = direction == "desc" or (not direction and column in BEST_FIRST and table.higher_is_better)
    return replace(table, rows=tuple(placed(table.rows, lambda row: value(table, row, column), down)))


def placed(rows: Sequence[R], key: Callable[[R], Key], down: bool) -> list[R]:
    """Sort rows by a key; equal ones keep their order, those without a value come last."""
    keys = [(key(row), row) for row in rows]
    known = [pair for pair in keys if isinstance(pair[0], str) or not math.isnan(pair[0])]
    rest = [row for found, row in keys if isinstance(found, float) and math.isnan(found)]
    return [row for _, row in sorted(known, key=lambda pair: pair[0], reverse=down)] + rest


def value(table: Table, row: Row, column: str) -> Key:
    """Return what a column sorts a row by; NaN if it has no number there."""
    cost = row.cost
    if column == "activation":
        return table.name(row.activation).casefold()
    if column.startswith("extra "):
        return row.extras[column.removeprefix("extra ")].mean
    found = {
        "n": row.ok,
        "mean": row.mean.mean,
        "median": row.median,
        "interval": row.mean.half_width,
        "vs": (row.versus or Interval(0.0 if row.is_baseline else math.nan)).mean,
        "published": row.published,
        "params": row.parameters,
        "step": cost.step.median if cost else None,
        "saved": cost.saved_ratio if cost else None,
    }[column]
    return math.nan if found is None else float(found)


def wide_value(wide: Wide, row: WideRow, column: str) -> Key:
    """Return what a column of a wide table sorts a row by."""
    if column == "activation":
        return wide.name(row.activation).casefold()
    if column == "rank":
        return row.mean_rank
    cell = row.cells[wide.names.index(column)]
    return cell.mean.mean if cell else math.nan
