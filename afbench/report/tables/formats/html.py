"""Tables as one HTML file that needs no other: no script, no font, nothing from the network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files

from ..grid import Cell, Column, Grid

ENDING = "html"
# What the browser is told to refuse would only come from a mistake here: words of users are escaped, not trusted.
HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
"""
TAIL = "</main>\n</body>\n</html>\n"


NOTHING = '<span class="none">–</span>'


def render(grids: Sequence[Grid], width: int) -> str:
    """Print grids as a page, light or dark as the reader's machine is; on a phone the tables scroll, not the page."""
    title = escape("; ".join(grid.title for grid in grids))
    style = files(__package__).joinpath("table.css").read_text(encoding="utf-8")
    return HEAD.format(title=title, style=style) + "".join(map(section, range(1, 1 + len(grids)), grids)) + TAIL


def section(number: int, grid: Grid) -> str:
    """Print one grid as a section with its caption and its footnotes below."""
    groups = [column.above for column in grid.columns]
    heads = [heading(column, grouped=groups.count(column.above) > 1) for column in grid.columns]
    body = []
    for first, *others in grid.rows:
        cells = "".join(f"<td>{printed(cell, number)}</td>" for cell in others)
        body.append(f'<tr><th scope="row">{printed(first, number)}</th>{cells}</tr>')
    head = "".join(f'<th scope="col">{head}</th>' for head in heads)
    caption = " ".join(grid.sentences)
    footnotes = [f'<li id="note-{number}-{n}">{escape(note)}.</li>' for n, note in enumerate(grid.footnotes, 1)]
    return "\n".join(
        [
            f'<section aria-labelledby="title-{number}">',
            f'<h2 id="title-{number}">{escape(grid.title)}</h2>',
            f'<div class="scroll" role="region" aria-labelledby="title-{number}" tabindex="0">',
            "<table>",
            f"<thead><tr>{head}</tr></thead>",
            "<tbody>",
            *body,
            "</tbody>",
            "</table>",
            "</div>",
            *([f"<p>{escape(caption)}</p>"] if caption else []),
            *(f"<p>Note: {escape(note)}.</p>" for note in grid.notes),
            *(["<ol>", *footnotes, "</ol>"] if footnotes else []),
            "</section>",
            "",
        ]
    )


def heading(column: Column, grouped: bool) -> str:
    """Print a header; an arrow shows the metric's direction, and a screen reader reads it in words."""
    power = f" / 10<sup>{signed(str(column.exponent))}</sup>" if column.exponent else ""
    sign, words = ("↑", "higher is better") if column.higher else ("↓", "lower is better")
    below = escape(column.header) + power
    below += "" if column.higher is None else f' <abbr title="{words}">{sign}</abbr>'
    if not column.above or not column.header:
        return escape(column.above) + below
    return f"{escape(column.above)}: {below}" if grouped else f"{escape(column.above)}<br><small>{below}</small>"


def printed(cell: Cell, number: int) -> str:
    """Print a cell of the table of this number, with links to its footnotes and its failed trials as words."""
    if cell.role in ("code", "name"):
        words = (code(cell.text) if cell.role == "code" else escape(cell.text)) + escape(cell.suffix)
    elif cell.role == "word":
        words = f"<em>{escape(cell.text)}</em>"
    else:
        words = signed(escape(cell.text)) or NOTHING
        if cell.spread:
            sign = "" if cell.spread.startswith("[") else "± "
            words += f' <span class="half">{sign}{signed(escape(cell.spread))}</span>'
        words = f"<strong>{words}</strong>" if cell.best else words
        words += '<span class="star">*</span>' if cell.significant else ""
    links = [f'<a href="#note-{number}-{mark}">{mark}</a>' for mark in cell.marks]
    marks = f"<sup>{', '.join(links)}</sup>" if links else ""
    return words + marks + "".join(f' <span class="failed">{escape(failure)}</span>' for failure in cell.failures)


def code(spec: str) -> str:
    """Print a spec, which may be broken between its settings."""
    words = re.sub(r"([\[,])", r"\1<wbr>", escape(spec))
    return f"<code>{words}</code>"


def signed(words: str) -> str:
    """Print a hyphen before a digit as the minus sign that it is, and the times sign of a ratio."""
    return re.sub(r"(?<=\d)x\b", "×", re.sub(r"-(?=\d)", "−", words))
