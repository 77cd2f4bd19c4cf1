"""Two groups of seeds: what is split, what is not, and how often normal samples are split by chance."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afbench.statistics.modes import modes


@pytest.mark.parametrize(
    ("values", "counts", "medians"),
    [
        ([91.0, 4.0, 90.0, 92.0, 6.0], (3, 2), (91.0, 5.0)),
        ([90.0, 91.0, 4.0, 5.0], (2, 2), (90.5, 4.5)),
        ([88.0, 92.0, 85.0, 2.0, 9.0], (3, 2), (88.0, 5.5)),
        ([91.0, 90.5, 90.0, 90.2, 5.0], (4, 1), (90.35, 5.0)),
        ([1e-7, 1.1e-7, 1.2e-7, 5e-3, 5.1e-3], (2, 3), (5.05e-3, 1.1e-7)),
        ([91.0] * 3 + [5.0] * 2, (3, 2), (91.0, 5.0)),
        ([90.0 + i / 10 for i in range(15)] + [5.0 + i for i in range(15)], (15, 15), (90.7, 12.0)),
    ],
)
def test_groups_are_found_and_counted(values, counts, medians):
    found = modes(values)
    assert found is not None and found.counts == counts and found.medians == pytest.approx(medians)
    assert modes([-value for value in values]).counts == counts[::-1]


@pytest.mark.parametrize(
    "values",
    [
        [],
        [91.0],
        [91.0, 5.0],
        [91.0, 90.0, 5.0],
        [90.0] * 6,
        [97.78, 97.78, 98.06, 98.06, 98.06],  # steps of a test of 360 samples
        [0.0, 0.0, 0.0, 0.0],
        [91.0, math.nan, 5.0, 4.0],
        [10.0, 20.0, 31.0, 39.0, 52.0],
    ],
)
def test_one_group_stays_one(values):
    assert modes(values) is None


@pytest.mark.parametrize("n", [4, 5, 7, 10, 20, 30])
def test_normal_samples_are_split_in_at_most_one_of_a_hundred(n):
    times = 4000
    draws = np.random.default_rng(100 + n).normal(0.0, 1.0, (times, n))  # around 0 the gap is always relevant
    share = np.mean([modes(row) is not None for row in draws])
    assert share < 0.01 + 3 * math.sqrt(0.01 * 0.99 / times)


@given(st.lists(st.floats(-1e300, 1e300), max_size=12))
def test_no_values_break_it(values):
    found = modes(values)
    assert found is None or sum(found.counts) == len(values)
