"""Columns that are chosen, and rows that are sorted."""

from __future__ import annotations

import pytest

from afbench.errors import UsageError
from afbench.report.summary import tables
from afbench.report.tables.formats import FORMATS, render
from afbench.report.tables.grid import chosen, sort
from afbench.report.tables.task_grid import task_grid

LONG = ["ditac[a=-3,b=3,lambda_var=1,init_smooth=3]", "ditac[a=-4,b=4,cells=20,lambda_var=2,init_smooth=3]"]


def shown(grid):
    return [cells[0].text for cells in grid.rows]


def first_line(text):
    return text.splitlines()[2].split()


@pytest.mark.parametrize("format", FORMATS)
def test_columns_are_chosen_and_ordered(grid, format):
    text = render(grid.picked(chosen("step,mean,params", [grid])), format)
    heads = {"csv": ["step_ratio", "mean", "activation_parameters"]}.get(format, ["step", "accuracy", "params"])
    body = text[text.index({"html": "<thead>", "latex": "toprule"}.get(format, "activation")) :]
    places = [body.index(head) for head in heads]
    assert places == sorted(places)
    table_part = body.split("Metric:")[0]
    assert "MSE" not in table_part and "saved" not in table_part and "interval" not in table_part


def test_metrics_go_by_their_names(grid):
    assert chosen("accuracy,mse", [grid]) == ("mean", "extra mse")
    assert chosen("MSE , vs relu", [grid]) == ("extra mse", "vs")


def test_an_unknown_column_is_refused_with_all_names(grid):
    with pytest.raises(
        UsageError, match=r"no column 'stepp'; did you mean 'step'\?.*there are .*mean, .*params.*, mse"
    ):
        chosen("stepp", [grid])
    with pytest.raises(UsageError, match="'mean' is named twice"):
        chosen("mean,accuracy", [grid])


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("params", {"relu", "gelu"}, {LONG[1]}),
        ("params:desc", {LONG[1]}, {"relu", "gelu"}),
        ("step:asc", {"relu"}, set(LONG)),
        ("mean", {LONG[0]}, {"relu"}),
        ("mean:asc", {"relu"}, {LONG[0]}),
        ("vs", {LONG[0]}, {"relu"}),
        ("activation", {LONG[0]}, {"relu"}),
        ("mse", {LONG[0]}, {"relu"}),
        ("mse:desc", {"relu"}, {LONG[0]}),
    ],
)
def test_rows_are_sorted(grid, text, first, last):
    (found,) = sort([grid], text)
    assert shown(found)[0] in first and shown(found)[-1] in last


def test_rows_without_a_number_come_last_either_way(store, put, table):
    put("broken", 0, status="error", message="boom", task="circles")
    (made,) = tables(store)
    for text in ("mean", "mean:asc", "mean:desc", "step", "step:desc", "vs:asc"):
        (found,) = sort([task_grid(made)], text)
        assert shown(found)[-1] == "broken"


@pytest.mark.parametrize("text", ["stepp", "step:up", "mean,step", "", ":asc"])
def test_a_wrong_order_is_refused(grid, text):
    with pytest.raises(UsageError, match="--sort"):
        sort([grid], text)


def test_wide_tables_have_tasks_and_ranks_for_columns(wide):
    text = render(wide.picked(chosen("rank,rings", [wide])), "text")
    assert first_line(text) == ["activation", "mean", "rings"]
    (found,) = sort([wide], "rank:desc")
    assert shown(found) == shown(wide)[::-1]
    (found,) = sort([wide], "moons")
    assert shown(found) == [LONG[0], "relu", "pau"]
    for format in FORMATS:
        text = render(wide.picked(("rank", "rings")).with_caption("none"), format)
        assert "moons" not in text.split("</h2>")[-1].partition("rank")[2]
