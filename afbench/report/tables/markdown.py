"""Tables in Markdown, as GitHub shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .caption import sentences
from .columns import columns
from .cost_table import CostTable, cost_md
from .members import spec_of
from .rows import Table
from .view import PLAIN, View, names_of
from .wide import Wide
from .wide_columns import wide_columns, wide_sentences


def md(tables: Sequence[Table | Wide | CostTable], view: View = PLAIN) -> str:
    """Print tables for GitHub."""
    return "\n".join(
        wide_md(table, view)
        if isinstance(table, Wide)
        else cost_md(table, view.caption)
        if isinstance(table, CostTable)
        else one_md(table, view)
        for table in tables
    )


def one_md(table: Table, view: View) -> str:
    """Print one table for GitHub: the best in bold, the baseline in italics, footnotes as superscripts."""
    shown = columns(table, view.of(tuple(names_of(table).values())))
    arrow = " ↑" if table.higher_is_better else " ↓"
    header, rule = [], []
    for column in shown:
        power = f" / 1e{column.exponent}" if column.exponent else ""
        header.append(guarded(column.header + power) + (arrow if column.name == "mean" else ""))
        rule.append(":--" if column.name == "activation" else "--:")
    lines = [header, rule]
    for index, row in enumerate(table.rows):
        cells = []
        for column in shown:
            cell = column.cells[index]
            if column.name == "activation":
                cell = label(row.activation, table.names) + (f" <sup>{row.superscript}</sup>" if row.marks else "")
            elif column.name == "mean" and row.best and cell:
                cell = f"**{cell}**"
            elif column.name == "vs":
                cell = f"*{cell}*" if row.is_baseline and cell else cell + (r" \*" if row.significant else "")
            cells.append(cell or "—")
        lines.append(cells)
    return assembled(table.title, lines, sentences(table, "Bold", "*", view.caption), table.footnotes)


def wide_md(wide: Wide, view: View) -> str:
    """Print a wide table for GitHub: the best of each task in bold, footnotes as superscripts."""
    shown = wide_columns(wide, view.of((*wide.names, "rank")))
    header, rule = ["activation"], [":--"]
    for column in shown:
        power = f" / 1e{column.exponent}" if column.exponent else ""
        arrow = "" if column.higher is None else " ↑" if column.higher else " ↓"
        header.append(f"{guarded(column.name)}<br>{guarded(column.below + power)}{arrow}")
        rule.append("--:")
    lines = [header, rule]
    for index, row in enumerate(wide.rows):
        cells = [label(row.activation, wide.labels)]
        for cell in (column.cells[index] for column in shown):
            words = cell.joined("±") or "—"
            marks = f" <sup>{cell.superscript}</sup>" if cell.marks else ""
            cells.append((f"**{words}**" if cell.best else words) + marks)
        lines.append(cells)
    return assembled(wide.title, lines, wide_sentences(wide, "Bold", "±", view.caption), wide.footnotes)


def assembled(title: str, lines: Sequence[Sequence[str]], told: Sequence[str], footnotes: Sequence[str]) -> str:
    """Put title, rows, caption and footnotes together."""
    notes = [f"<sup>{number}</sup> {guarded(note)}" for number, note in enumerate(footnotes, 1)]
    body = [f"| {' | '.join(cells)} |" for cells in lines]
    below = [*([guarded(" ".join(told))] if told else []), *notes]
    return "\n".join([f"**{guarded(title)}**", "", *body, "", *(["  \n".join(below), ""] if below else [])])


def guarded(words: str) -> str:
    """Keep Markdown from reading words as its own."""
    return re.sub(r"([\\`*_{}\[\]<>|~#$])", r"\\\1", words)


def label(activation: str, names: Mapping[str, str]) -> str:
    """Print an activation: its spec as code, or the name that it is given."""
    spec = spec_of(activation)
    return (guarded(names[spec]) if spec in names else code(spec)) + guarded(activation.removeprefix(spec))


def code(spec: str) -> str:
    """Print a spec as code; a table's cell ends at a bare ``|`` even there."""
    spec = spec.replace("|", r"\|")
    return f"`` {spec} ``" if "`" in spec else f"`{spec}`"
