"""Tables for a terminal of any width: no digit is cut, and what does not fit beside the rest stands below it."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Sequence

from ..grid import BOLD, Cell, Column, Grid

ENDING = "txt"
BEST = "> "
NARROWEST = 40
NAME = 24
"""Characters that a wrapped name keeps at least."""


def render(grids: Sequence[Grid], width: int) -> str:
    """Print grids within a width."""
    return "\n".join(page(grid, max(width, NARROWEST)) for grid in grids)


def page(grid: Grid, width: int) -> str:
    """Print one grid, in the first of these ways that fits the width.

    1. Gaps of three spaces; 2. of two, unless there are groups of columns; 3. the last optional columns are left out,
    and the caption names them; 4. headers and long names are broken into lines; 5. the last columns stand below,
    with the names repeated.
    """
    left_out: list[str] = []
    cells = list(zip(*grid.rows, strict=True)) or [()] * len(grid.columns)
    columns: list[tuple[Column, Sequence[Cell]]] = list(zip(grid.columns, cells, strict=True))
    gap = 3 if any(column.above for column in grid.columns) or fits(blocks(columns), 3, width) else 2
    while columns[-1][0].optional and not fits(blocks(columns), gap, width):
        left_out.insert(0, columns.pop()[0].header)
    whole = blocks(columns)
    lines = stacked(whole if fits(whole, gap, width) else blocks(columns, broken=True), gap, width)
    sentences = grid.sentences
    if left_out:
        names = ", ".join(left_out)
        sentences.append(f"Not shown, because the terminal is too narrow: {names}. Other formats show all columns.")
    notes = [f"Note: {note}." for note in grid.notes]
    footnotes = [f"({number}) {note}" for number, note in enumerate(grid.footnotes, 1)]
    below = [line for words in (" ".join(map(plain, sentences)), *notes, *footnotes) for line in wrap(words, width)]
    return "\n".join([*textwrap.wrap(grid.title, width), "", *lines, *(["", *below] if below else []), ""])


def plain(sentence: str) -> str:
    """Spell a sentence of a caption in ASCII, and name the mark of the best as texts show it."""
    sentence = f">:{sentence.removeprefix(BOLD)}" if sentence.startswith(BOLD) else sentence
    return sentence.replace(" ± ", " +/- ").replace("±", "+-")


def wrap(words: str, width: int) -> list[str]:
    """Break words into lines; a number and its unit stay on one line."""
    kept = re.sub(r"(?<=\d) (?=%)", "\xa0", words)
    return [line.replace("\xa0", " ") for line in textwrap.wrap(kept, width, break_on_hyphens=False)]


def fits(blocks: Sequence[Sequence[str]], gap: int, width: int) -> bool:
    """Tell whether blocks stand beside each other within a width."""
    return sum(map(longest, blocks)) + gap * (len(blocks) - 1) <= width


def blocks(columns: Sequence[tuple[Column, Sequence[Cell]]], broken: bool = False) -> list[list[str]]:
    """Align columns, a line a row below one or two of headers; a group of columns is one block below its name."""
    two = any(column.above for column, _ in columns)
    named = any(cell.best for cell in columns[0][1])  # then > stands before the names of rows, not before numbers
    made = []
    for above, group in itertools.groupby(enumerate(columns), lambda item: item[1][0].above or item[0]):
        members = [column for _, column in group]
        several = len(members) > 1
        aligned = []
        for column, cells in members:
            header = column.header + (f" / 1e{column.exponent}" if column.exponent else "")
            heads = [header] if several or not (two or broken) else [column.above, header] if two else halved(header)
            aligned.append(names(heads, cells) if column is columns[0][0] else numbers(heads, cells, not named))
        lines = ["  ".join(parts) for parts in zip(*aligned, strict=True)]
        lines = [str(above), *lines] if several else lines
        made.append([line.ljust(longest(lines)) for line in lines])
    return made


def names(heads: Sequence[str], cells: Sequence[Cell]) -> list[str]:
    """Align the names of rows to the left, the best behind their mark."""
    room = len(BEST) if any(cell.best for cell in cells) else 0
    marks = [f" ({cell.superscript})" if cell.marks else "" for cell in cells]
    labels = [cell.text + cell.suffix + mark for cell, mark in zip(cells, marks, strict=True)]
    lead = [BEST if cell.best else " " * room for cell in cells]
    lines = [*(" " * room + head for head in heads), *map("".join, zip(lead, labels, strict=True))]
    return [line.ljust(longest(lines)) for line in lines]


def numbers(heads: Sequence[str], cells: Sequence[Cell], starred: bool) -> list[str]:
    """Align numbers to the right: means below means, spreads below spreads; the marks after them hang out."""
    spreads = [f" {cell.spread}" if "[" in cell.spread else f" +/- {cell.spread}" * bool(cell.spread) for cell in cells]
    wide = longest(spreads)
    means = []
    for cell, spread in zip(cells, spreads, strict=True):
        if spread.startswith(" +/- "):
            spread = f" +/- {cell.spread.rjust(wide - 5)}"
        number = cell.text.rstrip("!").replace("±", "+-") or "-"
        means.append((BEST if cell.best and starred else "") + number + spread.ljust(wide))
    hung = ["!" * cell.text.endswith("!") + "*" * cell.significant for cell in cells]
    marks = [f" ({cell.superscript})" if cell.marks else "" for cell in cells]
    tails = [sign.ljust(longest(hung)) + mark.ljust(longest(marks)) for sign, mark in zip(hung, marks, strict=True)]
    lead = " " * len(BEST) * (starred and any(cell.best for cell in cells))
    lines = [lead + head + " " * longest(hung) for head in heads]
    lines += [mean.rjust(longest(means)) + tail for mean, tail in zip(means, tails, strict=True)]
    return [line.rjust(longest(lines)) for line in lines]


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
    first, others = list(blocks[0]), [list(block) for block in blocks[1:]]
    whole = longest(first) + sum(gap + longest(block) for block in others)
    if whole > width:
        limit = max(NAME, longest(first) - (whole - width))
        first, others = wrapped(first, others, limit)
    parts = [first]
    for block in others:
        longer = [f"{line}{' ' * gap}{cell}" for line, cell in zip(parts[-1], block, strict=True)]
        if longest(longer) > width and parts[-1] is not first:
            longer = [f"{line}{' ' * gap}{cell}" for line, cell in zip(first, block, strict=True)]
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
        [
            line
            for cell, lines in zip(block, tall, strict=True)
            for line in (cell, *[" " * len(cell)] * (len(lines) - 1))
        ]
        for block in others
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


def longest(lines: Sequence[str]) -> int:
    """Return the length of the longest line."""
    return max(map(len, lines), default=0)
