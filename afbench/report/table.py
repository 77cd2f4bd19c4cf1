"""Tables in four formats: text for a terminal, Markdown, CSV with every digit, LaTeX that compiles as it stands."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from ..errors import UsageError, did_you_mean
from .caption import sentences
from .columns import Column, columns
from .flat import csv
from .latex import latex
from .rows import Table

WIDTH = 110
LEFT = ("activation",)
BEST = "> "


def render(tables: Table | Sequence[Table], format: str = "text") -> str:
    r"""Print tables in a format.

    Args:
        tables: one or several.
        format: ``text`` (ASCII but for what users wrote, 110 columns wide), ``md`` (GitHub), ``csv`` (one header, one
            row an activation, every number unrounded), ``latex`` (booktabs; compiles alone, and can be ``\input``).

    Raises:
        UsageError: for another format.
    """
    if format not in FORMATS:
        raise UsageError(
            f"unknown format {format!r}{did_you_mean(format, FORMATS)}; the formats are {', '.join(FORMATS)}"
        )
    return FORMATS[format]([tables] if isinstance(tables, Table) else list(tables))


def text(tables: Sequence[Table]) -> str:
    """Print tables for a terminal; extra metrics are left out where they do not fit, and the caption says so."""
    return "\n".join(one_text(table) for table in tables)


def one_text(table: Table) -> str:
    """Print one table for a terminal."""
    shown = columns(table)
    left_out: list[str] = []
    lines = aligned(table, shown)
    if width(lines) > WIDTH:
        lines = aligned(table, shown, gap=2)
    while width(lines) > WIDTH and shown[-1].name.startswith("extra "):
        left_out.insert(0, shown.pop().header)
        lines = aligned(table, shown, gap=2)
    told = sentences(table, best=">", significant="*")
    if left_out:
        told.append(f"Not shown for want of room: {', '.join(left_out)} (all are in the other formats).")
    notes = [f"({number}) {note}" for number, note in enumerate(table.footnotes, 1)]
    below = [line for one in (" ".join(told), *notes) for line in textwrap.wrap(one, WIDTH, break_on_hyphens=False)]
    return "\n".join([table.title, "", *lines, "", *below, ""])


def width(lines: Sequence[str]) -> int:
    """Return the length of the longest line."""
    return max(map(len, lines))


def aligned(table: Table, shown: Sequence[Column], gap: int = 3) -> list[str]:
    """Align the header and the rows of a table."""
    best = BEST if any(row.best for row in table.rows) else ""
    blocks = []
    for column in shown:
        cells = list(column.cells)
        if column.name == "activation":
            cells = [
                (BEST if row.best else " " * len(best)) + cell + (f" ({row.superscript})" if row.marks else "")
                for row, cell in zip(table.rows, cells, strict=True)
            ]
        elif column.name == "versus" and any(row.significant for row in table.rows):
            cells = [cell + ("*" if row.significant else " ") for row, cell in zip(table.rows, cells, strict=True)]
        header = column.header + (f" / 1e{column.exponent}" if column.exponent else "")
        lead = best if column.name == "activation" else ""
        block = [" " * len(lead) + header, *(cell if cell.strip() else "-" for cell in cells)]
        wide = width(block)
        blocks.append([cell.ljust(wide) if column.name in LEFT else cell.rjust(wide) for cell in block])
    return [(" " * gap).join(cells).rstrip() for cells in zip(*blocks, strict=True)]


def md(tables: Sequence[Table]) -> str:
    """Print tables for GitHub."""
    return "\n".join(one_md(table) for table in tables)


def one_md(table: Table) -> str:
    """Print one table for GitHub: the best in bold, the baseline in italics, footnotes as superscripts."""
    shown = columns(table)
    arrow = " ↑" if table.higher_is_better else " ↓"
    header, rule = [], []
    for column in shown:
        power = f" / 1e{column.exponent}" if column.exponent else ""
        header.append(guarded(column.header + power) + (arrow if column.name == "mean" else ""))
        rule.append(":--" if column.name in LEFT else "--:")
    lines = [header, rule]
    for index, row in enumerate(table.rows):
        cells = []
        for column in shown:
            cell = column.cells[index]
            if column.name == "activation":
                cell = code(cell) + (f" <sup>{row.superscript}</sup>" if row.marks else "")
            elif column.name == "mean" and row.best and cell:
                cell = f"**{cell}**"
            elif column.name == "versus":
                cell = f"*{cell}*" if row.is_baseline and cell else cell + (r" \*" if row.significant else "")
            cells.append(cell or "—")
        lines.append(cells)
    told = guarded(" ".join(sentences(table, best="Bold", significant="*")))
    notes = [f"<sup>{number}</sup> {guarded(note)}" for number, note in enumerate(table.footnotes, 1)]
    body = [f"| {' | '.join(cells)} |" for cells in lines]
    return "\n".join([f"**{guarded(table.title)}**", "", *body, "", "  \n".join([told, *notes]), ""])


def guarded(words: str) -> str:
    """Keep Markdown from reading words as its own."""
    return re.sub(r"([\\`*_{}\[\]<>|~#$])", r"\\\1", words)


def code(spec: str) -> str:
    """Print a spec as code; a table's cell ends at a bare ``|`` even there."""
    spec = spec.replace("|", r"\|")
    return f"`` {spec} ``" if "`" in spec else f"`{spec}`"


FORMATS = {"text": text, "md": md, "csv": csv, "latex": latex}
