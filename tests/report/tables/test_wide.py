"""Wide tables: ranks worked by hand, no average of a metric over tasks, every format."""

from __future__ import annotations

import csv
import io
import math
import shutil
import subprocess

import pytest

from afbench.errors import UsageError
from afbench.records.wording import WIDTH
from afbench.report.summary import tables
from afbench.report.tables.formats import FORMATS, render
from afbench.report.tables.task_grid import task_grid
from afbench.report.tables.wide import wide_grid, widen

LOSS = {"headline": "A loss", "metric": "mse", "unit": "", "higher_is_better": False, "target": None, "references": {}}
NASTY = "x_y & 50 % <script>alert(1)</script> | `e`"


@pytest.fixture
def three(store, put):
    """Means rank pau 1, 1, 2; relu 2, 2.5, 1; elu 3, 2.5, 3. swish lacks a task, and selu failed in one."""
    table = {
        "moons": {"relu": 92.0, "pau": 94.0, "elu": 90.0, "swish": 95.0, "selu": 80.0},
        "rings": {"relu": 80.0, "pau": 85.0, "elu": 80.0, "selu": 70.0},
        "waves": {"relu": 1e-7, "pau": 2e-7, "elu": 3e-7, "swish": 1.5e-7},
    }
    for task, means in table.items():
        for name, mean in means.items():
            for seed, shift in enumerate((-0.01, 0.0, 0.01)):
                if task == "waves":
                    put(name, seed, task=task, about=LOSS, metrics={"mse": mean * (1 + shift)})
                else:
                    put(name, seed, mean + shift, task=task)
    for seed in range(3):
        put("selu", seed, task="waves", status="diverged", message=f"diverged {NASTY}")
    put("pau", 3, task="moons", status="oom", message="out of memory")
    return widen(tables(store))


def test_ranks_worked_by_hand(three):
    assert three.names == ("moons", "rings", "waves") and three.ranked == 3
    assert [row.activation for row in three.rows] == ["pau", "relu", "elu", "selu", "swish"]
    assert [row.ranks for row in three.rows] == [(1, 1, 2), (2, 2.5, 1), (3, 2.5, 3), (), ()]
    assert [row.mean_rank for row in three.rows[:3]] == [4 / 3, 5.5 / 3, 8.5 / 3]
    assert math.isnan(three.rows[4].mean_rank)


def test_footnotes_tell_failures_and_who_is_not_ranked(three):
    grid = wide_grid(three)
    pau, _, _, selu, swish = [[[grid.footnotes[n - 1] for n in cell.marks] for cell in cells] for cells in grid.rows]
    assert pau[1] == ["1 of 4 seeds ran out of memory; seed 3: out of memory"]
    assert selu[3][0].startswith("3 of 3 seeds diverged; seed 0: ")
    assert [selu[-1], swish[-1]] == [["not ranked: no number in waves"], ["not ranked: no number in rings"]]


def test_best_is_that_of_the_single_tables(three):
    for index, table in enumerate(three.tables, 1):
        single = {row.activation for row in table.rows if row.best}
        assert {cells[0].text for cells in wide_grid(three).rows if cells[index].best} == single


def test_text_worked_by_hand(three):
    lines = render(wide_grid(three), "text").splitlines()
    assert lines[0] == "3 tasks: moons, rings, waves"
    assert lines[3].split() == ["accuracy", "%", "accuracy", "%", "MSE", "/", "1e-9", "rank"]
    # Student's t of 3 values 0.01 apart: 4.303 * 0.01 / sqrt(3) = 0.025.
    assert lines[5].split()[:4] == ["relu", "92.000", "+/-", "0.025"]
    assert lines[4].endswith(" 1.3") and lines[5].endswith(" 1.8") and "> 85.000 +/- 0.025" in lines[4]
    assert render(wide_grid(three), "text").isascii() and max(map(len, lines)) <= WIDTH
    words = " ".join(lines)
    assert "moons: accuracy in %, higher is better, 3 seeds; rings:" in words
    assert "waves: MSE, lower is better, 3 seeds. Means over seeds +/- half the 95 % confidence interval (" in words


def test_columns_that_do_not_fit_stand_below(store, put):
    for task in (f"task_{letter}_with_a_long_name" for letter in "abcdef"):
        put("relu", 0, 90.0, task=task)
        put("pau", 0, 91.0, task=task)
    lines = render(wide_grid(widen(tables(store))), "text").splitlines()
    assert max(map(len, lines)) <= WIDTH and sum(line.startswith("relu ") for line in lines) == 2


def test_markdown(three):
    lines = [line for line in render(wide_grid(three), "md").splitlines() if line.startswith("|")]
    assert lines[0].endswith(r"| waves<br>MSE / 1e-9 ↓ | mean<br>rank |")
    assert lines[2].startswith("| `pau` | 94.000 ± 0.025 <sup>1</sup> | **85.000 ± 0.025** |")
    assert len({line.count("|") for line in lines}) == 1 and len(lines) == 7


def test_csv_is_unrounded_and_averages_no_metric(three):
    pau, relu, *_, swish = csv.DictReader(io.StringIO(render(wide_grid(three), "csv")))
    assert (float(pau["mean_rank"]), pau["waves rank"], pau["moons trials"], pau["moons ok"]) == (
        4 / 3,
        "2.0",
        "4",
        "3",
    )
    assert float(relu["rings low"]) == three.rows[1].by_task[1].mean.low
    assert (swish["mean_rank"], swish["rings mean"], swish["waves rank"]) == ("", "", "")
    assert "not ranked: no number in rings" in swish["notes"]
    assert not {"mean", "low", "high"} & set(pau)
    with pytest.raises(UsageError, match="a CSV can hold one kind of table"):
        render([*map(task_grid, three.tables), wide_grid(three)], "csv")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
def test_latex_compiles(three, tmp_path):
    (tmp_path / "table.tex").write_text(
        render([*map(task_grid, three.tables), wide_grid(three)], "latex"), encoding="utf-8"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]


def test_latex(three):
    shown = render(wide_grid(three), "latex")
    assert r"\textbf{85.000 $\pm$ 0.025}" in shown and r"\label{tab:tasks}" in shown
    assert r"MSE / $10^{-9}$ $\downarrow$ & rank \\" in shown


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_prints_a_table_where_nobody_is_ranked(store, put, format):
    put("relu", 0, 90.0)
    put("pau", 0, 91.0, task="rings")
    shown = render(wide_grid(widen(tables(store))), format)
    assert "not ranked" in shown and "nan" not in shown.lower()


def test_one_table_or_the_same_twice_is_refused(three):
    with pytest.raises(UsageError, match="needs several tasks, but there is only moons; name more results folders"):
        widen(three.tables[:1])
    with pytest.raises(UsageError, match="moons is in several of these folders"):
        widen([*three.tables, three.tables[0]])


def test_a_task_under_two_settings_is_two_columns(store, put):
    for settings in ({}, {"lr": 0.1}):
        put("relu", 0, 90.0, settings=settings)
        put("pau", 0, 91.0, settings=settings)
    wide = widen(tables(store))
    assert wide.names == ("moons", "moons[lr=0.1]") and wide.rows[0].ranks == (1.0, 1.0)
