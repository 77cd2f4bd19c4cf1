"""A table of costs as a grid: columns in groups, a row an activation."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .grid import Cell, Column, Grid
from .task_grid import label

RULES = "docs/cost.md"


@dataclass(frozen=True)
class CostRow:
    """An activation's cells, one a column, and the numbers of its footnotes, from 1 on."""

    activation: str
    cells: tuple[str, ...]
    marks: tuple[int, ...] = ()
    parameters: int | None = None
    """How many parameters of the activation are trainable, if the file says so."""


@dataclass(frozen=True)
class CostTable:
    """Costs under one case, or in one task's network, on one machine.

    Attributes:
        title: what was measured, and where.
        groups: the groups of columns with their columns' headers; a table's columns are all of them in a row.
        rows: the cheapest first, failures last.
        caption: its sentences.
        footnotes: by number, from 1 on.
        data: a mapping a row, for machines: the same names for all, nothing rounded.
        case: what its costs share.
        names: what activations are called where it is not their spec.
    """

    title: str
    groups: Mapping[str, tuple[str, ...]]
    rows: tuple[CostRow, ...]
    caption: tuple[str, ...]
    footnotes: tuple[str, ...] = ()
    data: tuple[Mapping[str, Any], ...] = ()
    case: tuple[Any, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    def restricted(self, keep: Collection[str]) -> CostTable:
        """Leave out activations that are not among ``keep``; footnotes keep their numbers."""
        rows = tuple(row for row in self.rows if row.activation in keep)
        data = tuple(line for line in self.data if line.get("activation") in keep)
        return replace(self, rows=rows, data=data)

    def named(self, names: Mapping[str, str]) -> CostTable:
        """Call activations otherwise than by their specs."""
        return replace(self, names={**self.names, **names})


def cost_grid(table: CostTable, caption: str = "full") -> Grid:
    """Lay a table of costs out.

    Args:
        table: the table.
        caption: ``full``, ``short`` or ``none``.
    """
    columns = [Column(f"{group} {name}", name, group) for group, names in table.groups.items() for name in names]
    rows = [(label(row.activation, table.names, marks=row.marks), *map(Cell, row.cells)) for row in table.rows]
    return Grid(
        "cost",
        "cost",
        table.title,
        (Column("activation", "activation"), *columns),
        tuple(rows),
        table.data,
        table.caption,
        RULES,
        (),
        table.footnotes,
    ).with_caption(caption)
