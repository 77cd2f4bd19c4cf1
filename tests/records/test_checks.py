"""Damaged records: each is named in a line and left out, or printed without a NaN; no report ends in a traceback."""

from __future__ import annotations

import copy
import json
import re

import pytest

from afbench.records.store import Store
from afbench.records.trial import Record, Status, Trial
from afbench.report.summary import tables
from afbench.report.tables.formats import FORMATS, render
from afbench.report.tables.task_grid import task_grid

NASTY = [
    float("nan"),
    float("inf"),
    -float("inf"),
    "x",
    "",
    True,
    None,
    10**400,
    -1,
    {"a": {"b": 1}},
    [],
    [1, "x"],
    1e308,
]
ABOUT = {
    "headline": "Two moons",
    "metric": "accuracy",
    "unit": "%",
    "higher_is_better": True,
    "target": 97.0,
    "references": {"best possible": 98.25},
    "bounds": {"accuracy": [0.0, 100.0]},
    "plots": [],
}


@pytest.fixture
def store(tmp_path):
    store = Store.open(tmp_path, write=True)
    for name in ("relu", "pau"):
        for seed in range(2):
            store.write(
                Record(
                    Trial("moons", name, seed, {"lr": 0.1}),
                    Status.OK,
                    ABOUT,
                    {"task": {"device": "cpu", "dtype": "float32"}},
                    {"accuracy": 90.0 + seed, "mse": 0.1},
                    {"activation": 3, "trainable": 9, "total": 9},
                    versions={"torch": "2.13.0", "kernels": "native"},
                )
            )
    return store


def paths(held, head=()):
    for name, value in held.items():
        yield (*head, name)
        if isinstance(value, dict):
            yield from paths(value, (*head, name))


def test_no_damage_reaches_a_table(store):
    """Every value of a record in turn is replaced; the formats take turns, since all print the same cells."""
    (file, *_) = sorted((store.path / "trials").glob("*.json"))
    whole = json.loads(file.read_text())
    turn = left_out = 0
    for *head, last in paths(whole):
        for nasty in NASTY:
            broken = copy.deepcopy(whole)
            inner = broken
            for name in head:
                inner = inner[name]
            inner[last] = nasty
            file.write_text(json.dumps(broken))
            turn += 1
            made = tables(store)
            shown = render(map(task_grid, made), list(FORMATS)[turn % len(FORMATS)])
            assert not re.search(r"\bnan\b|(?<![\w-])-?inf\b|infinity", shown.lower()), (head, last, nasty)
            assert all("\n" not in problem and len(problem) < 400 for problem in store.problems.values())
            left_out += bool(store.problems)
    assert left_out > 200


@pytest.mark.parametrize(
    ("part", "damage"),
    [
        ("metrics", {"accuracy": "90"}),
        ("metrics", {"accuracy": True}),
        ("metrics", {"accuracy": 10**400}),
        ("metrics", {"accuracy": {"mean": 90.0}}),
        ("parameters", {"activation": float("nan")}),
        ("parameters", {"activation": -3}),
        ("parameters", {"activation": 1.5}),
        ("about", {"target": float("nan")}),
        ("about", {"higher_is_better": "false"}),
        ("about", {"bounds": {"accuracy": [0, float("nan")]}}),
        ("about", {"metric": 3}),
        ("versions", {"torch": float("inf")}),
        ("source", 3),
        ("schema", 1e308),
        ("schema", True),
    ],
)
def test_what_is_damaged_is_named(store, part, damage):
    (file, *_) = sorted((store.path / "trials").glob("*.json"))
    held = json.loads(file.read_text())
    held[part] = {**held[part], **damage} if isinstance(damage, dict) else damage
    file.write_text(json.dumps(held))
    assert len(store.records()) == 3
    (problem,) = store.problems.values()
    assert f"its {part} is damaged" in problem and "left alone and not counted" in problem


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_metric_that_is_not_finite_is_a_failure_of_its_row(store, value):
    (file, *_) = sorted((store.path / "trials").glob("*.json"))
    held = json.loads(file.read_text())
    held["metrics"]["accuracy"] = value
    file.write_text(json.dumps(held))
    (table,) = tables(store)
    row = next(row for row in table.rows if row.failures)
    assert row.failures[0].status == "no finite accuracy" and row.ok == 1


def test_a_later_schema_is_still_told_from_damage(store):
    from afbench.records.checks import NewerSchema

    (file, *_) = sorted((store.path / "trials").glob("*.json"))
    file.write_text(json.dumps({**json.loads(file.read_text()), "schema": 2}))
    with pytest.raises(NewerSchema, match="schema 2 is newer"):
        store.records()
