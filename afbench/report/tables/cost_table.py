"""Tables of costs: columns in groups, a row an activation; printed in the five formats that all tables have."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    parameters: int | None = None
    """How many parameters of the activation are trainable, if the file says so."""

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
        names: what activations are called where it is not their spec.
    """

    title: str
    groups: Mapping[str, tuple[str, ...]]
    rows: tuple[CostRow, ...]
    told: tuple[str, ...]
    footnotes: tuple[str, ...] = ()
    flat: tuple[Mapping[str, Any], ...] = field(default=())
    case: tuple[Any, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    def restricted(self, keep: Collection[str]) -> CostTable:
        """Leave out activations that are not among ``keep``; footnotes keep their numbers."""
        rows = tuple(row for row in self.rows if row.activation in keep)
        flat = tuple(line for line in self.flat if line.get("activation") in keep)
        return replace(self, rows=rows, flat=flat)

    def named(self, names: Mapping[str, str]) -> CostTable:
        """Call activations otherwise than by their specs."""
        return replace(self, names={**self.names, **names})

    @property
    def headers(self) -> list[str]:
        """The header of each column: ``forward, cold: vs relu``."""
        return [f"{group}: {name}" if name else group for group, names in self.groups.items() for name in names]


def cost_text(table: CostTable, width: int = WIDTH, caption: str = "full") -> str:
    """Print a table for a terminal: groups that do not fit beside each other stand below."""
    from .text import stacked

    called = [named(row, table.names) for row in table.rows]
    wide = max(len("activation"), *map(len, called))
    first, start = [" " * wide, "activation".ljust(wide), *(name.ljust(wide) for name in called)], 0
    blocks = [first]
    for group, names in table.groups.items():
        block = blocked(group, names, [row.cells[start : start + len(names)] for row in table.rows])
        start += len(names)
        blocks.append(block)
    lines = ["", *stacked(blocks, 3, width)]
    notes = [f"({number}) {note}" for number, note in enumerate(table.footnotes, 1)]
    told = " ".join(said(table, caption)).replace("±", "+-")
    below = [line for one in (told, *notes) for line in textwrap.wrap(one, width)]
    return "\n".join([*textwrap.wrap(table.title, width), *lines, "", *below, *([""] if below else [])])


def said(table: CostTable, caption: str) -> tuple[str, ...]:
    """Return the sentences of a caption: all of them, what a short one says, or none."""
    return {"none": (), "short": table.told[:2]}.get(caption, table.told)


def named(row: CostRow, names: Mapping[str, str]) -> str:
    """Name a row, with its footnotes."""
    return names.get(row.activation, row.activation) + (f" ({row.superscript})" if row.marks else "")


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


def cost_md(table: CostTable, caption: str = "full") -> str:
    """Print a table for GitHub."""
    from .markdown import assembled, guarded, label

    lines: list[Sequence[str]] = [["activation", *map(guarded, table.headers)]]
    lines.append([":--", *("--:" for _ in table.headers)])
    for row in table.rows:
        marks = f" <sup>{row.superscript}</sup>" if row.marks else ""
        lines.append([label(row.activation, table.names) + marks, *(guarded(cell) or "—" for cell in row.cells)])
    return assembled(table.title, lines, said(table, caption), table.footnotes)


def cost_html(table: CostTable, number: int, caption: str = "full") -> str:
    """Print a table as a section of a page."""
    from .html import label, notes_of, section

    body = [
        [
            label(row.activation, table.names) + notes_of(row.superscript, number),
            *(html.escape(cell) or "–" for cell in row.cells),
        ]
        for row in table.rows
    ]
    header = ["activation", *map(html.escape, table.headers)]
    return section(number, table.title, header, body, said(table, caption), table.footnotes)


def cost_latex(table: CostTable, number: int, caption: str = "full") -> str:
    """Print a table as a ``table*`` environment, its groups above their columns."""
    from .latex import environment, escape, numbers
    from .latex import label as label_of

    sizes = [len(names) for names in table.groups.values()]
    above = ["", *(rf"\multicolumn{{{n}}}{{c}}{{{escape(g)}}}" for g, n in zip(table.groups, sizes, strict=True))]
    header = [above, ["activation", *(escape(name) for names in table.groups.values() for name in names)]]
    body = []
    for row in table.rows:
        marks = rf"\textsuperscript{{{row.superscript}}}" if row.marks else ""
        cells = [numbers(escape(cell)) if cell else "--" for cell in row.cells]
        body.append([label_of(row.activation, table.names) + marks, *cells])
    label = re.sub(r"[^A-Za-z0-9]+", "-", f"cost-{number}")
    told = said(table, caption)
    return environment(table.title, told, label, "l" + "r" * sum(sizes), header, body, table.footnotes)
