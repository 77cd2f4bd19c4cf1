r"""Tables as LaTeX with booktabs: a file that compiles as it stands, and that a paper can ``\input``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from .caption import sentences
from .columns import Column, columns
from .cost_table import CostTable, cost_latex
from .members import spec_of
from .rows import Row, Table
from .view import PLAIN, View, names_of
from .wide import Wide
from .wide_columns import wide_columns, wide_sentences

# \@nodocument is \relax once a document has begun: then the preamble is skipped, and so is the end.
HEAD = r"""% Compiles as it stands (pdflatex FILE); a document with \usepackage{booktabs} can \input it
% (with graphicx too, what is wider than the page is scaled down to it).
\expandafter\ifx\csname @nodocument\endcsname\relax
  \let\afbenchend\relax
\else
  \documentclass{article}
  \usepackage[margin=2cm]{geometry}
  \usepackage{booktabs,graphicx}
  \def\afbenchend{\end{document}}
  \begin{document}
\fi
"""
BREAK = r"\allowbreak{}"
CHARACTER, GAP, PAGE, NARROWEST = 4.3, 6.0, 340.0, 75.0
"""Points of a character in footnotesize, between columns, of a page of one column, and of names at least."""
TAIL = "\\afbenchend\n"
SPECIAL = {
    "\\": r"\textbackslash{}",
    "±": r"$\pm$",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    '"': r"{\char34}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}
GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi chi psi omega"
GREEK_CAPITALS = "Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"


def latex(tables: Sequence[Table | Wide | CostTable], view: View = PLAIN) -> str:
    """Print tables as one LaTeX file, a ``table*`` environment for each: too wide for one column of two.

    Long names are broken into lines, so that a table fits the page.
    """
    made = [
        wide_latex(table, number, view)
        if isinstance(table, Wide)
        else cost_latex(table, number, view.caption)
        if isinstance(table, CostTable)
        else one_latex(table, number, view)
        for number, table in enumerate(tables, 1)
    ]
    return HEAD + "\n".join(made) + TAIL


def one_latex(table: Table, number: int, view: View) -> str:
    """Print one ``table*`` environment: the best in bold, the baseline in italics, footnotes as superscripts."""
    shown = columns(table, view.of(tuple(names_of(table).values())))
    header = [head(table, column) for column in shown]
    body = [[cell(table, row, column, index) for column in shown] for index, row in enumerate(table.rows)]
    told = sentences(table, "Bold", "*", view.caption)
    letters = "".join("l" if column.name == "activation" else "r" for column in shown)
    label = named(table.group.task, number)
    return environment(table.title, told, label, letters, [header], body, table.footnotes)


def wide_latex(wide: Wide, number: int, view: View) -> str:
    """Print a wide table as a ``table*`` environment: the best of each task in bold, footnotes as superscripts."""
    shown = wide_columns(wide, view.of((*wide.names, "rank")))
    below = []
    for column in shown:
        power = f" / $10^{{{column.exponent}}}$" if column.exponent else ""
        arrow = "" if column.higher is None else r" $\uparrow$" if column.higher else r" $\downarrow$"
        below.append(escape(column.below) + power + arrow)
    body = []
    for index, row in enumerate(wide.rows):
        cells = [label(row.activation, wide.labels)]
        for one in (column.cells[index] for column in shown):
            words = numbers(one.joined("±")).replace("±", r"$\pm$") or "--"
            marks = rf"\rlap{{\textsuperscript{{{one.superscript}}}}}" if one.marks else ""
            cells.append((rf"\textbf{{{words}}}" if one.best else words) + marks)
        body.append(cells)
    header = [["activation", *(escape(column.name) for column in shown)], ["", *below]]
    told = wide_sentences(wide, "Bold", "±", view.caption)
    return environment(wide.title, told, named("tasks", number), "l" + "r" * len(shown), header, body, wide.footnotes)


def named(task: str, number: int) -> str:
    """Name a table for references."""
    return re.sub(r"[^A-Za-z0-9]+", "-", task) + (f"-{number}" if number > 1 else "")


def environment(
    title: str,
    told: Sequence[str],
    label: str,
    letters: str,
    header: Sequence[Sequence[str]],
    body: Sequence[Sequence[str]],
    footnotes: Sequence[str],
) -> str:
    """Put a ``table*`` environment together; header and body are printed already, the words are not."""
    letters, body = fitted(letters, header, body)
    words = f"{escape(title)}. {' '.join(escape(sentence) for sentence in told)}".strip()
    notes = [rf"\textsuperscript{{{n}}} {escape(note)}." for n, note in enumerate(footnotes, 1)]
    below = [r"\par\smallskip\begin{minipage}{\linewidth}\footnotesize", "\\par\n".join(notes), r"\end{minipage}"]
    return "\n".join(
        [
            r"\begin{table*}[tbp]",
            r"\centering\footnotesize\setlength{\tabcolsep}{3pt}",
            rf"\caption[{{{escape(title)}}}]{{{words}}}",
            rf"\label{{tab:{label}}}",
            r"\smallskip",
            r"\setbox0\hbox{%",
            rf"\begin{{tabular}}{{@{{}}{letters}@{{}}}}",
            r"\toprule",
            *(" & ".join(cells) + r" \\" for cells in header),
            r"\midrule",
            *(" & ".join(cells) + r" \\" for cells in body),
            r"\bottomrule",
            r"\end{tabular}}%",
            r"\leavevmode\ifdim\wd0>\linewidth\ifx\resizebox\undefined\box0\else\resizebox{\linewidth}{!}{\box0}\fi\else\box0\fi",
            *(below if notes else ()),
            r"\end{table*}",
            "",
        ]
    )


def head(table: Table, column: Column) -> str:
    """Print a column's header, with the metric's direction as an arrow."""
    words = escape(column.header)
    if column.exponent:
        words += f" / $10^{{{column.exponent}}}$"
    if column.name == "mean":
        words += r" $\uparrow$" if table.higher_is_better else r" $\downarrow$"
    return words


def cell(table: Table, row: Row, column: Column, index: int) -> str:
    """Print one cell of a row."""
    words = column.cells[index]
    if column.name == "activation":
        marks = rf"\textsuperscript{{{row.superscript}}}" if row.marks else ""
        return label(row.activation, table.names) + marks
    if not words:
        return "--"
    if column.name == "vs" and row.is_baseline:
        return rf"\textit{{{words}}}"
    printed = numbers(words)
    if column.name == "mean" and row.best:
        return rf"\textbf{{{printed}}}"
    return printed + (r"\rlap{$^{*}$}" if column.name == "vs" and row.significant else "")


def label(activation: str, names: Mapping[str, str]) -> str:
    """Print an activation: its spec as code that may be broken into lines, or the name that it is given."""
    spec = spec_of(activation)
    pieces = re.split(r"(?<=[\[,.:=])(?=.)", spec)
    printed = escape(names[spec]) if spec in names else rf"\texttt{{{BREAK.join(map(escape, pieces))}}}"
    return printed + escape(activation.removeprefix(spec))


def points(cell: str) -> float:
    """Estimate the width of a printed cell in points."""
    words = re.sub(r"\\rlap\{\$[^$]*\$\}|\\(allowbreak|text\w+|times|pm|cdot|sim)\b\{?|[\\{}$]", "", cell)
    return CHARACTER * len(words)


def fitted(letters: str, header: Sequence[Sequence[str]], body: Sequence[Sequence[str]]) -> tuple[str, list[list[str]]]:
    """Give the names a column of limited width if the table would be wider than a page of one column."""
    rows = [*header[-1:], *body]
    widths = [max(map(points, cells)) + GAP for cells in zip(*rows, strict=True)]
    room = max(PAGE - sum(widths[1:]), NARROWEST)
    if widths[0] <= room:
        return letters, [list(cells) for cells in body]
    broken = [[rf"\raggedright\hangindent=1em {cells[0]}", *cells[1:]] for cells in body]
    return rf"p{{{room:.0f}pt}}{letters[1:]}", broken


def numbers(words: str) -> str:
    """Print numbers: true minus and plus signs, powers of ten, the times sign of a ratio."""
    words = re.sub(r"([+-]?[\d.]+)e([+-]\d+)", lambda m: rf"{m[1]}$\cdot10^{{{int(m[2])}}}$", words)
    words = re.sub(r"(?<![\d^{])([+-])(?=\d)", r"$\1$", words)
    return re.sub(r"(?<=\d)x\b", r"$\\times$", words)


def escape(words: str) -> str:
    """Print words as they are: no sign of theirs is read as a command or a ligature, none is unknown to pdflatex."""
    printed = "".join(
        SPECIAL.get(sign) or (sign if sign.isascii() and sign.isprintable() else foreign(sign)) for sign in words
    )
    printed = re.sub(r"([-`',])(?=\1)", r"\1{}", printed)
    return re.sub(r"(?<=\d) (?=\\%)", "~", printed)  # a number and its unit stay on one line


def foreign(sign: str) -> str:
    """Print a sign beyond ASCII: Greek as mathematics, accented letters as they are, others as near as can be."""
    name = unicodedata.name(sign, "")
    letter = name.rpartition(" ")[2].replace("LAMDA", "LAMBDA").lower()
    if name.startswith("GREEK SMALL LETTER") and letter in GREEK.split():
        return rf"$\{letter}$"
    if name.startswith("GREEK CAPITAL LETTER") and letter.capitalize() in GREEK_CAPITALS.split():
        return rf"$\{letter.capitalize()}$"
    if "À" <= sign <= "ÿ" and sign.isalpha() and sign not in "ÐðÞþ":  # those four need another font encoding
        return sign
    near = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    return "".join(SPECIAL.get(one, one) for one in near if one.isprintable()) or "?"
