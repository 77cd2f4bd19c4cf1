"""Metrics: one name everywhere, bounds that are declared, and what is damaged bounds nothing."""

import json
import math

import pytest

from afbench.statistics.metric import UNBOUNDED, Bounds, bounds_of, declare, written


@pytest.mark.parametrize(
    ("metric", "name"),
    [("r2", "R2"), ("mse", "MSE"), ("accuracy", "accuracy"), ("best_on_test_r2", "best on test R2"), ("_", "_")],
)
def test_names(metric, name):
    assert written(metric) == name


def test_declared_bounds_survive_json():
    about = json.loads(json.dumps({"bounds": declare({"r2": (-math.inf, 100.0), "mse": (0, math.inf)})}))
    assert bounds_of(about, "r2") == Bounds(high=100.0) and bounds_of(about, "mse") == Bounds(low=0.0)
    assert bounds_of(about, "other") == UNBOUNDED


@pytest.mark.parametrize(
    "ends", [None, "0-100", [0], [1, 2, 3], ["a", "b"], [True, False], [100, 0], [5, 5], {}, [[0], 1]]
)
def test_damaged_bounds_are_none(ends):
    assert bounds_of({"bounds": {"r2": ends}}, "r2") == UNBOUNDED
    assert bounds_of({"bounds": ends, "metric": "speed"}, "speed") == UNBOUNDED


def test_records_from_before_bounds_were_declared_have_those_of_the_metrics_that_afbench_measures():
    old = {"metric": "r2", "unit": "%"}
    assert bounds_of(old, "r2") == Bounds(high=100.0) and bounds_of(old, "mse") == Bounds(low=0.0)
    assert bounds_of({"metric": "accuracy", "unit": "%"}, "accuracy") == Bounds(0.0, 100.0)
    assert bounds_of({"metric": "r2", "unit": ""}, "r2") == UNBOUNDED  # another unit has another range
