"""A sign-flip test of paired differences, Holm's correction, and the number of seeds that significance needs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from .intervals import TIE, Array, batches

ALPHA = 0.05
RESAMPLES = 2**14 - 1
"""Number of sign patterns of a test: all of them up to 13 seeds, random ones beyond (all patterns of 16 seeds took
0.3 s). Random ones cannot go below p = 2 / 2^14, which is enough for Holm over 400 comparisons."""


def sign_flips(samples: Iterable[Sequence[float]]) -> list[float]:
    """Return for each sample the two-sided p of paired differences under random signs (a permutation test of the mean).

    Exact up to 13 values; more use random signs from a fixed seed. Never below 2 / 2^n. NaN without values or if one is
    not finite. Many samples at once take less time each.

    >>> sign_flips([[1.0, 2.0, 1.5, 0.5, 3.0]])
    [0.0625]
    """
    xs = [np.asarray(sample, dtype=np.float64) for sample in samples]
    p_by_index: dict[int, float] = {}
    for indices in batches(xs, lambda x: 2**x.size > RESAMPLES and np.abs(x).max() > 0):
        z = np.stack([xs[i] / np.abs(xs[i]).max() for i in indices])
        p_by_index |= zip(indices, flipped(z, RESAMPLES), strict=True)
    return [p_by_index[index] if index in p_by_index else _sign_flip(x) for index, x in enumerate(xs)]


def _sign_flip(x: Array) -> float:
    """Return one p without a matrix of random signs."""
    if not x.size or not np.isfinite(x).all():
        return math.nan
    largest = np.abs(x).max()
    if x.size == 1 or largest == 0:
        return 1.0
    if 2**x.size <= RESAMPLES:
        return enumerated(x / largest)
    from scipy import stats

    test = stats.permutation_test(
        (x / largest,),
        rounded_mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(0),
    )
    return float(test.pvalue)


def rounded_mean(sample: Array, axis: int) -> Array:
    """Round means to 12 decimals, so that sums which differ only by rounding count as ties."""
    return np.asarray(np.round(np.mean(sample, axis=axis), 12))


@lru_cache(maxsize=2)
def signs(count: int, flips: int) -> Array:
    """Return random signs divided by ``count`` [flips, count], drawn from a fixed seed."""
    return (2.0 * np.random.default_rng(0).integers(0, 2, (flips, count)) - 1.0) / count


def flipped(z: Array, flips: int) -> list[float]:
    """Return the two-sided p of the mean of each row of z [rows, n] under random signs.

    The observed signs count as one more flip.
    """
    mean = z.mean(axis=1)[:, None]
    means = z @ signs(z.shape[1], flips).T
    above, below = np.count_nonzero(means >= mean - TIE, axis=1), np.count_nonzero(means <= mean + TIE, axis=1)
    return [min(1.0, 2 * (int(rarer) + 1) / (flips + 1)) for rarer in np.minimum(above, below)]


@lru_cache(maxsize=4)
def all_signs(count: int) -> Array:
    """Return every pattern of signs divided by ``count`` [2^count, count], for a count up to 13."""
    return (2.0 * (np.arange(2**count)[:, None] >> np.arange(count) & 1) - 1.0) / count


def enumerated(z: Array) -> float:
    """Return the exact two-sided p of the mean of z [n], of values from -1 to 1, under all its 2^n patterns of signs.

    >>> enumerated(np.array([1.0, 0.5, 0.25]))
    0.25
    """
    means, mean = all_signs(z.size) @ z, z.mean()
    rarer = min(int(np.count_nonzero(means >= mean - TIE)), int(np.count_nonzero(means <= mean + TIE)))
    return min(1.0, float(2 * rarer / 2**z.size))


def holm(pvalues: Sequence[float]) -> list[float]:
    """Adjust p-values for their number (Holm 1979); a NaN is no comparison and stays NaN.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted, largest = list(pvalues), 0.0
    order = sorted((i for i, p in enumerate(pvalues) if not math.isnan(p)), key=lambda i: pvalues[i])
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * pvalues[index]))
        adjusted[index] = largest
    return adjusted


def can_reach(seeds: int, comparisons: int, alpha: float = ALPHA) -> bool:
    """Tell whether a sign-flip test with this number of seeds and comparisons can be significant after Holm."""
    smallest = 2.0 / 2.0 ** min(seeds, RESAMPLES.bit_length())
    return comparisons * smallest <= alpha


def seeds_needed(comparisons: int, alpha: float = ALPHA) -> int:
    """Return the smallest number of seeds whose test can be significant after Holm: comparisons * 2 / 2^n <= alpha.

    >>> seeds_needed(39)
    11
    """
    seeds = 1
    while comparisons * 2 / 2**seeds > alpha:
        seeds += 1
    return seeds
