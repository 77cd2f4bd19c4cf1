"""Sign flips against full enumeration, Holm's correction by hand, and the number of seeds that significance needs."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from afbench.statistics import significance
from afbench.statistics.significance import flipped, holm, seeds_needed, sign_flips

numbers = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
few = st.lists(numbers, min_size=2, max_size=8)


def sign_flip(differences):
    return sign_flips([differences])[0]


def enumerated(differences):
    """Two-sided p: the share of all 2^n signs with a sum at least as far from 0 as the one seen."""
    x = np.asarray(differences)
    sums = np.array([np.dot(signs, x) for signs in itertools.product([-1, 1], repeat=len(x))])
    return np.mean(np.abs(sums) >= abs(x.sum()) * (1 - 1e-12))


@settings(max_examples=50)
@example([0.0, 0.0, 0.0, -10.0, -30.0, 33.0, 0.0, 7.0])  # their sum is 0, and not after any division
@given(st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=9))
def test_sign_flip_agrees_with_enumeration(differences):
    assert sign_flip(differences) == pytest.approx(enumerated(differences))


@given(few)
def test_sign_flip_cannot_go_below_its_floor_and_has_no_side(differences):
    p = sign_flip(differences)
    assert 2 / 2 ** len(differences) <= p <= 1
    assert p == sign_flip([-d for d in differences])


def test_sign_flip_is_drawn_beyond_thirteen_seeds():
    differences = np.random.default_rng(5).normal(0.5, 1.0, size=15)
    p = enumerated(differences)
    assert sign_flip(differences) == pytest.approx(p, abs=8 * math.sqrt(p / significance.RESAMPLES))
    assert sign_flip(differences) == sign_flip(differences)
    assert sign_flip([1.0] * 40) == 2 / (significance.RESAMPLES + 1)


def test_sign_flip_of_degenerate_differences():
    assert sign_flip([0.0] * 6) == 1.0
    assert sign_flip([3.0]) == 1.0
    assert sign_flip([1e-320] * 5) == sign_flip([1e300] * 5) == 2 / 32
    assert math.isnan(sign_flip([])) and math.isnan(sign_flip([1.0, math.nan]))


def test_holm_worked_by_hand():
    # sorted: .005 x 4 = .02, .01 x 3 = .03, .03 x 2 = .06, .04 x 1 = .04 which may not fall below .06
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_leaves_out_what_was_not_tested():
    adjusted = holm([math.nan, 0.02, math.nan, 0.03])
    assert math.isnan(adjusted[0]) and math.isnan(adjusted[2])
    assert adjusted[1::2] == pytest.approx([0.04, 0.04])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_keeps_the_order_and_raises_the_smallest_as_bonferroni_does(raw):
    adjusted = holm(raw)
    assert all(p <= q <= 1.0 for p, q in zip(raw, adjusted, strict=True))
    order = sorted(range(len(raw)), key=lambda i: raw[i])
    assert all(adjusted[i] <= adjusted[j] for i, j in itertools.pairwise(order))
    assert min(adjusted) == min(1.0, len(raw) * min(raw))


@pytest.mark.parametrize(("comparisons", "seeds"), [(1, 6), (2, 7), (39, 11), (400, 14)])
def test_seeds_needed(comparisons, seeds):
    assert seeds_needed(comparisons) == seeds


@given(st.integers(1, 400))
def test_seeds_needed_is_the_fewest_that_can_come_out_significant(comparisons):
    seeds = seeds_needed(comparisons)
    assert significance.can_reach(seeds, comparisons) and not significance.can_reach(seeds - 1, comparisons)
    assert comparisons * 2 / 2**seeds <= 0.05 < comparisons * 2 / 2 ** (seeds - 1)


def test_the_clearest_result_passes_holm_with_enough_seeds_and_not_with_one_less():
    for seeds, passes in ((11, True), (10, False)):
        p = [sign_flip([1.0 + i for i in range(seeds)])] + [1.0] * 38
        assert (holm(p)[0] <= 0.05) is passes


@pytest.mark.slow
def test_a_shift_that_is_not_there_is_called_significant_rarely():
    draws = np.random.default_rng(7).normal(size=(1000, 8))
    share = np.mean([sign_flip(row) <= 0.05 for row in draws])
    assert share < 0.05 + 4 * math.sqrt(0.05 * 0.95 / 1000)


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.6])
def test_flips_agree_with_enumeration(shift):
    z = np.random.default_rng(1).uniform(-1, 1, 14) * 0.5 + shift
    sums = np.array([np.dot(signs, z) for signs in itertools.product([-1, 1], repeat=14)])
    p = np.mean(np.abs(sums) >= abs(z.sum()) - 1e-12)
    found = flipped(np.stack([np.ones(14), z]), 2**14 - 1)[1]
    assert found == pytest.approx(p, abs=5 * (p / 2**14) ** 0.5 + 2**-13)


def test_ties_count_on_both_sides():
    assert flipped(np.zeros((1, 14)), 99) == [1.0]
    assert flipped(np.ones((2, 40)), 99) == [2 / 100] * 2
