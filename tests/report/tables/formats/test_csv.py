"""Tables as CSV: every digit, one header."""

from __future__ import annotations

import csv
import io

from afbench.report.summary import tables
from afbench.report.tables.formats import render
from afbench.report.tables.task_grid import task_grid


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


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
