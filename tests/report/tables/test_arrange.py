"""Rows that are left out, and rows of older code."""

from __future__ import annotations

import pytest

from afbench.report.summary import tables
from afbench.report.tables.arrange import restricted
from afbench.report.tables.formats import FORMATS, render
from afbench.report.tables.task_grid import task_grid


def test_hidden_rows_change_the_best_but_not_the_number_of_comparisons(table):
    found = restricted(table, ["relu", "gelu"])
    assert [row.activation for row in found.rows] == ["gelu", "relu"] and found.rows[0].best and not table.rows[-2].best
    assert found.comparisons == table.comparisons == 4
    assert [row.p_holm for row in found.rows if row.versus] == [r.p_holm for r in table.rows if r.activation == "gelu"]
    assert "2 of 5 activations are shown." in " ".join(render(task_grid(found)).split())


def rows(store):
    (table,) = tables(store)
    return table, {row.activation: row for row in table.rows}


@pytest.fixture
def edited(put):
    """A user's activation whose code was edited after two of its four seeds."""
    for seed in range(4):
        put("relu", seed, 90.0 + seed)
        new = seed >= 2
        put(
            "my.acts:Snake",
            seed,
            (60.0 if new else 99.0) + seed,
            source=f"activation={'bbbb' if new else 'aaaa'}1234",
            started=f"2026-01-0{2 if new else 1}T00:00:00+00:00",
        )


def test_records_of_two_sources_never_share_a_row(store, edited):
    table, by_name = rows(store)
    assert set(by_name) == {"relu", "my.acts:Snake", "my.acts:Snake (older code aaaa)"}
    new, old = by_name["my.acts:Snake"], by_name["my.acts:Snake (older code aaaa)"]
    assert (new.mean.mean, new.seeds, old.mean.mean, old.seeds) == (62.5, (2, 3), 99.5, (0, 1))
    assert old.versus is None and not old.best and by_name["relu"].best and table.comparisons == 1
    said = [table.footnotes[mark - 1] for mark in old.marks]
    assert "older code: not compared, not bold" in said


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_says_which_row_is_older(store, edited, format):
    assert "older code aaaa)" in render(map(task_grid, tables(store)), format)
