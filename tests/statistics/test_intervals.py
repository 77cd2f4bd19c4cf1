"""Intervals: coverage by simulation, worked examples, bounds, and the bootstrap against SciPy's."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from afbench.statistics import intervals
from afbench.statistics.intervals import BOOTSTRAP, BOOTSTRAP_FROM, STUDENT, differences, interval
from afbench.statistics.metric import Bounds

numbers = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
few = st.lists(numbers, min_size=2, max_size=8)


def paired(a, b):
    return interval(differences(a, b))


def coverage(covers, n, times, seed=0):
    """The share of intervals over n normal values that hold the true mean, and four binomial standard errors."""
    draws = np.random.default_rng(seed).normal(3.0, 2.0, size=(times, n))
    return np.mean([3.0 in covers(values) for values in draws]), 4 * math.sqrt(0.95 * 0.05 / times)


def test_students_interval_over_five_seeds_covers_95_percent():
    share, error = coverage(interval, n=5, times=2000)
    assert abs(share - 0.95) < error


def test_a_bootstrap_over_five_seeds_covers_84_percent_which_is_why_it_is_not_used():
    draws = np.random.default_rng(1).normal(size=(2000, 5))
    rng = np.random.default_rng(2)
    hits = []
    for part in np.split(draws, 20):
        ends = stats.bootstrap((part,), np.mean, axis=1, n_resamples=999, method="BCa", rng=rng).confidence_interval
        hits.append(np.mean((ends.low <= 0) & (ends.high >= 0)))
    assert 0.80 < np.mean(hits) < 0.88


@pytest.mark.slow
def test_a_bootstrap_over_twenty_seeds_covers_nearly_95_percent():
    share, _ = coverage(interval, n=20, times=400)
    assert 0.89 < share < 0.97


def test_interval_of_five_worked_by_hand():
    # mean 92, standard deviation sqrt(10), standard error sqrt(2), t(0.975, 4) = 2.776445
    found = interval([88.0, 90.0, 92.0, 94.0, 96.0])
    assert (found.mean, found.method, found.n) == (92.0, STUDENT, 5)
    assert found.low == pytest.approx(92 - 2.776445 * math.sqrt(2), abs=1e-5)
    assert found.high == pytest.approx(92 + 2.776445 * math.sqrt(2), abs=1e-5)
    assert found.half_width == pytest.approx(2.776445 * math.sqrt(2), abs=1e-5)


def test_the_method_changes_at_twenty():
    values = np.random.default_rng(0).exponential(size=BOOTSTRAP_FROM)
    assert interval(values[:-1]).method == STUDENT
    assert interval(values).method == BOOTSTRAP
    assert interval(values) == interval(values)  # the same table each time
    assert interval(values).low != interval(values, level=0.5).low


def test_a_bootstrap_agrees_with_resampling_written_apart():
    values = np.random.default_rng(3).normal(size=40)
    means = np.random.default_rng(4).choice(values, size=(20_000, 40)).mean(axis=1)
    found = interval(values)
    assert (found.low, found.high) == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.03)


@pytest.mark.parametrize("values", [[], [math.nan, 1.0], [math.inf, 1.0, 2.0]])
def test_no_values_or_broken_ones_have_neither_mean_nor_interval(values):
    found = interval(values)
    assert math.isnan(found.mean) and not found.known and found.mean not in found


def test_one_value_has_a_mean_and_no_interval():
    found = interval([91.5])
    assert found.mean == 91.5 and found.n == 1 and not found.known
    assert 91.5 not in found


@pytest.mark.parametrize("count", [2, 5, 25])
def test_equal_values_have_an_interval_of_no_width(count):
    found = interval([0.1] * count)
    assert (found.mean, found.low, found.high) == (0.1, 0.1, 0.1) and found.known


@pytest.mark.parametrize("count", [3, 25])
@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_tiny_and_huge_values_neither_vanish_nor_overflow(count, scale):
    found = interval([scale * (1 + i / 100) for i in range(count)])
    assert found.low < found.mean < found.high < math.inf


@given(few)
def test_interval_holds_its_mean_whatever_the_order(values):
    found = interval(values)
    assert found.low <= found.mean <= found.high
    assert interval(sorted(values)).high == pytest.approx(found.high, rel=1e-9, abs=1e-9)


@given(few, numbers)
def test_interval_moves_with_its_values(values, shift):
    here, there = interval(values), interval([value + shift for value in values])
    assert there.low == pytest.approx(here.low + shift, rel=1e-6, abs=1e-3)


def test_paired_uses_the_seeds_that_both_have():
    a, b = {0: 1.0, 1: 4.0, 2: 9.0, 7: 100.0}, {2: 4.0, 1: 2.0, 0: 0.0, 9: -100.0}
    assert paired(a, b) == interval([1.0, 2.0, 5.0])
    assert paired(a, {}).n == 0 and not paired(a, {}).known


def test_pairing_finds_a_difference_that_the_spread_over_seeds_hides():
    luck = np.random.default_rng(0).normal(0, 5, size=5)
    a, b = dict(enumerate(luck + 1.0 + np.array([0.1, -0.1, 0, 0.05, 0.02]))), dict(enumerate(luck))
    assert interval(a.values()).low < interval(b.values()).high
    assert paired(a, b).low > 0.5


def skewed(kind, n, times, rng):
    """Distances to a bound of 100 whose mean is 1: some far from normal."""
    return {
        "normal": lambda: np.maximum(rng.normal(1.0, 0.2, (times, n)), 0.0),
        "exponential": lambda: rng.exponential(1.0, (times, n)),
        "gamma": lambda: rng.gamma(2.0, 0.5, (times, n)),
        "half-normal": lambda: np.abs(rng.normal(0, math.sqrt(math.pi / 2), (times, n))),
    }[kind]()


@pytest.mark.parametrize("n", [3, 5, 10, 19])
@pytest.mark.parametrize("kind", ["normal", "exponential", "gamma", "half-normal"])
@pytest.mark.parametrize("bounds", [Bounds(0.0, 100.0), Bounds(high=100.0)])
def test_near_a_bound_an_interval_stays_within_and_covers_the_mean(n, kind, bounds):
    times = 2000
    draws = 100.0 - np.minimum(skewed(kind, n, times, np.random.default_rng(n)), 100.0)
    found = intervals.intervals(draws, bounds=bounds)
    assert all(bounds.low <= one.low <= one.mean <= one.high <= 100.0 for one in found)
    share = np.mean([99.0 in one for one in found])
    half = stats.t.ppf(0.975, n - 1) * draws.std(axis=1, ddof=1) / math.sqrt(n)
    students = np.mean(np.abs(draws.mean(axis=1) - 99.0) <= half)  # cut off at 100 or not: the mean is never beyond
    assert share >= students - 0.01
    assert share > 0.91 and share < 0.97


@pytest.mark.parametrize("values", [[97.0, 98.0, 99.9], [1.0, 3.0, 0.1], [40.0, 60.0, 80.0, 100.0]])
def test_an_interval_between_two_bounds_is_students_of_the_log_odds(values):
    from scipy.special import expit, logit

    x = np.array(values) / 100
    half = stats.t.ppf(0.975, x.size - 1) * x.std(ddof=1) / math.sqrt(x.size) / (x.mean() * (1 - x.mean()))
    found = interval(values, bounds=Bounds(0.0, 100.0))
    assert (found.low, found.high) == pytest.approx(tuple(100 * expit(logit(x.mean()) + np.array([-half, half]))))
    assert found.method == intervals.BOUNDED


def test_an_interval_beyond_one_bound_is_students_of_the_log_distance():
    values = np.array([90.1, 97.5, 99.8])
    distance = 100 - values
    half = stats.t.ppf(0.975, 2) * distance.std(ddof=1) / math.sqrt(3) / distance.mean()
    found = interval(values, bounds=Bounds(high=100.0))
    assert (found.low, found.high) == pytest.approx(
        (100 - distance.mean() * math.exp(half), 100 - distance.mean() * math.exp(-half))
    )
    mirrored = interval(distance, bounds=Bounds(low=0.0))
    assert (mirrored.low, mirrored.high) == pytest.approx((100 - found.high, 100 - found.low))


def test_far_from_the_bounds_it_is_students_interval():
    values = [50.0, 50.01, 50.02, 49.99, 50.03]
    here, there = interval(values), interval(values, bounds=Bounds(0.0, 100.0))
    assert (there.low, there.high) == pytest.approx((here.low, here.high), abs=1e-5)


def test_values_beyond_their_bounds_show_that_the_bounds_are_wrong():
    assert interval([0.9, 1.1, 1.2], bounds=Bounds(0.0, 1.0)) == interval([0.9, 1.1, 1.2])


@given(st.lists(st.floats(0, 100), min_size=2, max_size=8))
def test_no_values_leave_the_range_or_break_it(values):
    found = interval(values, bounds=Bounds(0.0, 100.0))
    assert 0.0 <= found.low <= found.mean * (1 + 1e-12) and found.mean * (1 - 1e-12) <= found.high <= 100.0


@pytest.mark.parametrize("count", [20, 25, 60])
@pytest.mark.parametrize("kind", ["normal", "exponential", "integers"])
def test_bca_agrees_with_scipy(kind, count):
    rng = np.random.default_rng(count)
    x = rng.integers(0, 4, count).astype(float) if kind == "integers" else getattr(rng, kind)(size=count)
    z = (x - x.min()) / (x.max() - x.min())
    # The same draws: SciPy takes them from the generator in the same order.
    own = stats.bootstrap((z,), np.mean, method="BCa", rng=np.random.default_rng(0)).confidence_interval
    # SciPy does not see sums as ties that rounding has parted: of integers an end may be a step of the mean off.
    tolerance = 1.01 / (3 * count) if kind == "integers" else 1e-9
    rows = np.stack([z, z[::-1] ** 2, z])  # each for itself
    for found in intervals.bca(rows, 0.95)[::2]:
        assert found == pytest.approx((own.low, own.high), abs=tolerance)


def test_weights_are_resamples_and_drawn_once():
    held = intervals.weights(7)
    assert held.shape == (intervals.BOOTSTRAPS, 7) and np.allclose(held.sum(axis=1), 1)
    assert np.allclose(held.mean(axis=0), 1 / 7, atol=0.01) and intervals.weights(7) is held


@pytest.mark.parametrize("share", [0.0, 0.025, 0.5, 0.999, 1.0])
def test_quantiles_are_numpys(share):
    ordered = np.sort(np.random.default_rng(2).normal(size=101))
    assert intervals.quantile(ordered, share) == pytest.approx(np.quantile(ordered, share))
    assert np.isnan(intervals.quantile(ordered, float("nan")))
