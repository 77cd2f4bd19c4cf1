"""Bootstrap and sign flips of means, as matrices that are drawn once for each number of values.

A table asks for thousands of intervals over the same number of seeds. Drawing anew for each took 6 ms an interval of 25
values, and nearly all of it was the drawing; and one product for all of a table's rows takes half the time of one each.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

Array = np.ndarray[Any, Any]

BOOTSTRAPS = 9999
TIE = 1e-12
"""Means of values from -1 to 1 that are nearer to each other are ties: equal but for rounding."""
LARGEST = 512
"""Values up to which a matrix is kept: 41 MB."""


@lru_cache(maxsize=2)
def weights(count: int) -> Array:
    """Return how often each of ``count`` values is in each resample, over ``count``; drawn from a fixed seed."""
    drawn = np.random.default_rng(0).integers(0, count, (BOOTSTRAPS, count))
    drawn += np.arange(BOOTSTRAPS)[:, None] * count
    return np.bincount(drawn.ravel(), minlength=BOOTSTRAPS * count).reshape(BOOTSTRAPS, count) / count


@lru_cache(maxsize=2)
def signs(count: int, flips: int) -> Array:
    """Return random signs over ``count``, a row a flip; drawn from a fixed seed."""
    return (2.0 * np.random.default_rng(0).integers(0, 2, (flips, count)) - 1.0) / count


def bca(z: Array, level: float) -> list[tuple[float, float]]:
    """Return the BCa bootstrap intervals of means (Efron 1987), a row [n] of z [rows, n] each.

    A row has at most 512 values, from 0 to 1 and not all equal. The acceleration of a mean is that of its jackknife in
    closed form: sum(u^3) / (6 sum(u^2)^1.5), u = z - mean.
    """
    mean = z.mean(axis=1)
    means = z @ weights(z.shape[1]).T
    means.sort(axis=1)
    pairs = list(zip(means, mean, strict=True))
    below = np.array([row.searchsorted(m - TIE) for row, m in pairs])
    upto = np.array([row.searchsorted(m + TIE, side="right") for row, m in pairs])
    bias = ndtri((below + upto) / (2 * BOOTSTRAPS))
    u = z - mean[:, None]
    acceleration = (u**3).sum(axis=1) / (6 * (u**2).sum(axis=1) ** 1.5)
    shares = []
    for tail in ((1 - level) / 2, (1 + level) / 2):
        moved = bias + ndtri(tail)
        shares.append(ndtr(bias + moved / (1 - acceleration * moved)))
    return [(quantile(row, low), quantile(row, high)) for row, low, high in zip(means, *shares, strict=True)]


def quantile(ordered: Array, share: float) -> float:
    """Return a quantile of sorted values, between two of them in proportion; NaN if the share is none."""
    if not 0 <= share <= 1:
        return math.nan
    place = share * (ordered.size - 1)
    low = math.floor(place)
    high = min(low + 1, ordered.size - 1)
    return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))


def flipped(z: Array, flips: int) -> list[float]:
    """Return the two-sided p of means under random signs, a row [n] of z [rows, n] each.

    The signs that were seen count as one more flip.
    """
    mean = z.mean(axis=1)[:, None]
    means = z @ signs(z.shape[1], flips).T
    above, below = np.count_nonzero(means >= mean - TIE, axis=1), np.count_nonzero(means <= mean + TIE, axis=1)
    return [min(1.0, 2 * (int(rarer) + 1) / (flips + 1)) for rarer in np.minimum(above, below)]


@lru_cache(maxsize=4)
def all_signs(count: int) -> Array:
    """Return every pattern of signs over ``count``, a row each; 2^13 rows at most are asked for."""
    return (2.0 * (np.arange(2**count)[:, None] >> np.arange(count) & 1) - 1.0) / count


def enumerated(z: Array) -> float:
    """Return the exact two-sided p of the mean of z [n], of values from -1 to 1, under all its 2^n patterns of signs.

    >>> enumerated(np.array([1.0, 0.5, 0.25]))
    0.25
    """
    means, mean = all_signs(z.size) @ z, z.mean()
    rarer = min(int(np.count_nonzero(means >= mean - TIE)), int(np.count_nonzero(means <= mean + TIE)))
    return min(1.0, float(2 * rarer / 2**z.size))
