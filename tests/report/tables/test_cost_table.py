"""Tables of costs: what is in a cell, what is marked and why, and old files that lack most of it."""

from __future__ import annotations

import csv
import io

import pytest

from afbench.errors import UsageError
from afbench.records.cost import Cost, Figure
from afbench.records.wording import duration
from afbench.report.summary import tables
from afbench.report.tables.cost_table import cost_grid, cost_tables, remarks
from afbench.report.tables.formats import render
from afbench.report.tables.task_grid import task_grid


def figure(median, spread=0.02, unstable=()):
    ends = [median * (1 - spread / 2), median * (1 + spread / 2)]
    return {"median": median, "quartiles": ends, "samples": 15, "unstable": list(unstable)}


def cells_of(table, row):
    """The texts of a row's cells by group and header."""
    grid = cost_grid(table)
    return {f"{c.above}: {c.header}": cell.text for c, cell in zip(grid.columns, grid.rows[row], strict=True)}


@pytest.fixture
def put_alone(store):
    def write(activation, ratio=2.0, **changes):
        place = {"seconds": figure(ratio * 1e-3), "relu": figure(ratio), "gelu": figure(ratio / 2), "copy": figure(3.0)}
        cost = {
            "kind": "alone",
            "activation": activation,
            "shape": [4, 3, 5, 7],
            "channel_dim": 1,
            "elements": 420,
            "dtype": "float32",
            "mode": "eager",
            "device": "cpu",
            "threads": 1,
            "environment": "ab12",
            "status": "ok",
            "cache_bytes": 2**25,
            "commit": "0123456789abcdef+",
            "versions": {"torch": "2.13.0", "kernels": "plain"},
            "parameters": {"activation": 10, "trainable": 10, "total": 10},
            "saved": {"bytes": 1680, "per_element": 4.0},
            "peak": None,
            "forward": {"cold": place, "warm": None},
            "training": {"cold": place, "warm": place},
        } | changes
        key = "-".join(["alone", activation, *map(str, changes.values())])[:60].replace("/", "")
        store.write_json("costs", key, cost | {"key": key})

    return write


def test_a_row_an_activation_the_cheapest_first(store, put_alone):
    put_alone("pau", 3.0)
    put_alone("gelu", 2.0)
    (table,) = cost_tables(store.costs())
    assert table.title == "cost alone: 4x3x5x7 float32, eager, cpu, 1 thread"
    assert [cost.activation for cost in table.costs] == ["gelu", "pau"]
    assert list(dict.fromkeys(column.above for column in cost_grid(table).columns[1:])) == [
        "forward, cold",
        "forward+backward, cold",
        "forward+backward, warm",
        "memory and parameters",
    ]
    cells = cells_of(table, 1)
    assert cells["forward, cold: time"] == "3.00 ms ±1%"
    assert cells["forward+backward, warm: vs relu"] == "3.00x ±1%"
    assert cells["forward, cold: vs gelu"] == "1.50x ±1%"
    assert cells["memory and parameters: saved B/element"] == "4.0"
    caption = " ".join(cost_grid(table).caption)
    assert "last-level cache (32 MiB)" in caption and "kernels plain, torch 2.13.0, commit 0123456789ab+." in caption
    assert not cost_grid(table).footnotes


def test_cases_and_machines_are_tables_of_their_own(store, put_alone):
    put_alone("relu")
    put_alone("relu", dtype="bfloat16")
    put_alone("relu", threads=2)
    put_alone("relu", shape=[10], elements=10)
    assert [t.title.partition(": ")[2] for t in cost_tables(store.costs())] == [
        "10 float32, eager, cpu, 1 thread",
        "4x3x5x7 bfloat16, eager, cpu, 1 thread",
        "4x3x5x7 float32, eager, cpu, 1 thread",
        "4x3x5x7 float32, eager, cpu, 2 threads",
    ]
    put_alone("relu", environment="cd34")
    assert sum("environment" in table.title for table in cost_tables(store.costs())) == 5


def test_an_unstable_figure_is_marked_and_the_reason_stands_below(store, put_alone):
    wild = {"seconds": figure(1e-3), "relu": figure(2.0, 0.3, ["quartiles 30 % apart"]), "gelu": figure(1.0)}
    put_alone("pau", forward={"cold": wild, "warm": None})
    (table,) = cost_tables(store.costs())
    assert cells_of(table, 0)["forward, cold: vs relu"] == "2.00x ±15%!"
    grid = cost_grid(table)
    assert grid.footnotes == ("! unreliable: quartiles 30 % apart (1 cell)",) and grid.rows[0][0].marks == (1,)
    assert "(1) ! unreliable" in render(cost_grid(table)) and "2.00x +-15%!" in render(cost_grid(table))


def test_reasons_of_one_kind_are_said_once_with_the_worst():
    said = [["quartiles 12 % apart"], ["quartiles 30 % apart", "shortest sample 0.5 ms"], ["shortest sample 0.2 ms"]]
    (remark,) = remarks(Cost("", ""), [Figure(unstable=tuple(one)) for one in said])
    assert remark == "! unreliable: quartiles up to 30 % apart (2 cells); shortest sample down to 0.2 ms (2 cells)"


def test_a_failure_comes_last_with_its_reason(store, put_alone):
    put_alone("relu")
    put_alone("bad", status="oom", error={"message": "out of\nmemory"}, forward=None, training=None, saved=None)
    (table,) = cost_tables(store.costs())
    grid = cost_grid(table)
    assert grid.rows[-1][0].text == "bad" and {cell.text for cell in grid.rows[-1][1:9]} == {""}
    assert grid.footnotes == ("no figures: oom out of memory",)


def test_costs_in_a_network_and_files_of_earlier_versions(store, put_cost):
    put_cost("pau", 1.3)
    inference = {"ratio": 1.5, "quartiles": [1.4, 1.6], "rounds": 15, "seconds": 2e-4, "unstable": []}
    saved = {"bytes": 2048, "baseline_bytes": 1024, "ratio": 2.0, "identity_bytes": 1024, "added_bytes": 1024}
    put_cost("elu", 1.2, inference=inference, saved=saved, parameters={"activation": 0, "trainable": 9, "total": 9})
    (table,) = cost_tables(store.costs())
    assert table.title == "cost in the network of moons, cpu, 1 thread"
    new, old = cells_of(table, 0), cells_of(table, 1)
    assert new["inference: vs relu"] == "1.50x ±7%" and new["inference: time"] == "200 us"
    assert new["saved for backward: added KiB"] == "1.0" and new["params: all"] == "9"
    assert old["training step: vs relu"] == "1.30x ±8%" and old["saved for backward: vs relu"] == "1.25x"
    assert (old["inference: vs relu"], old["params: all"], old["training step: time"]) == ("", "", "")
    assert cost_tables(store.costs(), network=False) == []


def test_costs_alone_do_not_enter_the_tables_of_tasks(store, worked, put_alone):
    put_alone("pau")
    (table,) = tables(store)
    assert all(row.cost is None for row in table.rows)


def test_every_format_shows_every_activation(store, put_alone, put_cost):
    put_alone("pau[version=b]")
    put_cost("pau[version=b]")
    made = [cost_grid(table) for table in cost_tables(store.costs())]
    shown = {form: render(made, form) for form in ("text", "md", "csv", "latex", "html")}
    assert all("pau" in text for text in shown.values())
    assert all(len(line) <= 110 for line in shown["text"].splitlines()) and shown["text"].isascii()
    assert shown["latex"].count(r"\begin{tabular}") == shown["latex"].count(r"\end{tabular}") == 2
    assert r"\multicolumn{4}{c}{forward, cold}" in shown["latex"]
    for line in shown["md"].splitlines():
        assert not line.startswith("|") or line.count(" | ") in (7, 14)
    lines = list(csv.DictReader(io.StringIO(shown["csv"])))
    assert [line["kind"] for line in lines] == ["network", "alone"]
    assert float(lines[1]["training_warm_relu"]) == 2.0 and lines[1]["training_warm_relu_unstable"] == ""
    assert lines[0]["training_warm_relu"] == "" and float(lines[0]["step_ratio"]) == 1.31


def test_a_csv_holds_costs_or_tasks(store, worked, put_alone):
    put_alone("pau")
    with pytest.raises(UsageError, match="one kind of table"):
        render([*map(task_grid, tables(store)), *map(cost_grid, cost_tables(store.costs()))], "csv")


def test_a_damaged_file_is_named_and_the_others_are_shown(store, put_alone):
    put_alone("relu")
    put_alone("gelu", shape=["4"])
    (store.path / "costs" / "torn.json").write_text('{"key": ')
    (table,) = cost_tables(store.costs())
    assert [cost.activation for cost in table.costs] == ["relu"]
    assert len(store.problems) == 2


@pytest.mark.parametrize(
    ("seconds", "words"), [(2.5, "2.50 s"), (1.234e-3, "1.23 ms"), (9.99e-7, "0.999 us"), (0.1, "100 ms")]
)
def test_durations(seconds, words):
    assert duration(seconds) == words
