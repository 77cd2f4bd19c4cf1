"""Records of two sources, and two records of one seed, never share a number."""

from __future__ import annotations

import pytest

from afbench.report.summary import tables
from afbench.report.tables.formats import FORMATS, render
from afbench.report.tables.task_grid import task_grid


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
    assert "ran with code that was edited since: not compared, not bold" in said


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_says_which_row_is_older(store, edited, format):
    assert "older code aaaa)" in render(map(task_grid, tables(store)), format)


def test_afbenchs_own_code_is_told_apart_by_versions_alone(store, put):
    put("relu", 0, 90.0, source="0123456789abcdef")  # as records of 0.1 have it
    put("relu", 1, 91.0, source="fedcba9876543210")
    _, by_name = rows(store)
    assert set(by_name) == {"relu"} and by_name["relu"].ok == 2


def test_a_task_whose_code_was_edited_sets_all_older_rows_apart(store, put):
    for seed in range(4):
        for name in ("relu", "pau"):
            put(
                name, seed, 90.0 + seed, source=f"task={'bbbb' if seed > 1 else 'aaaa'}", started=f"2026-01-0{seed + 1}"
            )
    _, by_name = rows(store)
    assert set(by_name) == {"relu", "pau", "relu (older code aaaa)", "pau (older code aaaa)"}
    assert by_name["pau"].versus.n == 2 and by_name["pau (older code aaaa)"].versus is None


def test_a_trial_that_died_before_it_told_its_source_counts_among_the_newest(store, edited, put):
    put("my.acts:Snake", 4, status="lost", message="killed", about={}, resolved={}, versions={})
    _, by_name = rows(store)
    assert by_name["my.acts:Snake"].seeds == (2, 3, 4) and len(by_name) == 3


def test_two_records_of_one_seed_count_once_and_are_named(store, put):
    put("relu", 0, 90.0, settings={"lr": 0.1}, started="2026-01-01")
    put("relu", 0, 70.0, settings={"lr": "0.1"}, started="2026-01-02")  # another key, the same printed settings
    put("relu", 1, 90.0, settings={"lr": 0.1})
    table, by_name = rows(store)
    assert by_name["relu"].ok == 2 and by_name["relu"].seeds == (0, 1)
    assert "relu has several records of seed 0; the newest counts" in table.notes
    assert by_name["relu"].mean.mean == 80.0


def test_a_trial_that_ended_well_without_saying_where_it_ran_joins_no_device(store, put):
    put("relu", 0, 90.0)
    put("relu", 1, 10.0, resolved={})
    assert sorted(table.rows[0].mean.mean for table in tables(store)) == [10.0, 90.0]
