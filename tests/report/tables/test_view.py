"""How tables are printed: columns, order, captions, and texts of any width."""

from __future__ import annotations

import csv
import io
import math
import re

import pytest

from afbench.errors import UsageError
from afbench.report.summary import tables
from afbench.report.tables.arrange import named, restricted
from afbench.report.tables.formats import FORMATS, render
from afbench.report.tables.formats.text import broken
from afbench.report.tables.grid import chosen, sort
from afbench.report.tables.task_grid import task_grid
from afbench.report.tables.wide import wide_grid, widen

LONG = ["ditac[a=-3,b=3,lambda_var=1,init_smooth=3]", "ditac[a=-4,b=4,cells=20,lambda_var=2,init_smooth=3]"]


@pytest.fixture
def table(store, put, put_cost):
    """Five activations over five seeds, with a further metric and costs; two have long specs."""
    means = {"relu": 90.0, "gelu": 91.0, LONG[0]: 93.0, LONG[1]: 92.0, "pau": 92.5}
    sizes = {"relu": 0, "gelu": 0, LONG[0]: 18, LONG[1]: 42, "pau": 10}
    for name, mean in means.items():
        for seed in range(5):
            metrics = {"accuracy": mean + math.sin(7 * seed + mean), "mse": 1 / mean}
            put(name, seed, metrics=metrics, parameters={"activation": sizes[name]}, task="circles")
        ratio = {"relu": 1.0, "gelu": 1.2, "pau": 1.5}.get(name, 2.5)
        put_cost(name, ratio, key=f"{len(name)}{name[:2]}", task="circles")
    (made,) = (one for one in tables(store) if one.group.task == "circles")
    return made


@pytest.fixture
def grid(table):
    return task_grid(table)


@pytest.fixture
def wide(store, put):
    for task, shift in (("moons", 0.0), ("rings", -5.0)):
        for name in ("relu", "pau", LONG[0]):
            for seed in range(3):
                put(name, seed, 90.0 + shift + seed + len(name) / 50, task=task)
    return wide_grid(widen([one for one in tables(store) if one.group.task != "circles"]))


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
    assert "Not shown for want of room: MSE" in " ".join(render(grid, "text", 80).split())
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


def test_hidden_rows_change_the_best_but_not_the_number_of_comparisons(table):
    found = restricted(table, ["relu", "gelu"])
    assert [row.activation for row in found.rows] == ["gelu", "relu"] and found.rows[0].best and not table.rows[-2].best
    assert found.comparisons == table.comparisons == 4
    assert [row.p_holm for row in found.rows if row.versus] == [r.p_holm for r in table.rows if r.activation == "gelu"]
    assert "2 of 5 activations are shown." in " ".join(render(task_grid(found)).split())


@pytest.mark.parametrize("format", FORMATS)
def test_names_stand_in_rows_headers_and_captions(table, format):
    text = render(task_grid(named(table, {LONG[0]: "DiTAC, ours_<1>", "relu": "ReLU & co"})), format)
    printed = {
        "text": ("DiTAC, ours_<1>", "vs ReLU & co"),
        "md": (r"| DiTAC, ours\_\<1\>", "vs ReLU & co"),
        "csv": ('"DiTAC, ours_<1>"', "ReLU & co"),
        "latex": (r"DiTAC, ours\_$<$1$>$", r"vs ReLU \& co"),
        "html": ("DiTAC, ours_&lt;1&gt;", "vs ReLU &amp; co"),
    }[format]
    assert all(words in text for words in printed)
    assert "`DiTAC" not in text and r"\texttt{DiTAC" not in text and "<code>DiTAC" not in text
    if format == "csv":
        lines = list(csv.DictReader(io.StringIO(text)))
        assert {line["activation"] for line in lines} == {"relu", "gelu", "pau", *LONG}  # the spec stays
    else:
        assert "relu" not in text.replace("(relu", "").split("Rules:")[0] or format == "latex"
