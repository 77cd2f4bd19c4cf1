"""Tables for a terminal of any width: no digit is cut, and what does not fit beside the rest stands below it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from .caption import sentences
from .columns import Column, columns
from .rows import Table
from .view import View, names_of
from .wide import Wide
from .wide_columns import WideColumn, wide_columns, wide_sentences

LEFT = ("activation",)
BEST = "> "
NAME = 24
"""Characters that a wrapped name keeps at least."""


def one_text(table: Table, view: View) -> str:
    """Print one table, in the first of these ways that fits the width.

    1. Gaps of three spaces; 2. of two; 3. the last of the further metrics are left out, and the caption says which;
    4. headers and long names are broken into lines; 5. the last columns stand below, beside the activations once more.
    """
    picked = view.of(tuple(names_of(table).values()))
    shown = columns(table, picked)
    left_out: list[str] = []
    told = sentences(table, ">", "*", view.caption)
    gap = 3 if fits(table, shown, 3, view.width) else 2
    while not picked and not fits(table, shown, gap, view.width) and shown[-1].name.startswith("extra "):
        left_out.insert(0, shown.pop().header)
    if fits(table, shown, gap, view.width):
        lines = stacked([block(table, column) for column in shown], gap, view.width)
    else:
        lines = stacked([block(table, column, broken=True) for column in shown], gap, view.width)
    if left_out:
        told.append(f"Not shown for want of room: {', '.join(left_out)} (all are in the other formats).")
    return "\n".join([*textwrap.wrap(table.title, view.width), "", *lines, *below(told, table.footnotes, view), ""])


def fits(table: Table, shown: Sequence[Column], gap: int, width: int) -> bool:
    """Tell whether columns stand beside each other within a width."""
    return sum(longest(block(table, column)) for column in shown) + gap * (len(shown) - 1) <= width


def block(table: Table, column: Column, broken: bool = False) -> list[str]:
    """Align a column: its header in a line, or in two, and a cell a row."""
    best = BEST if any(row.best for row in table.rows) else ""
    cells = list(column.cells)
    if column.name == "activation":
        cells = [
            (BEST if row.best else " " * len(best)) + cell + (f" ({row.superscript})" if row.marks else "")
            for row, cell in zip(table.rows, cells, strict=True)
        ]
    elif column.name == "vs" and any(row.significant for row in table.rows):
        cells = [cell + ("*" if row.significant else " ") for row, cell in zip(table.rows, cells, strict=True)]
    elif column.name == "step" and any(cell.endswith("!") for cell in cells):  # the mark hangs out to the right
        cells = [cell if cell.endswith("!") or not cell else f"{cell} " for cell in cells]
    header = column.header + (f" / 1e{column.exponent}" if column.exponent else "")
    lead = " " * len(best) if column.name == "activation" else ""
    heads = halved(header) if broken else [header]
    lines = [*(lead + head for head in heads), *(cell if cell.strip() else "-" for cell in cells)]
    wide = longest(lines)
    return [line.ljust(wide) if column.name in LEFT else line.rjust(wide) for line in lines]


def halved(header: str) -> list[str]:
    """Break a header into two lines, where the longer one is shortest."""
    words = header.split(" ")
    ways = [(" ".join(words[:k]), " ".join(words[k:])) for k in range(len(words))]
    return list(min(ways, key=lambda way: max(map(len, way))))


def stacked(blocks: Sequence[Sequence[str]], gap: int, width: int) -> list[str]:
    """Put blocks beside the first one, the names; those that do not fit stand below, beside the names once more.

    Long names are broken into lines if that is needed, at brackets, commas and spaces.

    Args:
        blocks: columns, aligned, with their headers, a line a row.
        gap: spaces between blocks.
        width: of the whole.
    """
    first, others = list(blocks[0]), [list(one) for one in blocks[1:]]
    whole = longest(first) + sum(gap + longest(one) for one in others)
    if whole > width:
        limit = max(NAME, longest(first) - (whole - width))
        first, others = wrapped(first, others, limit)
    parts = [first]
    for one in others:
        longer = [f"{line}{' ' * gap}{cell}" for line, cell in zip(parts[-1], one, strict=True)]
        if longest(longer) > width and parts[-1] is not first:
            longer = [f"{line}{' ' * gap}{cell}" for line, cell in zip(first, one, strict=True)]
            parts.append(longer)
        else:
            parts[-1] = longer
    lines = []
    for part in parts:
        empty = not part[0].strip()  # the upper line of headers of which none has two
        lines += ["", *(line.rstrip() for line in (part[1:] if empty else part))]
    return lines[1:]


def wrapped(names: Sequence[str], others: Sequence[Sequence[str]], limit: int) -> tuple[list[str], list[list[str]]]:
    """Break names into lines of a length, and put blank lines into the other blocks below each that was broken."""
    tall = [broken(name.rstrip(), limit) for name in names]
    wide = max(longest(lines) for lines in tall)
    blank = [
        [line for cell, lines in zip(one, tall, strict=True) for line in (cell, *[" " * len(cell)] * (len(lines) - 1))]
        for one in others
    ]
    return [line.ljust(wide) for lines in tall for line in lines], blank


def broken(name: str, limit: int) -> list[str]:
    """Break a name after brackets, commas and spaces, or anywhere if there are none; further lines are indented.

    >>> broken("ditac[a=-3.0,b=3.0,cells=20]", 20)
    ['ditac[a=-3.0,b=3.0,', '    cells=20]']
    """
    indent = " " * (len(name) - len(name.lstrip(" >")) + 4)
    lines, line = [], ""
    for piece in re.findall(r"[^\[,\s]*[\[,\s]|[^\[,\s]+", name):
        if line.strip() and len(line) + len(piece.rstrip()) > limit:
            lines.append(line.rstrip())
            line = indent
        line += piece
        while len(line.rstrip()) > limit:
            lines.append(line[:limit])
            line = indent + line[limit:]
    return [*lines, line.rstrip()]


def below(told: Sequence[str], footnotes: Sequence[str], view: View) -> list[str]:
    """Break the caption and the footnotes into lines, after an empty one."""
    notes = [f"({number}) {note}" for number, note in enumerate(footnotes, 1)]
    found = []
    for words in (" ".join(told), *notes):
        kept = re.sub(r"(?<=\d) (?=%)", "\xa0", words)  # a number and its unit stay on one line
        found += textwrap.wrap(kept, view.width, break_on_hyphens=False)
    return ["", *(line.replace("\xa0", " ") for line in found)] if found else []


def longest(lines: Sequence[str]) -> int:
    """Return the length of the longest line."""
    return max(map(len, lines), default=0)


def wide_text(wide: Wide, view: View) -> str:
    """Print a wide table; columns that do not fit stand below, beside the activations once more."""
    names = ["activation", "", *(wide.name(row.activation) for row in wide.rows)]
    shown = wide_columns(wide, view.of((*wide.names, "rank")))
    blocks = [[name.ljust(longest(names)) for name in names], *map(wide_block, shown)]
    told = wide_sentences(wide, ">", "+/-", view.caption)
    lines = stacked(blocks, 3, view.width)
    return "\n".join([*textwrap.wrap(wide.title, view.width), "", *lines, *below(told, wide.footnotes, view), ""])


def wide_block(column: WideColumn) -> list[str]:
    """Align a column of a wide table: means below means, half-widths below half-widths, marks below marks."""
    best = BEST if any(cell.best for cell in column.cells) else ""
    ends = [f" {cell.half_width}" if "[" in cell.half_width else f" +/- {cell.half_width}" for cell in column.cells]
    wide = longest([end for end, cell in zip(ends, column.cells, strict=True) if cell.half_width])
    means = []
    for cell, end in zip(column.cells, ends, strict=True):
        if cell.half_width:
            inner = end.removeprefix(" +/- ")
            spread = f" +/- {inner.rjust(wide - 5)}" if "[" not in end else end.ljust(wide)
        else:
            spread = " " * wide
        means.append((BEST if cell.best else "") + (cell.mean or "-") + spread)
    marks = [f" ({cell.superscript})" if cell.marks else "" for cell in column.cells]
    cells = [mean.rjust(longest(means)) + mark.ljust(longest(marks)) for mean, mark in zip(means, marks, strict=True)]
    power = f" / 1e{column.exponent}" if column.exponent else ""
    lines = [" " * len(best) + column.name, " " * len(best) + column.below + power, *cells]
    return [line.rjust(longest(lines)) for line in lines]
