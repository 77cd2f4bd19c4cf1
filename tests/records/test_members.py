"""Records of two sources, and two records of one seed, never share a number."""

from __future__ import annotations

import math

from afbench.records.groups import grouped
from afbench.records.members import is_older, members, spec_of, values
from afbench.records.trial import Record, Status, Trial

PLACE = {"task": {"device": "cpu", "dtype": "float32"}}


def record(activation, seed, metric=90.0, settings=None, status=Status.OK, **fields):
    metrics = {} if metric is None else {"accuracy": metric}
    known = {"resolved": PLACE, "metrics": metrics, "versions": {"torch": "2"}, "started": "2026-01-01"}
    return Record(Trial("moons", activation, seed, settings or {}), status, **{**known, **fields})


def edited():
    """A user's activation whose code was edited after two of its four seeds."""
    old = [record("my:Snake", seed, source="activation=aaaa1234", started="2026-01-01") for seed in (0, 1)]
    return [*old, *(record("my:Snake", seed, source="activation=bbbb1234", started="2026-01-02") for seed in (2, 3))]


def seeds(rows):
    return {name: sorted(one.trial.seed for one in same) for name, same in rows.items()}


def test_records_of_two_sources_never_share_a_row():
    rows, notes = members([*edited(), record("relu", 0)])
    assert seeds(rows) == {"my:Snake": [2, 3], "my:Snake (older code aaaa)": [0, 1], "relu": [0]} and not notes
    assert is_older("my:Snake (older code aaaa)") and spec_of("my:Snake (older code aaaa)") == "my:Snake"


def test_afbenchs_own_code_is_told_apart_by_versions_alone():
    rows, _ = members([record("relu", 0, source="0123456789abcdef"), record("relu", 1, source="fedcba9876543210")])
    assert seeds(rows) == {"relu": [0, 1]}  # sources as records of 0.1 have them


def test_a_task_whose_code_was_edited_sets_all_older_rows_apart():
    made = [
        record(name, seed, source=f"task={'bbbb' if seed > 1 else 'aaaa'}", started=f"2026-01-0{seed + 1}")
        for seed in range(4)
        for name in ("relu", "pau")
    ]
    older = {f"{name} (older code aaaa)": [0, 1] for name in ("relu", "pau")}
    assert seeds(members(made)[0]) == {"relu": [2, 3], "pau": [2, 3], **older}


def test_a_trial_that_died_before_it_told_its_source_counts_among_the_newest():
    lost = record("my:Snake", 4, None, status=Status.LOST, resolved={}, versions={})
    assert seeds(members([*edited(), lost])[0])["my:Snake"] == [2, 3, 4]


def test_two_records_of_one_seed_count_once_and_are_named():
    first = record("relu", 0, 90.0, {"lr": 0.1}, started="2026-01-01")
    second = record("relu", 0, 70.0, {"lr": "0.1"}, started="2026-01-02")  # another key, the same printed settings
    (group,) = grouped([first, second]).values()
    rows, notes = members(group)
    assert values(rows["relu"], "accuracy") == {0: 70.0}
    assert notes == ["relu has several records of seed 0; the newest counts"]


def test_a_trial_that_ended_well_without_saying_where_it_ran_joins_no_device():
    here, nowhere = record("relu", 0), record("relu", 1, resolved={})
    assert [len(same) for same in grouped([here, nowhere]).values()] == [1, 1]
    failed = record("relu", 2, None, status=Status.LOST, resolved={})
    assert [len(same) for same in grouped([here, failed]).values()] == [2]


def test_a_value_is_a_finite_number_of_a_trial_that_ended_well():
    bad = [record("relu", 1, math.nan), record("relu", 2, 5.0, status=Status.DIVERGED), record("relu", 3, None)]
    assert values([record("relu", 0), *bad], "accuracy") == {0: 90.0}
