import csv
import io
import json
import math
import shutil
import subprocess

import pytest

from afbench.errors import UsageError
from afbench.records.wording import WIDTH
from afbench.report.summary import tables
from afbench.report.tables.cost_table import cost_grid, cost_tables
from afbench.report.tables.formats import FORMATS, render
from afbench.report.tables.formats.latex import escape, numbers
from afbench.report.tables.rows import Published
from afbench.report.tables.scale import Scale, scale_of
from afbench.report.tables.task_grid import task_grid
from afbench.report.tables.wide import wide_grid, widen
from afbench.statistics.intervals import Interval

NASTY = 'x_y & 50 % of $5 #1 {a} ~ ^ \\ [b] | <c> *d* `e` "f" -- α² é 漢 \x1b[1m'


def around(mean, half):
    return Interval(mean, mean - half, mean + half, "Student's t", 5)


@pytest.fixture
def nasty(store, put, put_cost, worked):
    """A table with everything in it: failures, extra metrics, costs, signs that formats use, a second group."""
    for seed in range(3):
        put('opau[basis=hermite_prob,text="a|b c"]', seed, metrics={"accuracy": 93.0 + seed, "mse": 1e-7 * (seed + 1)})
        put("broken", seed, status="error", message=NASTY)
        put("relu", seed, 80.0 + seed, settings={"note": "50%_a"})
    put_cost("pau")
    published = {"moons": Published("A & B 2020", {"pau": 99.5})}
    return tables(store, published=published)


def test_text_worked_by_hand(store, worked, put_cost):
    put_cost("pau", 1.309)
    assert render(map(task_grid, tables(store)), "text").splitlines()[:5] == [
        "moons: Two moons",
        "",
        "  activation   accuracy %   95 % interval   vs relu (pp, paired)   params    step   saved",
        "> pau                  94        [81, 98]      +2.0 [-0.5, +4.5]       20   1.31x   1.25x",
        "> relu                 92        [85, 96]               baseline        0   1.00x   1.00x",
    ]


def test_text_says_what_is_claimed(store, worked):
    words = " ".join(render(map(task_grid, tables(store)), "text").split())
    assert "Metric: accuracy in %, higher is better (target 97 %, Bayes-optimal accuracy 98.25 %); means over" in words
    assert "over 3 seeds with 95 % intervals (Student's t on a log scale); untuned; trained on cpu, float32." in words
    assert ">: not distinguishable from the best row (95 % interval of the paired difference contains 0)." in words
    assert "Relative to relu: differences; no significance is claimed (1 comparison takes 6 seeds). Rules:" in words
    assert "step" not in words  # no cost was measured


def test_a_significant_difference_is_starred_in_each_format(store, put):
    for seed in range(6):
        put("relu", seed, 90.0 + seed)
        put("pau", seed, 91.0 + seed + 0.01 * seed)
        put("worse", seed, 89.0 + seed if seed else 95.0)
    shown = {format: render(map(task_grid, tables(store)), format) for format in FORMATS}
    assert "*" not in shown["text"]  # 2 comparisons take 7 seeds
    put("relu", 6, 96.0)
    put("pau", 6, 97.5)
    put("worse", 6, 95.0)
    shown = {format: render(map(task_grid, tables(store)), format) for format in FORMATS}
    pau, worse = (next(line for line in shown["text"].splitlines() if name in line) for name in ("pau ", "worse "))
    assert "]*" in pau and "]*" not in worse
    assert "* marks p at most 0.05" in " ".join(shown["text"].split())
    assert shown["md"].count(r"] \* |") == 1 and shown["latex"].count(r"]\rlap{$^{*}$}") == 1
    assert [line["significant"] for line in read(shown["csv"])] == ["true", "", "false"]


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_text_fits_a_terminal_and_says_what_it_leaves_out(store, put):
    for seed in range(3):
        extras = {f"extra_metric_{i}": 1.0 * i + seed for i in range(6)}
        put("relu", seed, metrics={"accuracy": 90.0 + seed, **extras})
    shown = render(map(task_grid, tables(store)), "text")
    assert max(map(len, shown.splitlines())) <= WIDTH
    assert "extra metric 0" in shown.splitlines()[2]
    assert "Not shown for want of room: extra metric 4, extra metric 5 (" in " ".join(shown.split())
    assert "| extra metric 5 |" in render(map(task_grid, tables(store)), "md").splitlines()[2]


def test_seeds_are_shown_where_they_are_uneven(store, put, worked):
    assert " n " not in render(map(task_grid, tables(store)), "text").splitlines()[2]
    put("relu", 3, 91.0)
    put("pau", 3, status="diverged", message="diverged at step 7 (loss inf)")
    shown = render(map(task_grid, tables(store)), "text")
    assert any(line.split()[:3] == ["pau", "(1,2)", "3/4"] for line in shown.splitlines())
    assert "(1) 1 of 4 seeds diverged; seed 3: at step 7 (loss inf)\n(2) vs relu over the 3 seeds" in shown


def test_markdown_worked_by_hand(store, worked):
    assert render(map(task_grid, tables(store)), "md").splitlines()[:6] == [
        "**moons: Two moons**",
        "",
        "| activation | accuracy % ↑ | 95 % interval | vs relu (pp, paired) | params |",
        "| :-- | --: | --: | --: | --: |",
        "| `pau` | **94** | [81, 98] | +2.0 [-0.5, +4.5] | 20 |",
        "| `relu` | **92** | [85, 96] | *baseline* | 0 |",
    ]


def test_markdown_has_as_many_cells_in_each_row_whatever_is_written(nasty):
    for table in nasty:
        lines = [line for line in render(task_grid(table), "md").splitlines() if line.startswith("|")]
        counts = {line.replace(r"\|", "").count("|") for line in lines}
        assert len(lines) == len(table.rows) + 2 and len(counts) == 1


def test_markdown_guards_its_own_signs(store, put):
    put("relu", 0, metrics={"accuracy": 90.0, "a|b_c": 1.0})
    header = render(map(task_grid, tables(store)), "md").splitlines()[2]
    assert header.endswith(r"| a\|b c |")


def test_csv_holds_every_digit(store, worked, put, put_cost):
    put("gone", 0, status="oom", message="out of memory")
    put_cost("pau", 1.3123456789)
    pau, relu, gone = read(render(map(task_grid, tables(store)), "csv"))
    row = tables(store)[0].rows[0]
    assert [pau[name] for name in ("task", "settings", "device", "dtype", "metric", "unit")] == [
        *("moons", "", "cpu", "float32", "accuracy", "%")
    ]
    assert (float(pau["mean"]), float(pau["low"]), float(pau["high"])) == (94.0, row.mean.low, row.mean.high)
    assert (float(pau["difference_low"]), float(pau["p"]), pau["paired_seeds"]) == (row.versus.low, 0.25, "3")
    assert (pau["baseline"], pau["trials"], pau["ok"], pau["activation_parameters"]) == ("relu", "3", "3", "20")
    assert float(pau["step_ratio"]) == 1.3123456789 and float(pau["step_low_quartile"]) == row.cost.step.low
    assert pau["significant"] == ""  # the test cannot reach it
    assert (relu["is_baseline"], relu["difference"], relu["p"]) == ("true", "", "")
    assert (gone["trials"], gone["ok"], gone["oom"], gone["mean"], gone["low"]) == ("1", "0", "1", "", "")
    assert "1 of 1 seeds ran out of memory; seed 0: out of memory" in gone["notes"]


def test_csv_of_several_tables_has_one_header(nasty):
    lines = read(render(map(task_grid, nasty), "csv"))
    assert [line["settings"] for line in lines] == [""] * 4 + ['note="50%_a"'.replace('"', "")]
    assert {line["MSE"] for line in lines} > {""} and render([], "csv") == ""
    assert len({len(line) for line in csv.reader(io.StringIO(render(map(task_grid, nasty), "csv")))}) == 1


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


def test_lines_are_ready_for_json(nasty):
    lines = [line for table in nasty for line in task_grid(table).data]
    (gone,) = (line for line in lines if line["activation"] == "broken")
    assert gone["mean"] is None and gone["error"] == 3 and gone["best"] is False
    json.dumps(lines, allow_nan=False)


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


def test_published_numbers_have_their_own_column_and_source(nasty):
    shown = render(task_grid(nasty[0]), "md")
    assert (
        "| published |" in shown
        and "| 99.5 |" in shown
        and "Note: published numbers are those of A & B 2020, not ours." in shown
    )


def test_an_unknown_format_is_refused_with_the_nearest(nasty):
    with pytest.raises(UsageError, match="unknown format 'latx'; did you mean 'latex'"):
        render(map(task_grid, nasty), "latx")


@pytest.mark.parametrize(
    ("halves", "decimals"),
    [([0.4], 1), ([0.12], 2), ([0.36], 1), ([0.34], 2), ([1.2], 1), ([4.0], 0), ([40.0], 0), ([0.4, 0.4, 30.0], 1)],
)
def test_digits_follow_the_median_half_width(halves, decimals):
    assert scale_of([around(91.8, half) for half in halves]) == Scale(decimals)


def test_without_intervals_three_digits_are_kept():
    assert scale_of([Interval(91.84), Interval(72.1)]).show(91.84) == "91.8"
    assert scale_of([Interval(0.0)]).show(0.0) == "0"
    assert scale_of([]).show(math.nan) == ""


def test_small_and_huge_numbers_are_printed_in_powers_of_ten():
    scale = scale_of([around(2.5e-7, 1.2e-8), around(3.5e-7, 1.2e-8)])
    assert (scale.exponent, scale.show(2.5e-7), scale.show(4.0)) == (-9, "250", "4.0e+09")
    assert scale.ends(around(2.5e-7, 1.2e-8)) == "[238, 262]"


def test_the_sign_of_a_small_difference_is_kept_and_that_of_a_mean_is_not():
    scale = Scale(1)
    assert scale.ends(Interval(0.3, -0.04, 0.64), "+") == "[-0.0, +0.6]"
    assert (scale.show(-0.04), scale.show(-0.0, "+")) == ("0.0", "+0.0")
