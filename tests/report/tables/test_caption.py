"""What captions and notes say."""

from __future__ import annotations

import pytest

from afbench.errors import UsageError
from afbench.report.summary import tables
from afbench.report.tables.arrange import restricted
from afbench.report.tables.formats import render
from afbench.report.tables.task_grid import task_grid


def test_text_says_what_is_claimed(store, worked):
    words = " ".join(render(map(task_grid, tables(store)), "text").split())
    assert "Metric: accuracy in %, higher is better (target 97 %, Bayes-optimal accuracy 98.25 %); means over" in words
    assert (
        "over 3 seeds with 95 % confidence intervals (Student's t, transformed to stay within the metric's range); "
        in words
    )
    assert "range); one recipe for all activations (untuned); trained on cpu, float32." in words
    assert (
        ">: the best row, and rows whose paired difference to the best row (not in the table) has a 95 % interval that "
        "contains 0." in words
    )
    assert (
        "Column vs relu is relative to relu; no significance is claimed, as 1 comparison needs at least 6 seeds. Rules:"
        in words
    )
    assert "step" not in words  # no cost was measured


def test_published_numbers_have_their_own_column_and_source(nasty):
    shown = render(task_grid(nasty[0]), "md")
    assert (
        "| published |" in shown
        and "| 99.5 |" in shown
        and "Note: published numbers are from A & B 2020, not from these trials." in shown
    )


def test_captions(grid, wide):
    for made in (grid, wide):
        for format in ("text", "md", "latex", "html"):
            full, short, none = (render(made.with_caption(detail), format) for detail in ("full", "short", "none"))
            assert "untuned" in full and "untuned" in short and "untuned" not in none
            assert len(full) > len(short) > len(none)
            assert "docs/numbers.md" in full and "docs/numbers.md" not in short
            assert "<p></p>" not in none
        assert 2 <= len(made.caption) <= 3 and all(sentence.endswith(".") for sentence in made.caption)
    with pytest.raises(UsageError, match="unknown caption 'ful'; did you mean 'full'"):
        grid.with_caption("ful")


def test_a_caption_describes_the_columns_and_rows_that_are_shown(table):
    words = task_grid(table).caption[-1]
    assert words.startswith("Columns vs relu, step and saved are relative to relu; ")
    assert task_grid(table).picked(["mean", "saved"]).caption[1:] == (
        task_grid(table).caption[1],
        "Column saved is relative to relu.",
    )
    assert "interval" in task_grid(table).caption[0]
    assert "interval" not in task_grid(table).picked(["mean"]).caption[0]
    some = task_grid(restricted(table, ["relu", "gelu"])).caption[-1]
    assert "as 4 comparisons, 1 of them shown, need at least 8 seeds" in some
