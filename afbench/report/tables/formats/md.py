"""Tables in Markdown, as GitHub shows them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..grid import Cell, Column, Grid

ENDING = "md"


def render(grids: Sequence[Grid], width: int) -> str:
    """Print grids: the best in bold, words in italics, footnotes as superscripts."""
    return "\n".join(map(page, grids))


def page(grid: Grid) -> str:
    """Print one grid."""
    rows = [[*map(heading, grid.columns)], [":--", *("--:" for _ in grid.columns[1:])]]
    for index, column in enumerate(grid.columns):  # a group of several columns is named in each of their headers
        if column.above and sum(other.above == column.above for other in grid.columns) > 1:
            rows[0][index] = guarded(f"{column.above}: {column.header}")
    rows += [[*map(printed, cells)] for cells in grid.rows]
    caption = [guarded(" ".join(grid.sentences))] if grid.sentences else []
    footnotes = [f"<sup>{number}</sup> {guarded(note)}" for number, note in enumerate(grid.footnotes, 1)]
    below = [*caption, *(guarded(f"Note: {note}.") for note in grid.notes), *footnotes]
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join([f"**{guarded(grid.title)}**", "", *lines, "", *(["  \n".join(below), ""] if below else [])])


def heading(column: Column) -> str:
    """Print a header, with an arrow for the metric's direction."""
    arrow = "" if column.higher is None else " ↑" if column.higher else " ↓"
    power = f" / 1e{column.exponent}" if column.exponent else ""
    return "<br>".join(guarded(part) for part in (column.above, column.header + power) if part) + arrow


def printed(cell: Cell) -> str:
    """Print a cell."""
    marks = f" <sup>{cell.superscript}</sup>" if cell.marks else ""
    words = cell.joined() or "—"
    if cell.role in ("code", "name"):
        return (code(words) if cell.role == "code" else guarded(words)) + guarded(cell.suffix) + marks
    if cell.role == "word":
        return f"*{words}*{marks}"
    return (f"**{words}**" if cell.best else words) + (r" \*" if cell.significant else "") + marks


def guarded(words: str) -> str:
    """Keep Markdown from reading words as its own."""
    return re.sub(r"([\\`*_{}\[\]<>|~#$])", r"\\\1", words)


def code(spec: str) -> str:
    """Print a spec as code; a table's cell ends at a bare ``|`` even there."""
    spec = spec.replace("|", r"\|")
    return f"`` {spec} ``" if "`" in spec else f"`{spec}`"
