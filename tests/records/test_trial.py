"""Trials and records: a key that names the same trial for good, and JSON that gives back what went in."""

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afbench.errors import UsageError
from afbench.records.checks import NewerSchema
from afbench.records.trial import SCHEMA, Record, Status, Trial

TRIAL = Trial("gmm", "pau[version=b]", 3, {"lr": 0.01, "epochs": 5})
FULL = Record(
    TRIAL,
    Status.OK,
    about={"metric": "accuracy", "references": {"Bayes": 92.4}},
    resolved={"task": {"lr": 0.01, "epochs": 5}, "activation": {"version": "b"}},
    metrics={"accuracy": 100 / 3, "tiny": 5e-324},
    parameters={"activation": 20, "trainable": 100, "total": 120},
    seconds=1.25,
    concurrency=2,
    versions={"task": 1, "activation": 2, "loop": 1},
    source="activation=9f3c",
    environment="1a2b",
    started="2026-01-01T00:00:00+00:00",
    attempt=2,
    error={"type": "ValueError", "message": "no\nway", "traceback": "…"},
)


def without(text: str, **changes: object) -> str:
    """Change the JSON of a record as somebody with an editor would; None takes a name out."""
    held = json.loads(text) | changes
    return json.dumps({name: value for name, value in held.items() if value is not None})


def test_key_is_the_head_of_the_hash_of_the_canonical_json() -> None:
    text = '{"activation":"relu","seed":0,"settings":{"epochs":5,"lr":0.01},"task":"gmm"}'
    expected = hashlib.sha256(text.encode()).hexdigest()[:16]
    assert Trial("gmm", "relu", 0, {"lr": 0.01, "epochs": 5}).key == expected


def test_key_does_not_depend_on_the_order_of_settings() -> None:
    assert Trial("t", "a", 0, {"x": 1, "y": 2}).key == Trial("t", "a", 0, {"y": 2, "x": 1}).key


@pytest.mark.parametrize(
    "other",
    [
        Trial("gmm2", "pau[version=b]", 3, TRIAL.settings),
        Trial("gmm", "pau[version=a]", 3, TRIAL.settings),
        Trial("gmm", "pau[version=b]", 4, TRIAL.settings),
        Trial("gmm", "pau[version=b]", 3, {"lr": 0.02, "epochs": 5}),
        Trial("gmm", "pau[version=b]", 3, {"lr": 0.01}),
    ],
)
def test_key_depends_on_every_part_of_the_trial(other: Trial) -> None:
    assert other.key != TRIAL.key


def test_key_tells_settings_of_different_types_apart() -> None:
    keys = {Trial("t", "a", 0, {"x": value}).key for value in (1, 1.0, True, "1", None)}
    assert len(keys) == 5


def test_key_survives_json() -> None:
    assert Record.from_json(FULL.to_json()).key == TRIAL.key


def test_a_full_record_comes_back_from_json_as_it_was() -> None:
    assert Record.from_json(FULL.to_json()) == FULL


def test_a_bare_record_comes_back_from_json_as_it_was() -> None:
    bare = Record(Trial("t", "a", 0), Status.LOST)
    assert Record.from_json(bare.to_json()) == bare


values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


@settings(deadline=None, derandomize=True)
@given(st.text(), st.text(), st.integers(), st.dictionaries(st.text(), values), st.sampled_from(Status))
def test_any_trial_comes_back_from_json(task: str, spec: str, seed: int, changed: dict, status: Status) -> None:
    record = Record(Trial(task, spec, seed, changed), status, metrics={"accuracy": 0.1})
    back = Record.from_json(record.to_json())
    assert back == record
    assert back.key == record.key


def test_metrics_keep_every_bit() -> None:
    back = Record.from_json(FULL.to_json())
    assert {name: value.hex() for name, value in back.metrics.items()} == {
        "accuracy": (100 / 3).hex(),
        "tiny": (5e-324).hex(),
    }


def test_json_holds_schema_key_and_trial_by_name() -> None:
    held = json.loads(FULL.to_json())
    assert held["schema"] == 1
    assert held["key"] == TRIAL.key
    assert held["status"] == "ok"
    assert held["trial"] == {
        "task": "gmm",
        "activation": "pau[version=b]",
        "seed": 3,
        "settings": {"lr": 0.01, "epochs": 5},
    }


def test_a_field_that_this_schema_does_not_know_is_passed_over() -> None:
    assert Record.from_json(without(FULL.to_json(), remark="by hand")) == FULL


def test_a_newer_schema_is_refused_and_says_to_upgrade() -> None:
    with pytest.raises(NewerSchema, match=f"schema {SCHEMA + 1} is newer.*upgrade"):
        Record.from_json(without(FULL.to_json(), schema=SCHEMA + 1))


def test_a_newer_schema_is_known_as_such_even_if_all_else_has_changed() -> None:
    with pytest.raises(NewerSchema):
        Record.from_json(json.dumps({"schema": SCHEMA + 1}))


@pytest.mark.parametrize("part", ["seed", "task", "activation", "settings"])
def test_a_record_whose_trial_was_edited_is_refused(part: str) -> None:
    other = {"seed": 4, "task": "x", "activation": "relu", "settings": {}}[part]
    held = json.loads(FULL.to_json())
    held["trial"][part] = other
    with pytest.raises(UsageError, match="key"):
        Record.from_json(json.dumps(held))


@pytest.mark.parametrize("key", ["0" * 16, None])
def test_a_record_with_another_key_or_none_is_refused(key: str | None) -> None:
    with pytest.raises(UsageError, match="key"):
        Record.from_json(without(FULL.to_json(), key=key))


def test_text_that_is_not_json_is_refused_with_its_line() -> None:
    with pytest.raises(UsageError, match="not JSON \\(line 2"):
        Record.from_json('{"schema": 1,\n oops')


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "3",
        "null",
        "{}",
        '{"schema": "one"}',
        '{"schema": 1}',
        '{"schema": 1, "trial": 3, "status": "ok"}',
        '{"schema": 1, "trial": {"task": "t"}, "status": "ok"}',
        without(FULL.to_json(), status="splendid"),
        without(FULL.to_json(), status=None),
    ],
)
def test_json_that_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a record"):
        Record.from_json(text)


def test_what_would_end_the_same_way_counts_as_done() -> None:
    assert {status for status in Status if status.done} == {Status.OK, Status.DIVERGED, Status.ERROR}


def test_the_reason_is_the_errors_message_or_empty() -> None:
    assert FULL.reason == "no\nway"
    assert Record(TRIAL, Status.OK).reason == ""


@pytest.mark.parametrize(
    "damage",
    [
        {"metrics": ["accuracy"]},
        {"metrics": {"accuracy": "x"}},
        {"parameters": 3},
        {"about": []},
        {"versions": None},
        {"error": "x"},
        {"seconds": "x"},
        {"resolved": None},
    ],
    ids=str,
)
def test_a_record_whose_fields_are_damaged_is_none(damage):
    record = Record(Trial("gmm", "relu", 0), Status.OK, metrics={"accuracy": 1.0})
    text = json.dumps(json.loads(record.to_json()) | damage)
    with pytest.raises(UsageError, match=f"its {next(iter(damage))} is damaged"):
        Record.from_json(text)
