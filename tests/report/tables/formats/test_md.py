"""Tables in Markdown: worked by hand, whatever signs are written."""

from __future__ import annotations

from afbench.report.summary import tables
from afbench.report.tables.formats import render
from afbench.report.tables.task_grid import task_grid


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
