"""Tables as one HTML file that needs no other: no script, no font, nothing from the network."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files

from .caption import sentences
from .columns import Column, columns
from .cost_table import CostTable, cost_html
from .footnotes import Failure
from .members import spec_of
from .rows import Row, Table
from .view import PLAIN, View, names_of
from .wide import Wide
from .wide_columns import WideCell, WideColumn, wide_columns, wide_sentences

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


def html(tables: Sequence[Table | Wide | CostTable], view: View = PLAIN) -> str:
    """Print tables as a page, light or dark as the reader's machine is; on a phone the tables scroll, not the page."""
    title = escape("; ".join(table.title for table in tables))
    style = files(__package__).joinpath("table.css").read_text(encoding="utf-8")
    made = [
        wide_html(table, number, view)
        if isinstance(table, Wide)
        else cost_html(table, number, view.caption)
        if isinstance(table, CostTable)
        else one_html(table, number, view)
        for number, table in enumerate(tables, 1)
    ]
    return HEAD.format(title=title, style=style) + "".join(made) + TAIL


def one_html(table: Table, number: int, view: View) -> str:
    """Print one table: the best in bold, the baseline in italics, failures as words beside the activation."""
    shown = columns(table, view.of(tuple(names_of(table).values())))
    header = [
        heading(one.header, "", one.exponent, table.higher_is_better if one.name == "mean" else None) for one in shown
    ]
    body = []
    for index, row in enumerate(table.rows):
        badge = "".join(badges(row.failures))
        first = f"{label(row.activation, table.names)}{notes_of(row.superscript, number)}{badge}"
        body.append([first, *(cell(row, column, index) for column in shown[1:])])
    told = sentences(table, "Bold", "*", view.caption)
    return section(number, table.title, header, body, told, table.footnotes)


def wide_html(wide: Wide, number: int, view: View) -> str:
    """Print a wide table: the best of each task in bold, failures as words below the task's number."""
    picked = view.of((*wide.names, "rank"))
    shown = wide_columns(wide, picked)
    header = [heading("activation"), *(heading(one.name, one.below, one.exponent, one.higher) for one in shown)]
    body = []
    for index, row in enumerate(wide.rows):
        cells = [label(row.activation, wide.labels)]
        by_task = dict(zip((*wide.names, "rank"), (*row.cells, None), strict=True))
        for column, name in zip(shown, picked or by_task, strict=True):
            task = by_task[name]
            badge = "".join(badges(task.failures)) if task else ""
            cells.append(wide_cell(column, column.cells[index], number) + badge)
        body.append(cells)
    return section(number, wide.title, header, body, wide_sentences(wide, "Bold", "±", view.caption), wide.footnotes)


def heading(words: str, below: str = "", exponent: int = 0, higher: bool | None = None) -> str:
    """Print a column's header; an arrow tells the metric's direction, in words for who hears the page."""
    power = f" / 10<sup>{signed(str(exponent))}</sup>" if exponent else ""
    sign, said = ("↑", "higher is better") if higher else ("↓", "lower is better")
    arrow = "" if higher is None else f' <abbr title="{said}">{sign}</abbr>'
    if not below:
        return escape(words) + power + arrow
    return f"{escape(words)}<br><small>{escape(below)}{power}{arrow}</small>"


def label(activation: str, names: Mapping[str, str]) -> str:
    """Print an activation: its spec as code, or the name that it is given."""
    spec = spec_of(activation)
    return (escape(names[spec]) if spec in names else code(spec)) + escape(activation.removeprefix(spec))


def code(spec: str) -> str:
    """Print a spec, which may be broken between its settings."""
    words = re.sub(r"([\[,])", r"\1<wbr>", escape(spec))
    return f"<code>{words}</code>"


def cell(row: Row, column: Column, index: int) -> str:
    """Print one cell of a row."""
    words = column.cells[index]
    if not words:
        return '<span class="none">–</span>'
    if column.name == "vs" and row.is_baseline:
        return f"<em>{escape(words)}</em>"
    printed = signed(escape(words))
    if column.name == "mean" and row.best:
        return f"<strong>{printed}</strong>"
    return printed + ('<span class="star">*</span>' if column.name == "vs" and row.significant else "")


def wide_cell(column: WideColumn, one: WideCell, number: int) -> str:
    """Print one cell of a wide table."""
    words = signed(escape(one.mean)) or '<span class="none">–</span>'
    if one.half_width:
        sign = "" if one.half_width.startswith("[") else "± "
        words += f' <span class="half">{sign}{signed(escape(one.half_width))}</span>'
    marked = f"<strong>{words}</strong>" if one.best else words
    return marked + notes_of(one.superscript, number)


def badges(failures: Sequence[Failure]) -> list[str]:
    """Print failures in a word or two each; a footnote says the rest."""
    return [f' <span class="failed">{one.count} {escape(one.status)}</span>' for one in failures]


def notes_of(marks: str, number: int) -> str:
    """Print the numbers of footnotes as links to them."""
    links = [f'<a href="#note-{number}-{mark}">{mark}</a>' for mark in marks.split(",") if mark]
    return f"<sup>{', '.join(links)}</sup>" if links else ""


def signed(words: str) -> str:
    """Print a hyphen before a digit as the minus sign that it is, and the times sign of a ratio."""
    return re.sub(r"(?<=\d)x\b", "×", re.sub(r"-(?=\d)", "−", words))


def section(
    number: int,
    title: str,
    header: Sequence[str],
    body: Sequence[Sequence[str]],
    told: Sequence[str],
    footnotes: Sequence[str],
) -> str:
    """Put a table together with its caption above and its footnotes below; header and body are printed already."""
    heads = "".join(f'<th scope="col">{one}</th>' for one in header)
    lines = []
    for first, *others in body:
        lines.append(f'<tr><th scope="row">{first}</th>{"".join(f"<td>{one}</td>" for one in others)}</tr>')
    notes = [f'<li id="note-{number}-{n}">{escape(note)}.</li>' for n, note in enumerate(footnotes, 1)]
    return "\n".join(
        [
            f'<section aria-labelledby="title-{number}">',
            f'<h2 id="title-{number}">{escape(title)}</h2>',
            f'<div class="scroll" role="region" aria-labelledby="title-{number}" tabindex="0">',
            "<table>",
            f"<thead><tr>{heads}</tr></thead>",
            "<tbody>",
            *lines,
            "</tbody>",
            "</table>",
            "</div>",
            *([f"<p>{escape(' '.join(told))}</p>"] if told else []),
            *(["<ol>", *notes, "</ol>"] if notes else []),
            "</section>",
            "",
        ]
    )
