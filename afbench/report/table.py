"""Tables in five formats: text for a terminal, Markdown, CSV with every digit, LaTeX and HTML that stand alone."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from ..errors import UsageError, did_you_mean
from .caption import sentences
from .columns import Column, columns
from .cost_table import CostTable, cost_text
from .flat import csv
from .html import html
from .latex import latex
from .markdown import md
from .rows import Table
from .wide import Wide
from .wide_columns import WideColumn, wide_columns, wide_sentences

WIDTH = 110
LEFT = ("activation",)
BEST = "> "


def render(tables: Table | Wide | CostTable | Sequence[Table | Wide | CostTable], format: str = "text") -> str:
    r"""Print tables in a format.

    Args:
        tables: one or several, wide ones and costs too.
        format: ``text`` (ASCII but for what users wrote, 110 columns wide), ``md`` (GitHub), ``csv`` (one header, one
            row an activation, every number unrounded), ``latex`` (booktabs; compiles alone, and can be ``\input``),
            ``html`` (one file that needs no other).

    Raises:
        UsageError: for another format, or for wide tables or costs beside others in one CSV, which has one header.
    """
    if format not in FORMATS:
        raise UsageError(
            f"unknown format {format!r}{did_you_mean(format, FORMATS)}; the formats are {', '.join(FORMATS)}"
        )
    return FORMATS[format]([tables] if isinstance(tables, Table | Wide | CostTable) else list(tables))


def text(tables: Sequence[Table | Wide | CostTable]) -> str:
    """Print tables for a terminal; extra metrics are left out where they do not fit, and the caption says so."""
    return "\n".join(
        wide_text(table)
        if isinstance(table, Wide)
        else cost_text(table)
        if isinstance(table, CostTable)
        else one_text(table)
        for table in tables
    )


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
    return "\n".join([table.title, "", *lines, "", *below(told, table.footnotes), ""])


def below(told: Sequence[str], footnotes: Sequence[str]) -> list[str]:
    """Break the caption and the footnotes into lines."""
    notes = [f"({number}) {note}" for number, note in enumerate(footnotes, 1)]
    return [line for one in (" ".join(told), *notes) for line in textwrap.wrap(one, WIDTH, break_on_hyphens=False)]


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


def wide_text(wide: Wide) -> str:
    """Print a wide table for a terminal; columns that do not fit stand below, beside the activations once more."""
    names = ["activation", "", *(row.activation for row in wide.rows)]
    first = [name.ljust(width(names)) for name in names]
    parts = [first]
    for block in map(wide_block, wide_columns(wide)):
        longer = [f"{line}   {cell}" for line, cell in zip(parts[-1], block, strict=True)]
        if width(longer) > WIDTH and parts[-1] is not first:
            parts.append([f"{line}   {cell}" for line, cell in zip(first, block, strict=True)])
        else:
            parts[-1] = longer
    lines = [line for part in parts for line in ("", *(line.rstrip() for line in part))]
    return "\n".join(
        [*textwrap.wrap(wide.title, WIDTH), *lines, "", *below(wide_sentences(wide, ">", "+/-"), wide.footnotes), ""]
    )


def wide_block(column: WideColumn) -> list[str]:
    """Align a column of a wide table: means below means, half-widths below half-widths, marks below marks."""
    best = BEST if any(cell.best for cell in column.cells) else ""
    wide = width([cell.half_width for cell in column.cells])
    means = [
        (BEST if cell.best else "") + (cell.mean or "-") + (f" +/- {cell.half_width.rjust(wide)}" if wide else "")
        if cell.half_width
        else (cell.mean or "-") + " " * (wide + 5 if wide else 0)
        for cell in column.cells
    ]
    marks = [f" ({cell.superscript})" if cell.marks else "" for cell in column.cells]
    cells = [mean.rjust(width(means)) + mark.ljust(width(marks)) for mean, mark in zip(means, marks, strict=True)]
    power = f" / 1e{column.exponent}" if column.exponent else ""
    block = [" " * len(best) + column.name, " " * len(best) + column.below + power, *cells]
    return [cell.rjust(width(block)) for cell in block]


FORMATS = {"text": text, "md": md, "csv": csv, "latex": latex, "html": html}
