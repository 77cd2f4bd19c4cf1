r"""Tables as LaTeX with booktabs: a file that compiles as it stands, and that a paper can ``\input``."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Sequence

from ....version import __version__
from ..grid import Cell, Column, Grid

ENDING = "tex"
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


def render(grids: Sequence[Grid], width: int) -> str:
    """Print grids as one LaTeX file, a ``table*`` environment for each: too wide for one column of two."""
    return HEAD + "\n".join(map(environment, range(1, 1 + len(grids)), grids)) + TAIL


def environment(number: int, grid: Grid) -> str:
    """Print one grid as a ``table*`` environment: the best in bold, words in italics, footnotes as superscripts.

    Long names are broken into lines, so that the table fits the page.
    """
    letters, body = fitted(headers(grid.columns)[-1], [[*map(printed, cells)] for cells in grid.rows])
    rules = [f"Rules: {grid.rules} of afbench {__version__}."] if grid.rules else []
    caption = " ".join(map(escape, [f"{grid.title}.", *grid.caption, *rules]))
    label = re.sub(r"[^A-Za-z0-9]+", "-", grid.label) + (f"-{number}" if number > 1 else "")
    notes = [rf"\textsuperscript{{{n}}} {escape(note)}." for n, note in enumerate(grid.footnotes, 1)]
    notes = [*(f"Note: {escape(note)}." for note in grid.notes), *notes]
    below = [r"\par\smallskip\begin{minipage}{\linewidth}\footnotesize", "\\par\n".join(notes), r"\end{minipage}"]
    return "\n".join(
        [
            r"\begin{table*}[tbp]",
            r"\centering\footnotesize\setlength{\tabcolsep}{3pt}",
            rf"\caption[{{{escape(grid.title)}}}]{{{caption}}}",
            rf"\label{{tab:{label}}}",
            r"\smallskip",
            r"\setbox0\hbox{%",
            rf"\begin{{tabular}}{{@{{}}{letters}@{{}}}}",
            r"\toprule",
            *(" & ".join(cells) + r" \\" for cells in headers(grid.columns)),
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


def headers(columns: Sequence[Column]) -> list[list[str]]:
    """Print the lines of the header: what stands above, if anything does, and the columns' own headers."""
    own = []
    for column in columns:
        power = f" / $10^{{{column.exponent}}}$" if column.exponent else ""
        arrow = "" if column.higher is None else r" $\uparrow$" if column.higher else r" $\downarrow$"
        own.append(escape(column.header) + power + arrow)
    if not any(column.above for column in columns):
        return [own]
    sizes = [(name, len(list(group))) for name, group in itertools.groupby(columns, lambda column: column.above)]
    above = [escape(name) if n == 1 else rf"\multicolumn{{{n}}}{{c}}{{{escape(name)}}}" for name, n in sizes]
    return [above, own]


def printed(cell: Cell) -> str:
    """Print a cell."""
    if cell.role in ("code", "name"):
        pieces = re.split(r"(?<=[\[,.:=])(?=.)", cell.text)
        words = rf"\texttt{{{BREAK.join(map(escape, pieces))}}}" if cell.role == "code" else escape(cell.text)
        return words + escape(cell.suffix) + (rf"\textsuperscript{{{cell.superscript}}}" if cell.marks else "")
    marks = rf"\rlap{{\textsuperscript{{{cell.superscript}}}}}" if cell.marks else ""
    words = numbers(escape(cell.joined())) or "--"
    words = rf"\textit{{{words}}}" if cell.role == "word" else rf"\textbf{{{words}}}" if cell.best else words
    return words + (r"\rlap{$^{*}$}" if cell.significant else "") + marks


def points(cell: str) -> float:
    """Estimate the width of a printed cell in points."""
    words = re.sub(r"\\rlap\{\$[^$]*\$\}|\\(allowbreak|text\w+|times|pm|cdot|sim)\b\{?|[\\{}$]", "", cell)
    return CHARACTER * len(words)


def fitted(header: Sequence[str], body: Sequence[Sequence[str]]) -> tuple[str, Sequence[Sequence[str]]]:
    """Return the columns' letters and the rows; names get a limited width if the table would exceed a page's column."""
    widths = [max(map(points, cells)) + GAP for cells in zip(header, *body, strict=True)]
    room, others = max(PAGE - sum(widths[1:]), NARROWEST), "r" * (len(header) - 1)
    if widths[0] <= room:
        return f"l{others}", body
    broken = [[rf"\raggedright\hangindent=1em {cells[0]}", *cells[1:]] for cells in body]
    return rf"p{{{room:.0f}pt}}{others}", broken


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
    return "".join(SPECIAL.get(letter, letter) for letter in near if letter.isprintable()) or "?"
