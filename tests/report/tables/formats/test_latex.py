"""Tables as LaTeX: worked by hand, and compiled where pdflatex is at hand."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from afbench.report.summary import tables
from afbench.report.tables.cost_table import cost_grid, cost_tables
from afbench.report.tables.formats import render
from afbench.report.tables.formats.latex import escape, numbers
from afbench.report.tables.task_grid import task_grid
from afbench.report.tables.wide import wide_grid, widen


def test_latex_worked_by_hand(store, worked):
    shown = render(map(task_grid, tables(store)), "latex")
    assert r"activation & accuracy \% $\uparrow$ & 95~\% interval & vs relu (pp, paired) & params \\" in shown
    assert r"\texttt{pau} & \textbf{94} & [81, 98] & $+$2.0 [$-$0.5, $+$4.5] & 20 \\" in shown
    assert r"\texttt{relu} & \textbf{92} & [85, 96] & \textit{baseline} & 0 \\" in shown


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        ("a_b & 5%", r"a\_b \& 5\%"),
        ("$#{}", r"\$\#\{\}"),
        ("~^\\", r"\textasciitilde{}\textasciicircum{}\textbackslash{}"),
        ("a--b", "a-{}-b"),
        ("β Δ é ð ą ² 漢", r"$\beta$ $\Delta$ é ? a 2 ?"),
        ("bell\x07", "bell?"),
    ],
)
def test_escape(words, printed):
    assert escape(words) == printed


def test_numbers_in_latex():
    assert numbers("-1.2e+07") == r"$-$1.2$\cdot10^{7}$"
    assert numbers("1.31x") == r"1.31$\times$"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
@pytest.mark.parametrize("alone", [True, False])
def test_latex_compiles_alone_and_inside_a_paper(tmp_path, nasty, alone):
    preamble = r"\documentclass[twocolumn]{article}\usepackage{booktabs}"
    paper = preamble + r"\begin{document}\input{table}\typeout{after the table}\end{document}"
    letters = "".join(chr(code) for code in [*range(0xC0, 0x180), *range(0x391, 0x3CA)])
    shown = render(map(task_grid, nasty), "latex").replace("Two moons", escape(letters))
    (tmp_path / "table.tex").write_text(shown, encoding="utf-8")
    (tmp_path / "paper.tex").write_text(paper)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table" if alone else "paper"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    assert b"Output written" in done.stdout
    assert (b"after the table" in done.stdout) is not alone  # the table does not end the paper


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
@pytest.mark.parametrize("preamble", ["", r"\documentclass{article}", r"\documentclass[twocolumn]{article}"])
def test_latex_fits_the_page_with_two_real_specs(tmp_path, store, put, put_cost, preamble):
    names = [
        "relu",
        "ditac[a=-3,b=3,lambda_var=1,init_smooth=3]",
        "ditac[a=-4,b=4,cells=20,lambda_var=2,init_smooth=3]",
    ]
    for task in ("moons", "rings", "circles", "spirals"):
        for name in names:
            for seed in range(3):
                extras = {f"further_metric_{i}": 90.0 + seed + i for i in range(6 if task == "spirals" else 1)}
                put(name, seed, task=task, metrics={"accuracy": 90.0 + seed + len(name) / 9, **extras})
    for number, name in enumerate(names):
        put_cost(name, 1.5, key=f"c{number}", inference={"ratio": 1.0}, parameters={"activation": 18})
    made = tables(store)
    wide, costs = wide_grid(widen(made)), map(cost_grid, cost_tables(store.costs()))
    shown = render([*map(task_grid, made), wide, *costs], "latex")
    if preamble:
        (tmp_path / "table.tex").write_text(shown)
        shown = preamble + r"\usepackage{booktabs,graphicx}\begin{document}\input{table}\end{document}"
    (tmp_path / "paper.tex").write_text(shown)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
    log = (tmp_path / "paper.log").read_text(errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert "Overfull" not in log and "Output written" in log
    assert shown.count(r"\allowbreak") > 10 or preamble


def test_latex_is_balanced_and_all_special_signs_are_escaped(nasty):
    shown = render(map(task_grid, nasty), "latex")
    for environment in ("table*", "tabular", "minipage"):
        assert shown.count(rf"\begin{{{environment}}}") == shown.count(rf"\end{{{environment}}}") > 0
    assert shown.count(r"\label{tab:moons}") == shown.count(r"\label{tab:moons-2}") == 1
    assert "x\\_y \\& 50~\\% of" in shown and "hermite\\_prob" in shown
