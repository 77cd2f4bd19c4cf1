"""Costs: both schemas give the same numbers; a damaged file is read by every report, or named and left alone."""

import contextlib
import copy
import json
from pathlib import Path

import pytest

from afbench.compare.comparison import compare
from afbench.errors import UsageError
from afbench.records.cost import Cost, Figure, Timing
from afbench.records.store import Store
from afbench.report.tables.cost_table import cost_grid, cost_tables
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


KINDS = {"alone": ALONE, "network": NETWORK}
KINDS |= {f"{kind} of schema 2": Cost.from_json(json.dumps(held)).to_dict() for kind, held in KINDS.items()}


@pytest.mark.parametrize("cost", KINDS.values(), ids=KINDS)
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
    with pytest.raises(UsageError, match="its activation is damaged"):
        Cost.from_json(json.dumps({"key": "a"}))
    with pytest.raises(UsageError, match="its 'settings' holds what cannot be printed"):
        Cost.from_json(json.dumps({**NETWORK, "settings": {"lr": 10**400}}))
    with pytest.raises(UsageError, match="schema 3 is newer than this afbench reads"):
        Cost.from_json(json.dumps({**NETWORK, "schema": 3}))


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


def same(figure: Figure, held, median="median", quartiles="quartiles", samples="samples", unstable="unstable"):
    """Tell whether a figure says what JSON of schema 1 says."""
    low, high = held.get(quartiles) or (None, None)
    told = (held[median], low, high, held.get(samples), tuple(held.get(unstable) or ()))
    return (figure.median, figure.low, figure.high, figure.samples, figure.unstable) == told


def check_alone(cost: Cost, held):
    for which in ("forward", "training"):
        for temperature in ("cold", "warm"):
            timing, place = cost.time(f"{which}_{temperature}"), (held.get(which) or {}).get(temperature)
            if place is None:
                assert timing == Timing()
                continue
            assert same(timing.seconds, place["seconds"]) and timing.calls == place["calls"]
            for yard in ("relu", "gelu", "copy"):
                assert same(timing.ratio(yard), place[yard])
                assert same(timing.beside[yard], place["yardsticks"][yard])


def check_network(cost: Cost, held):
    for part in ("step", "inference"):
        timing, its = cost.time(part), held[part]
        assert same(timing.ratio(cost.baseline), its, "ratio", samples="rounds")
        assert same(timing.seconds, its, "seconds", "seconds_quartiles", "rounds", "seconds_unstable")
        assert timing.beside[cost.baseline].median == its["baseline_seconds"]
    assert cost.step == cost.time("step").ratio(cost.baseline)


REFERENCE = Path(__file__).parents[2] / "results/reference"


@pytest.mark.parametrize("folder", ["cost", "gmm"])
def test_every_reference_cost_gives_the_numbers_of_its_file(folder):
    files = sorted((REFERENCE / folder / "costs").glob("*.json"))
    assert len(files) > 10
    for file in files:
        held, cost = json.loads(file.read_text()), Cost.from_json(file.read_text())
        times = {"forward", "training", "step", "inference", "schema"}
        kept = {name: value for name, value in held.items() if name not in times and value not in (None, {}, "")}
        known = {"kind": "network", "concurrency": 1, **kept}
        assert {name: value for name, value in cost.to_dict().items() if name not in ("times", "schema")} == known
        if cost.ok:
            (check_alone if cost.alone else check_network)(cost, held)
        assert Cost.from_json(cost.to_json()) == cost
