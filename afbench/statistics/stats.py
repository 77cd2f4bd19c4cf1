"""Intervals over seeds, paired differences, and a test that claims no more than the seeds can show."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from .metric import UNBOUNDED, Bounds
from .resampling import LARGEST, Array, bca, enumerated, flipped

LEVEL = 0.95
ALPHA = 0.05
BOOTSTRAP_FROM = 20
"""From how many values on a bootstrap is used: of 5 normal values its interval covers 84 %, of 20 it covers 93 %."""
RESAMPLES = 2**14 - 1
"""Sign flips of a test: 13 seeds are enumerated whole, more are drawn (to enumerate 16 took 0.3 s). Drawn ones
cannot go below p = 2 / 2^14, which is enough for Holm over 400 comparisons."""
ROWS = 64
"""Samples whose resampled means are held at once: 5 MB."""
STUDENT, BOOTSTRAP = "Student's t", "BCa bootstrap"
BOUNDED = "Student's t on a log scale to the bound"


@dataclass(frozen=True)
class Interval:
    """A mean with the ends of its interval; the ends are NaN where the values allow none."""

    mean: float = math.nan
    low: float = math.nan
    high: float = math.nan
    method: str = ""
    n: int = 0

    @property
    def half_width(self) -> float:
        """Half the distance of the ends, NaN if there are none."""
        return (self.high - self.low) / 2

    @property
    def known(self) -> bool:
        """Whether there is an interval, not a mean alone."""
        return not math.isnan(self.half_width)

    def __contains__(self, value: float) -> bool:
        """Tell whether a number lies between the ends; never if there are none."""
        return self.low <= value <= self.high


def interval(values: Iterable[float], level: float = LEVEL, bounds: Bounds = UNBOUNDED) -> Interval:
    """Return the mean and its interval: Student's t below 20 values, a BCa bootstrap from there on.

    One value has a mean and no interval; none, or any that is not finite, have neither. Equal values have an interval
    of no width. The bootstrap is drawn from a fixed seed, so that a table made twice is the same.

    Args:
        values: one a seed.
        level: the share of intervals that are to hold the true mean.
        bounds: the range that the values cannot leave; Student's t is then taken on a scale that ends there (see
            ``within``).
            The ends of a bootstrap lie among the values, and so within any bounds.

    >>> found = interval([90.0, 92.0, 94.0])
    >>> found.mean, round(found.low, 2), round(found.high, 2), found.method
    (92.0, 87.03, 96.97, "Student's t")
    >>> found = interval([97.0, 98.0, 99.9], bounds=Bounds(0.0, 100.0))
    >>> round(found.mean, 2), round(found.low, 2), round(found.high, 2)
    (98.3, 86.62, 99.81)
    """
    return intervals([values], level, bounds)[0]


def intervals(samples: Iterable[Iterable[float]], level: float = LEVEL, bounds: Bounds = UNBOUNDED) -> list[Interval]:
    """Return the mean and the interval of each sample, as ``interval`` does; the more at once, the less time each."""
    xs = [np.asarray(list(values), dtype=np.float64) for values in samples]
    by_size: dict[int, list[int]] = {}
    for index, x in enumerate(xs):
        if BOOTSTRAP_FROM <= x.size <= LARGEST and np.isfinite(x).all() and 0 < x.max() - x.min() < math.inf:
            by_size.setdefault(x.size, []).append(index)
    drawn: dict[int, tuple[float, float]] = {}
    for places in by_size.values():
        for few in (places[first : first + ROWS] for first in range(0, len(places), ROWS)):
            z = np.stack([(xs[i] - xs[i].min()) / (xs[i].max() - xs[i].min()) for i in few])
            drawn |= zip(few, bca(z, level), strict=True)
    return [_interval(x, level, drawn.get(index), bounds) for index, x in enumerate(xs)]


def _interval(x: Array, level: float, drawn: tuple[float, float] | None, bounds: Bounds) -> Interval:
    """Return one interval; the ends of its bootstrap, of the values brought to [0, 1], where they are drawn already."""
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
    z = (x - start) / spread  # from 0 to 1, so that squares of tiny or huge values stay numbers
    if method == STUDENT:
        # stats.t.interval gives the same in 37 times the time; a table asks for thousands.
        reach = float(stdtrit(x.size - 1, (1 + level) / 2)) * float(z.std(ddof=1)) / math.sqrt(x.size)
        if not bounds.none and bounds.hold((start, float(x.max()))):
            mean = start + spread * float(z.mean())
            ends = within(mean, spread * reach, bounds)
            return Interval(mean, *ends, BOUNDED, x.size) if all(map(math.isfinite, ends)) else Interval(mean, n=x.size)
        low, high = z.mean() - reach, z.mean() + reach
    elif drawn:
        low, high = drawn
    else:
        from scipy import stats  # here, as below: it takes half a second to import, and few tables need it

        rng = np.random.default_rng(0)
        low, high = stats.bootstrap((z,), np.mean, confidence_level=level, method="BCa", rng=rng).confidence_interval
    mean, low, high = (start + spread * float(end) for end in (z.mean(), low, high))
    if math.isinf(low) or math.isinf(high):  # of values near the largest that there is
        return Interval(mean, n=x.size)
    return Interval(mean, low, high, method, x.size)


def within(mean: float, reach: float, bounds: Bounds) -> tuple[float, float]:
    """Return the ends of Student's interval, taken on a scale on which the bounds are infinitely far away.

    The scale is the log of the distance to the bound, with two bounds the log of the ratio of both distances; by the
    delta method mean +- reach there has the half-width reach * |slope of the scale at the mean|. Far from
    the bounds that is Student's interval; near them it stays within, and covers the mean of skewed values more often
    than Student's does, cut off at the bound or not (simulated in the tests: 92 to 95 % where that has 88 to 92 %).
    """
    below, above = mean - bounds.low, bounds.high - mean
    if not (below > 0 and above > 0):  # the mean is at a bound but for rounding
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
    """Return a - b for each seed that both have, in the order of the seeds."""
    return [a_by_seed[seed] - b_by_seed[seed] for seed in sorted(a_by_seed.keys() & b_by_seed.keys())]


def paired(a_by_seed: Mapping[int, float], b_by_seed: Mapping[int, float], level: float = LEVEL) -> Interval:
    """Return the interval of the paired differences a - b over the seeds that both have.

    >>> paired({0: 91.0, 1: 92.0, 2: 95.0}, {0: 90.0, 1: 91.0, 3: 70.0}).mean
    1.0
    """
    return interval(differences(a_by_seed, b_by_seed), level)


def sign_flip(differences: Sequence[float]) -> float:
    """Return the two-sided p of paired differences under random signs (a permutation test of their mean).

    Exact up to 13 values, drawn from a fixed seed beyond; never below 2 / 2^n. NaN without values or with any that is
    not finite.

    >>> sign_flip([1.0, 2.0, 1.5, 0.5, 3.0])
    0.0625
    """
    return sign_flips([differences])[0]


def sign_flips(samples: Iterable[Sequence[float]]) -> list[float]:
    """Return the p of each sample, as ``sign_flip`` does; the more at once, the less time each."""
    xs = [np.asarray(sample, dtype=np.float64) for sample in samples]
    by_size: dict[int, list[int]] = {}
    for index, x in enumerate(xs):
        if 2**x.size > RESAMPLES and x.size <= LARGEST and np.isfinite(x).all() and np.abs(x).max() > 0:
            by_size.setdefault(x.size, []).append(index)
    drawn: dict[int, float] = {}
    for places in by_size.values():
        for few in (places[first : first + ROWS] for first in range(0, len(places), ROWS)):
            z = np.stack([xs[i] / np.abs(xs[i]).max() for i in few])
            drawn |= zip(few, flipped(z, RESAMPLES), strict=True)
    return [drawn[index] if index in drawn else _sign_flip(x) for index, x in enumerate(xs)]


def _sign_flip(x: Array) -> float:
    """Return one p that is not drawn already."""
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
    """Take means to 12 decimals, so that sums which are equal but for rounding count as the ties they are."""
    return np.asarray(np.round(np.mean(sample, axis=axis), 12))


def holm(pvalues: Sequence[float]) -> list[float]:
    """Adjust p-values for their number (Holm 1979); a NaN is no comparison and stays NaN.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted, reached = list(pvalues), 0.0
    order = sorted((i for i, p in enumerate(pvalues) if not math.isnan(p)), key=lambda i: pvalues[i])
    for rank, index in enumerate(order):
        reached = max(reached, min(1.0, (len(order) - rank) * pvalues[index]))
        adjusted[index] = reached
    return adjusted


def can_reach(seeds: int, comparisons: int, alpha: float = ALPHA) -> bool:
    """Tell whether a sign-flip test over so many seeds, adjusted for the comparisons, can come out significant."""
    smallest = 2.0 / 2.0 ** min(seeds, RESAMPLES.bit_length())
    return comparisons * smallest <= alpha


def seeds_needed(comparisons: int, alpha: float = ALPHA) -> int:
    """Return the fewest seeds whose sign-flip test can survive Holm: comparisons * 2 / 2^n <= alpha.

    >>> seeds_needed(39)
    11
    """
    seeds = 1
    while comparisons * 2 / 2**seeds > alpha:
        seeds += 1
    return seeds
