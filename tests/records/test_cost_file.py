"""Damaged cost files: each is either read by every report, or named and left alone."""

import contextlib
import copy
import json
from pathlib import Path

import pytest

from afbench.compare.comparison import compare
from afbench.errors import UsageError
from afbench.records.cost_file import check_cost
from afbench.records.store import Store
from afbench.report.tables.cost_table import cost_grid
from afbench.report.tables.cost_tables import cost_tables
from afbench.report.tables.formats import render

FIGURE = {"median": 1e-3, "quartiles": [0.9e-3, 1.1e-3], "samples": 15, "unstable": []}
PASS = {"cold": {"seconds": FIGURE, "relu": FIGURE, "gelu": FIGURE, "copy": FIGURE, "calls": 4}, "warm": None}
ALONE = {
    "schema": 1, "key": "a", "kind": "alone", "activation": "pau", "shape": [2, 3], "dtype": "float32", "mode": "eager",
    "device": "cpu", "threads": 1, "environment": "e", "commit": "c", "measured": "2026-01-01", "status": "ok",
    "versions": {"torch": "2"}, "saved": {"bytes": 24, "per_element": 4.0}, "parameters": {"activation": 10},
    "cache_bytes": 100, "forward": PASS, "training": PASS,
}  # fmt: skip
STEP = {"ratio": 2.0, "quartiles": [1.9, 2.1], "rounds": 15, "unstable": [], "seconds": 1e-3}
NETWORK = {
    "schema": 1, "key": "n", "task": "gmm", "activation": "pau", "baseline": "relu", "settings": {"lr": 0.1},
    "device": "cpu", "threads": 1, "environment": "e", "status": "ok", "step": STEP, "inference": STEP,
    "saved": {"bytes": 8, "ratio": 1.0, "added_bytes": 4}, "parameters": {"activation": 1, "trainable": 2, "total": 2},
}  # fmt: skip
NASTY = [
    None,
    True,
    -1,
    10**400,
    1e308,
    float("nan"),
    "",
    "word",
    "\ud800",
    [],
    [None],
    [10**400],
    {},
    {"\udfff": 1},
    "GONE",
]


def paths(held, head=()):
    for name, value in held.items():
        yield (*head, name)
        if isinstance(value, dict):
            yield from paths(value, (*head, name))


@pytest.mark.parametrize("cost", [ALONE, NETWORK], ids=["alone", "network"])
def test_no_damage_reaches_a_report(tmp_path: Path, cost):
    whole, damaged = Store(tmp_path / "whole"), Store(tmp_path / "damaged")
    whole.write_json("costs", "it", cost)
    read, refused = 0, 0
    for *head, last in paths(cost):
        for nasty in NASTY:
            broken = copy.deepcopy(cost)
            inner = broken
            for name in head:
                inner = inner[name]
            if nasty == "GONE":
                del inner[last]
            else:
                inner[last] = nasty
            (damaged.path / "costs").mkdir(parents=True, exist_ok=True)
            (damaged.path / "costs" / "it.json").write_text(json.dumps(broken))
            tables = cost_tables(damaged.costs())
            read, refused = read + bool(tables), refused + bool(damaged.problems)
            assert bool(tables) != bool(damaged.problems), (head, last, nasty)
            [render(map(cost_grid, tables), format).encode() for format in ("text", "csv")]
            if tables:
                with contextlib.suppress(UsageError):  # such as another kind of cost
                    compare(whole.path, damaged.path)
            damaged.problems.clear()
    assert read > 100 and refused > 50


def test_a_damaged_part_is_named():
    with pytest.raises(TypeError, match="its activation is damaged"):
        check_cost({"key": "a"})
    with pytest.raises(TypeError, match="its 'settings' holds what cannot be printed"):
        check_cost({**NETWORK, "settings": {"lr": 10**400}})


@pytest.mark.parametrize(
    ("part", "damage"),
    [
        ("step", {"ratio": float("nan")}),
        ("step", {"ratio": float("inf")}),
        ("step", {"ratio": "1.3"}),
        ("step", {"ratio": True}),
        ("step", {"ratio": 10**400}),
        ("step", {"ratio": -1.0}),
        ("step", {"ratio": {"a": 1}, "quartiles": [1.0, {"b": 1}]}),
        ("step", {"quartiles": [1.4, 1.2]}),
        ("step", {"quartiles": [1.4, float("nan")]}),
        ("inference", {"unstable": "quartiles"}),
        ("saved", {"ratio": [1.25]}),
        ("saved", {"bytes": float("-inf")}),
        ("parameters", {"activation": 1.5}),
        ("parameters", {"activation": -1}),
        ("parameters", {"activation": True}),
    ],
)
def test_figures_that_are_no_numbers_are_named_and_left_out(tmp_path, part, damage):
    store = Store(tmp_path)
    store.write_json("costs", "n", {**NETWORK, part: {**NETWORK[part], **damage}})
    assert store.costs() == []
    assert f"its {part} is damaged" in store.problems["costs/n"] and "\n" not in store.problems["costs/n"]
