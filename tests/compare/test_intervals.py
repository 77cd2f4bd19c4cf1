"""The interval of a ratio of medians, against simulation."""

import numpy as np
import pytest

from afbench.compare.intervals import ratio_of_medians
from afbench.records.cost import Figure


def summed(values):
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    return Figure(float(median), float(low), float(high), len(values))


@pytest.mark.parametrize(("n", "m"), [(5, 5), (5, 15), (15, 15), (30, 30)])
@pytest.mark.parametrize("kind", ["normal", "exponential"])
def test_the_interval_covers_the_true_ratio(kind, n, m):
    rng = np.random.default_rng(0)
    draw = getattr(rng, kind)
    hits = []
    for _ in range(600):
        left, right = 1 + 0.04 * draw(size=n), 1.3 * (1 + 0.04 * draw(size=m))
        found = ratio_of_medians(summed(left), summed(right))
        hits.append(found.low <= 1.3 <= found.high)
    assert 0.91 < np.mean(hits) <= 0.995


def test_it_agrees_with_a_bootstrap_of_the_rounds():
    rng = np.random.default_rng(1)
    left, right = 1 + 0.03 * rng.normal(size=200), 1.2 * (1 + 0.03 * rng.normal(size=200))
    draws = [np.median(rng.choice(right, 200)) / np.median(rng.choice(left, 200)) for _ in range(4000)]
    found = ratio_of_medians(summed(left), summed(right))
    assert (found.low, found.high) == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.004)
    assert found.value == np.median(right) / np.median(left)


def test_swapping_the_sides_inverts_it():
    a, b = Figure(1.0, 0.98, 1.03, 15), Figure(1.4, 1.3, 1.45, 7)
    there, back = ratio_of_medians(a, b), ratio_of_medians(b, a)
    assert (back.low, back.high) == pytest.approx((1 / there.high, 1 / there.low))


@pytest.mark.parametrize("bad", [Figure(), Figure(0.0, 0.0, 0.0, 15), Figure(-1.0, -1.0, -1.0, 15)])
def test_no_median_no_ratio(bad):
    assert ratio_of_medians(bad, Figure(1.0, 0.9, 1.1, 15)) is None


@pytest.mark.parametrize("bare", [Figure(1.0), Figure(1.0, 0.9, 1.1, None), Figure(1.0, 0.9, 1.1, 1)])
def test_too_little_for_an_interval_leaves_the_ratio(bare):
    found = ratio_of_medians(bare, Figure(2.0, 1.9, 2.1, 15))
    assert (found.value, found.low, found.high) == (2.0, None, None)


def test_quartiles_that_coincide_have_an_interval_of_no_width():
    one = Figure(1.0, 1.0, 1.0, 15)
    assert ratio_of_medians(one, one).low == 1.0 == ratio_of_medians(one, one).high
