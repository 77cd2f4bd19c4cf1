"""Tables of costs: columns in groups, a row an activation; printed in the five formats that all tables have."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

UNSTABLE = "!"
"""Stands after a figure that is unstable."""
UNSTABLE_RULE = (
    f"{UNSTABLE} marks unstable figures: quartiles over 10 % of the median apart, a shortest sample under 1 ms of "
    "work, or too few samples for the spread."
)
WIDTH = 110


@dataclass(frozen=True)
class CostRow:
    """An activation's cells, one a column, and the numbers of its footnotes, from 1 on."""

    activation: str
    cells: tuple[str, ...]
    marks: tuple[int, ...] = ()

    @property
    def superscript(self) -> str:
        """The numbers of its footnotes: ``1,2``."""
        return ",".join(map(str, self.marks))


@dataclass(frozen=True)
class CostTable:
    """Costs under one case, or in one task's network, on one machine.

    Attributes:
        title: what was measured, and where.
        groups: the groups of columns with their columns' headers; a table's columns are all of them in a row.
        rows: the cheapest first, failures last.
        told: the sentences of the caption.
        footnotes: by number, from 1 on.
        flat: a mapping a row, for machines: the same names for all, nothing rounded.
        case: what its costs share.
    """

    title: str
    groups: Mapping[str, tuple[str, ...]]
    rows: tuple[CostRow, ...]
    told: tuple[str, ...]
    footnotes: tuple[str, ...] = ()
    flat: tuple[Mapping[str, Any], ...] = field(default=())
    case: tuple[Any, ...] = ()

    @property
    def headers(self) -> list[str]:
        """The header of each column: ``forward, cold: vs relu``."""
        return [f"{group}: {name}" if name else group for group, names in self.groups.items() for name in names]


def cost_text(table: CostTable) -> str:
    """Print a table for a terminal: groups that do not fit beside each other stand below."""
    wide = max(len("activation"), *(len(named(row)) for row in table.rows))
    first = [" " * wide, "activation".ljust(wide), *(named(row).ljust(wide) for row in table.rows)]
    parts, start = [first], 0
    for group, names in table.groups.items():
        block = blocked(group, names, [row.cells[start : start + len(names)] for row in table.rows])
        start += len(names)
        longer = [f"{line}   {cell}" for line, cell in zip(parts[-1], block, strict=True)]
        if len(longer[0]) > WIDTH and parts[-1] is not first:
            parts.append([f"{line}   {cell}" for line, cell in zip(first, block, strict=True)])
        else:
            parts[-1] = longer
    lines = [line for part in parts for line in ("", *(line.rstrip() for line in part))]
    notes = [f"({number}) {note}" for number, note in enumerate(table.footnotes, 1)]
    told = " ".join(table.told).replace("±", "+-")
    below = [line for one in (told, *notes) for line in textwrap.wrap(one, WIDTH)]
    return "\n".join([*textwrap.wrap(table.title, WIDTH), *lines, "", *below, ""])


def named(row: CostRow) -> str:
    """Name a row, with its footnotes."""
    return row.activation + (f" ({row.superscript})" if row.marks else "")


def blocked(group: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Align a group's columns below its name."""
    columns = []
    for index, name in enumerate(names):
        cells = [name, *(row[index].replace("±", "+-") or "-" for row in rows)]
        # The mark hangs out to the right, so that numbers stay below each other.
        mark = 1 if any(cell.endswith(UNSTABLE) for cell in cells) else 0
        hung = [cell if cell.endswith(UNSTABLE) else cell + " " * mark for cell in cells]
        columns.append([cell.rjust(max(map(len, hung))) for cell in hung])
    lines = ["  ".join(cells) for cells in zip(*columns, strict=True)]
    return [line.ljust(max(len(group), len(lines[0]))) for line in (group, *lines)]


def cost_md(table: CostTable) -> str:
    """Print a table for GitHub."""
    from .markdown import assembled, code, guarded

    lines: list[Sequence[str]] = [["activation", *map(guarded, table.headers)]]
    lines.append([":--", *("--:" for _ in table.headers)])
    for row in table.rows:
        marks = f" <sup>{row.superscript}</sup>" if row.marks else ""
        lines.append([code(row.activation) + marks, *(guarded(cell) or "—" for cell in row.cells)])
    return assembled(table.title, lines, table.told, table.footnotes)


def cost_html(table: CostTable, number: int) -> str:
    """Print a table as a section of a page."""
    from .html import code, notes_of, section

    body = [
        [code(row.activation) + notes_of(row.superscript, number), *(html.escape(cell) or "–" for cell in row.cells)]
        for row in table.rows
    ]
    header = ["activation", *map(html.escape, table.headers)]
    return section(number, table.title, header, body, table.told, table.footnotes)


def cost_latex(table: CostTable, number: int) -> str:
    """Print a table as a ``table*`` environment, its groups above their columns."""
    from .latex import environment, escape, numbers

    sizes = [len(names) for names in table.groups.values()]
    above = ["", *(rf"\multicolumn{{{n}}}{{c}}{{{escape(g)}}}" for g, n in zip(table.groups, sizes, strict=True))]
    header = [above, ["activation", *(escape(name) for names in table.groups.values() for name in names)]]
    body = []
    for row in table.rows:
        marks = rf"\textsuperscript{{{row.superscript}}}" if row.marks else ""
        cells = [numbers(escape(cell)) if cell else "--" for cell in row.cells]
        body.append([rf"\texttt{{{escape(row.activation)}}}{marks}", *cells])
    label = re.sub(r"[^A-Za-z0-9]+", "-", f"cost-{number}")
    return environment(table.title, table.told, label, "l" + "r" * sum(sizes), header, body, table.footnotes)
