"""Intervals of means over seeds, and paired differences: Student's t for few values, a BCa bootstrap for many.

A table asks for thousands of bootstrap intervals over the same number of seeds. So the resamples are drawn once for
each number of values and kept as a matrix: drawing anew took 6 ms per interval of 25 values, nearly all of the time.
One matrix product for all rows of a table takes half the time of one product per row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from .metric import UNBOUNDED, Bounds

Array = np.ndarray[Any, Any]

LEVEL = 0.95
BOOTSTRAP_FROM = 20
"""The bootstrap serves samples of this size and more: its intervals cover 84 % for 5 normal values, 93 % for 20."""
BOOTSTRAPS = 9999
TIE = 1e-12
"""Means of values from -1 to 1 that differ by less are equal up to rounding."""
LARGEST = 512
"""Up to this number of values a matrix of draws is kept: 41 MB."""
ROWS = 64
"""Number of samples whose resampled means are in memory at once: 5 MB."""
STUDENT, BOOTSTRAP = "Student's t", "BCa bootstrap"
BOUNDED = "Student's t on a log scale to the bound"


@dataclass(frozen=True)
class Interval:
    """A mean with the ends of its interval; the ends are NaN if the values allow no interval."""

    mean: float = math.nan
    low: float = math.nan
    high: float = math.nan
    method: str = ""
    n: int = 0

    @property
    def half_width(self) -> float:
        """Half the distance of the ends; NaN without an interval."""
        return (self.high - self.low) / 2

    @property
    def known(self) -> bool:
        """Whether there is an interval, not only a mean."""
        return not math.isnan(self.half_width)

    def __contains__(self, value: float) -> bool:
        """Tell whether a number lies between the ends; false without an interval."""
        return self.low <= value <= self.high


def interval(values: Iterable[float], level: float = LEVEL, bounds: Bounds = UNBOUNDED) -> Interval:
    """Return the mean and its interval: Student's t below 20 values, a BCa bootstrap from 20 on.

    One value has a mean but no interval. No values, or values that are not finite, have neither. Equal values have an
    interval of width 0. The bootstrap uses a fixed seed, so that a table is the same each time.

    Args:
        values: one for each seed.
        level: the share of intervals that should contain the true mean.
        bounds: the range of the values. Student's t is then computed on a scale that ends there (see ``within``).
            The ends of a bootstrap lie among the values, and so within any bounds.

    >>> ninety = interval([90.0, 92.0, 94.0])
    >>> ninety.mean, round(ninety.low, 2), round(ninety.high, 2), ninety.method
    (92.0, 87.03, 96.97, "Student's t")
    >>> bounded = interval([97.0, 98.0, 99.9], bounds=Bounds(0.0, 100.0))
    >>> round(bounded.mean, 2), round(bounded.low, 2), round(bounded.high, 2)
    (98.3, 86.62, 99.81)
    """
    return intervals([values], level, bounds)[0]


def intervals(samples: Iterable[Iterable[float]], level: float = LEVEL, bounds: Bounds = UNBOUNDED) -> list[Interval]:
    """Return the mean and the interval of each sample, like ``interval``; many samples at once take less time each."""
    xs = [np.asarray(list(values), dtype=np.float64) for values in samples]
    bootstrapped: dict[int, tuple[float, float]] = {}
    for indices in batches(xs, lambda x: x.size >= BOOTSTRAP_FROM and 0 < x.max() - x.min() < math.inf):
        z = np.stack([(xs[i] - xs[i].min()) / (xs[i].max() - xs[i].min()) for i in indices])
        bootstrapped |= zip(indices, bca(z, level), strict=True)
    return [_interval(x, level, bootstrapped.get(index), bounds) for index, x in enumerate(xs)]


def batches(xs: Sequence[Array], drawable: Callable[[Array], bool]) -> Iterator[list[int]]:
    """Group finite samples of one size that a matrix of draws can serve: lists of at most 64 indices."""
    indices_by_size: dict[int, list[int]] = {}
    for index, x in enumerate(xs):
        if x.size <= LARGEST and np.isfinite(x).all() and drawable(x):
            indices_by_size.setdefault(x.size, []).append(index)
    for indices in indices_by_size.values():
        yield from (indices[first : first + ROWS] for first in range(0, len(indices), ROWS))


def _interval(x: Array, level: float, ends: tuple[float, float] | None, bounds: Bounds) -> Interval:
    """Return one interval. ``ends`` are those of its bootstrap for values scaled to [0, 1], if already known."""
    if not x.size or not np.isfinite(x).all():
        return Interval(n=x.size)
    if x.size == 1:
        return Interval(float(x[0]), n=1)
    method = STUDENT if x.size < BOOTSTRAP_FROM else BOOTSTRAP
    start, spread = float(x.min()), float(x.max()) - float(x.min())
    if spread == 0:
        return Interval(start, start, start, method, x.size)
    if not math.isfinite(spread):
        return Interval(n=x.size)
    z = (x - start) / spread  # from 0 to 1, so that squares of tiny or huge values stay finite and above 0
    if method == STUDENT:
        # stats.t.interval gives the same in 37 times the time; a table asks for thousands.
        reach = float(stdtrit(x.size - 1, (1 + level) / 2)) * float(z.std(ddof=1)) / math.sqrt(x.size)
        if not bounds.none and bounds.hold((start, float(x.max()))):
            mean = start + spread * float(z.mean())
            limits = within(mean, spread * reach, bounds)
            finite = all(map(math.isfinite, limits))
            return Interval(mean, *limits, BOUNDED, x.size) if finite else Interval(mean, n=x.size)
        low, high = z.mean() - reach, z.mean() + reach
    elif ends:
        low, high = ends
    else:
        from scipy import stats  # imported here: it takes half a second, and few tables need it

        rng = np.random.default_rng(0)
        low, high = stats.bootstrap((z,), np.mean, confidence_level=level, method="BCa", rng=rng).confidence_interval
    mean, low, high = (start + spread * float(end) for end in (z.mean(), low, high))
    if math.isinf(low) or math.isinf(high):  # of values near the largest float
        return Interval(mean, n=x.size)
    return Interval(mean, low, high, method, x.size)


def within(mean: float, reach: float, bounds: Bounds) -> tuple[float, float]:
    """Return the ends of Student's interval, computed on a scale on which the bounds are infinitely far away.

    The scale is the log of the distance to the bound; with two bounds it is the log of the ratio of both distances. By
    the delta method, mean +- reach has the half-width reach * |slope of the scale at the mean| on that scale. Far from
    the bounds the result is Student's interval. Near them it stays within the range and covers the mean of skewed
    values more often than Student's interval, cut off at the bound or not (in simulations 92 to 95 % instead of 88 to
    92 %).
    """
    below, above = mean - bounds.low, bounds.high - mean
    if not (below > 0 and above > 0):  # the mean is at a bound, up to rounding
        return max(mean - reach, bounds.low), min(mean + reach, bounds.high)
    if math.isinf(above):
        factor = math.exp(min(reach / below, 700.0))
        return bounds.low + below / factor, bounds.low + below * factor
    if math.isinf(below):
        factor = math.exp(min(reach / above, 700.0))
        return bounds.high - above * factor, bounds.high - above / factor
    shrink = math.exp(-min(reach * (1 / below + 1 / above), 700.0))
    width, lower, upper = bounds.high - bounds.low, above + below * shrink, below + above * shrink
    if below < above:  # measured from the nearer bound, so that no digit is lost
        return bounds.low + width * (below * shrink / lower), bounds.low + width * (below / upper)
    return bounds.high - width * (above / lower), bounds.high - width * (above * shrink / upper)


def differences(a_by_seed: Mapping[int, float], b_by_seed: Mapping[int, float]) -> list[float]:
    """Return a - b for each seed that both have, in the order of the seeds.

    >>> differences({0: 91.0, 1: 92.0, 2: 95.0}, {0: 90.0, 1: 91.0, 3: 70.0})
    [1.0, 1.0]
    """
    return [a_by_seed[seed] - b_by_seed[seed] for seed in sorted(a_by_seed.keys() & b_by_seed.keys())]


@lru_cache(maxsize=2)
def weights(count: int) -> Array:
    """Return the share of each of ``count`` values in each resample, drawn from a fixed seed."""
    drawn = np.random.default_rng(0).integers(0, count, (BOOTSTRAPS, count))
    drawn += np.arange(BOOTSTRAPS)[:, None] * count
    return np.bincount(drawn.ravel(), minlength=BOOTSTRAPS * count).reshape(BOOTSTRAPS, count) / count


def bca(z: Array, level: float) -> list[tuple[float, float]]:
    """Return the BCa bootstrap interval of the mean (Efron 1987) of each row of z [rows, n].

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
    """Return a quantile of sorted values by linear interpolation; NaN if the share is not from 0 to 1."""
    if not 0 <= share <= 1:
        return math.nan
    place = share * (ordered.size - 1)
    low = math.floor(place)
    high = min(low + 1, ordered.size - 1)
    return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))
