"""Bootstrap and sign flips of means, as matrices that are drawn once for each number of values.

A table asks for thousands of intervals over the same number of seeds. Drawing anew for each took 6 ms an interval of 25
values, and nearly all of it was the drawing.
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


def bca(z: Array, level: float) -> tuple[float, float]:
    """Return the BCa bootstrap interval of a mean (Efron 1987), of at most 512 values from 0 to 1, not all equal.

    The acceleration of a mean is that of its jackknife in closed form: sum(u^3) / (6 sum(u^2)^1.5), u = z - mean.
    """
    means, mean = weights(z.size) @ z, z.mean()
    below, upto = np.count_nonzero(means < mean - TIE), np.count_nonzero(means <= mean + TIE)
    bias = float(ndtri((below + upto) / (2 * BOOTSTRAPS)))
    u = z - mean
    means.sort()
    acceleration = float((u**3).sum() / (6 * (u**2).sum() ** 1.5))
    ends = []
    for tail in ((1 - level) / 2, (1 + level) / 2):
        moved = bias + float(ndtri(tail))
        ends.append(quantile(means, float(ndtr(bias + moved / (1 - acceleration * moved)))))
    return ends[0], ends[1]


def quantile(ordered: Array, share: float) -> float:
    """Return a quantile of sorted values, between two of them in proportion; NaN if the share is none."""
    if not 0 <= share <= 1:
        return math.nan
    place = share * (ordered.size - 1)
    low = math.floor(place)
    high = min(low + 1, ordered.size - 1)
    return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))


def flipped(z: Array, flips: int) -> float:
    """Return the two-sided p of a mean under random signs; the signs that were seen count as one more flip."""
    means, mean = signs(z.size, flips) @ z, z.mean()
    above, below = np.count_nonzero(means >= mean - TIE), np.count_nonzero(means <= mean + TIE)
    return min(1.0, 2 * (min(above, below) + 1) / (flips + 1))
