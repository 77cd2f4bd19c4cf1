"""Tables as text: worked by hand, and fitted to any width without losing a digit."""

from __future__ import annotations

import re

import pytest

from afbench.records.wording import WIDTH
from afbench.report.summary import tables
from afbench.report.tables.formats import render
from afbench.report.tables.formats.text import broken
from afbench.report.tables.task_grid import task_grid

LONG = ["ditac[a=-3,b=3,lambda_var=1,init_smooth=3]", "ditac[a=-4,b=4,cells=20,lambda_var=2,init_smooth=3]"]


def test_text_worked_by_hand(store, worked, put_cost):
    put_cost("pau", 1.309)
    assert render(map(task_grid, tables(store)), "text").splitlines()[:5] == [
        "moons: Two moons",
        "",
        "  activation   accuracy %   95 % interval   vs relu (pp, paired)   params    step   saved",
        "> pau                  94        [81, 98]      +2.0 [-0.5, +4.5]       20   1.31x   1.25x",
        "> relu                 92        [85, 96]               baseline        0   1.00x   1.00x",
    ]


def test_text_fits_a_terminal_and_says_what_it_leaves_out(store, put):
    for seed in range(3):
        extras = {f"extra_metric_{i}": 1.0 * i + seed for i in range(6)}
        put("relu", seed, metrics={"accuracy": 90.0 + seed, **extras})
    shown = render(map(task_grid, tables(store)), "text")
    assert max(map(len, shown.splitlines())) <= WIDTH
    assert "extra metric 0" in shown.splitlines()[2]
    assert "Not shown, because the terminal is too narrow: extra metric 4, extra metric 5." in " ".join(shown.split())
    assert "| extra metric 5 |" in render(map(task_grid, tables(store)), "md").splitlines()[2]


def test_seeds_are_shown_where_they_are_uneven(store, put, worked):
    assert " n " not in render(map(task_grid, tables(store)), "text").splitlines()[2]
    put("relu", 3, 91.0)
    put("pau", 3, status="diverged", message="diverged at step 7 (loss inf)")
    shown = render(map(task_grid, tables(store)), "text")
    assert any(line.split()[:3] == ["pau", "(1,2)", "3/4"] for line in shown.splitlines())
    assert "(1) 1 of 4 seeds diverged; seed 3: at step 7 (loss inf)\n(2) vs relu: over the 3 seeds" in shown


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_a_text_fits_any_width_and_loses_no_digit(grid, wide, width):
    head = "Metric:"
    whole = render(grid, "text", 10_000).split(head)[0]
    text = render(grid, "text", width)
    assert max(map(len, text.splitlines())) <= width
    body = text.split(head)[0]
    without_mse = [word for word in whole.split() if not word.startswith("0.01")]
    numbers = [word for word in without_mse if re.fullmatch(r"\[?[+-]?\d+(\.\d+)?x?[],]?", word)]
    assert len(numbers) >= 5 * 7 and not set(numbers) - set(body.split())
    for name in LONG:  # broken, never cut
        assert all(piece in body for piece in name.replace("[", "[ ").replace(",", ", ").split()[1:])
    text = render(wide, "text", width)
    assert max(map(len, text.splitlines())) <= width and text.split("moons:")[0].count("+/-") == 6


def test_a_wide_terminal_breaks_nothing_and_a_narrow_one_says_what_is_not_shown(grid):
    assert LONG[0] in render(grid, "text", 200)
    assert "MSE" in render(grid, "text", 200).splitlines()[2]
    assert "Not shown, because the terminal is too narrow: MSE" in " ".join(render(grid, "text", 80).split())
    # What is asked for is shown.
    assert "MSE" in render(grid.picked(("mean", "extra mse")), "text", 60).splitlines()[3].split()


@pytest.mark.parametrize(
    ("name", "limit", "lines"),
    [
        (LONG[0], 24, ["ditac[a=-3,b=3,", "    lambda_var=1,", "    init_smooth=3]"]),
        ("DiTAC (ours, wide)", 12, ["DiTAC (ours,", "    wide)"]),
        ("x" * 30, 24, ["x" * 24, "    xxxxxx"]),
        ("short", 24, ["short"]),
    ],
)
def test_names_break_after_brackets_commas_and_spaces(name, limit, lines):
    assert broken(name, limit) == lines
