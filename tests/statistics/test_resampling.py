"""Bootstrap and sign flips of means, against SciPy's own, which draw their own resamples."""

import itertools

import numpy as np
import pytest
from scipy import stats

from afbench.statistics import resampling


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
    for found in resampling.bca(rows, 0.95)[::2]:
        assert found == pytest.approx((own.low, own.high), abs=tolerance)


def test_weights_are_resamples_and_drawn_once():
    held = resampling.weights(7)
    assert held.shape == (resampling.BOOTSTRAPS, 7) and np.allclose(held.sum(axis=1), 1)
    assert np.allclose(held.mean(axis=0), 1 / 7, atol=0.01) and resampling.weights(7) is held


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.6])
def test_flips_agree_with_enumeration(shift):
    z = np.random.default_rng(1).uniform(-1, 1, 14) * 0.5 + shift
    sums = np.array([np.dot(signs, z) for signs in itertools.product([-1, 1], repeat=14)])
    p = np.mean(np.abs(sums) >= abs(z.sum()) - 1e-12)
    found = resampling.flipped(np.stack([np.ones(14), z]), 2**14 - 1)[1]
    assert found == pytest.approx(p, abs=5 * (p / 2**14) ** 0.5 + 2**-13)


def test_ties_count_on_both_sides():
    assert resampling.flipped(np.zeros((1, 14)), 99) == [1.0]
    assert resampling.flipped(np.ones((2, 40)), 99) == [2 / 100] * 2


@pytest.mark.parametrize("share", [0.0, 0.025, 0.5, 0.999, 1.0])
def test_quantiles_are_numpys(share):
    ordered = np.sort(np.random.default_rng(2).normal(size=101))
    assert resampling.quantile(ordered, share) == pytest.approx(np.quantile(ordered, share))
    assert np.isnan(resampling.quantile(ordered, float("nan")))
