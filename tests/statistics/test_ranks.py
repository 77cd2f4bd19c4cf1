"""Ranks and critical differences, against Demšar (2006), SciPy's tables and, where it is installed, scikit-posthocs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from afbench.statistics.ranks import critical_difference, friedman, nemenyi, ranks

# Table 5 (a) of Demšar 2006: q at 0.05, the studentised range divided by sqrt(2), for 2 to 10 classifiers.
Q = (1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164)


def test_ranks_worked_by_hand():
    assert ranks([0.1, 0.3, 0.2], higher_is_better=True) == [3.0, 1.0, 2.0]
    assert ranks([0.1, 0.3, 0.2], higher_is_better=False) == [1.0, 3.0, 2.0]
    assert ranks([5.0, 5.0, 7.0, 5.0], higher_is_better=False) == [2.0, 2.0, 4.0, 2.0]


@pytest.mark.parametrize(("count", "q"), list(enumerate(Q, 2)))
def test_critical_difference_of_the_published_table(count, q):
    expected = q * math.sqrt(count * (count + 1) / (6 * 7))
    assert critical_difference(count, 7) == pytest.approx(expected, rel=4e-4)  # the table has three decimals


def test_friedman_worked_by_hand():
    ranked = np.array([[1, 2, 3], [1, 3, 2], [1, 2, 3], [2, 1, 3]])
    means = ranked.mean(axis=0)
    chi2 = 12 * 4 / (3 * 4) * (sum(means**2) - 3 * 4**2 / 4)
    assert friedman(ranked) == pytest.approx(stats.chi2.sf(chi2, 2))


def test_a_difference_is_given_where_the_test_rejects_and_a_pair_can_reach_it():
    given = nemenyi(np.tile(np.arange(1.0, 6.0), (8, 1)))
    assert given.known and given.difference == critical_difference(5, 8) and given.p < 0.05


@pytest.mark.parametrize(
    ("ranked", "why"),
    [
        ([[1, 2, 3]], "it needs 3 activations and 2 rankings"),
        ([[1, 2], [1, 2]], "it needs 3 activations and 2 rankings"),
        ([[2, 2, 2], [2, 2, 2]], "all activations are tied"),
        ([[1, 2, 3], [3, 2, 1], [2, 1, 3]], "Friedman's test does not reject"),
        ([[*range(1, 11)]] * 2, "it would be"),
    ],
)
def test_why_there_is_no_difference(ranked, why):
    found = nemenyi(np.array(ranked, float))
    assert not found.known and found.refused.startswith(why)


def test_agrees_with_scikit_posthocs():
    posthocs = pytest.importorskip("scikit_posthocs")
    scores = np.random.default_rng(0).standard_normal((9, 6)) + np.linspace(0, 2, 6)
    ranked = np.array([ranks(row, True) for row in scores])
    p = np.asarray(posthocs.posthoc_nemenyi_friedman(scores))
    means, difference = ranked.mean(axis=0), critical_difference(6, 9)
    apart = np.abs(means[:, None] - means) > difference
    assert apart.any() and not apart.all()
    np.testing.assert_array_equal(apart, p < 0.05)
