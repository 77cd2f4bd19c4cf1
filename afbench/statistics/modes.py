"""Seeds that fall into two groups, such as an R2 near 90 or near 5: then their mean is a value that no seed has."""

from __future__ import annotations

import math
import statistics
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

THRESHOLDS = {4: 31.4, 5: 13.4, 6: 9.3, 7: 7.3, 8: 6.0, 9: 5.1, 10: 4.5, 12: 3.9, 15: 3.4, 20: 2.9, 25: 2.7, 30: 2.6}
THRESHOLDS |= {40: 2.4, 60: 2.2, 100: 2.0}
"""By the number of values: how many within-group standard deviations wide the gap is that at most 1 % of normal samples
have (the 99.5 % quantiles of 400,000 samples, for a group of one and for larger ones, of which the larger is taken)."""
RELEVANT = 0.02
"""Share of the largest value that the gap has at least: a smaller one misleads nobody, and on a test of few samples
accuracies are whole steps apart."""


@dataclass(frozen=True)
class Modes:
    """Two groups of values, the larger values first: how many each holds, and their medians."""

    counts: tuple[int, int]
    medians: tuple[float, float]


def modes(values: Iterable[float]) -> Modes | None:
    """Split values where the gap between neighbours is widest, if it is too wide for one group; else None.

    The values are two groups if some gap between neighbours, in standard deviations within the groups that it makes
    (pooled, n - 2 degrees of freedom), exceeds the threshold for their number, and is at least 2 % of the largest
    absolute value. Of normal samples at most 1 % do (the tests simulate it). Fewer than 4 values are never split.

    >>> modes([91.0, 4.0, 90.0, 92.0, 6.0])
    Modes(counts=(3, 2), medians=(91.0, 5.0))
    >>> modes([91.0, 90.0, 92.0, 89.5, 90.4]) is None
    True
    """
    x = sorted(values)
    n = len(x)
    sizes = sorted(THRESHOLDS)
    if n < sizes[0] or not all(map(math.isfinite, x)):
        return None
    scale = max(abs(x[0]), abs(x[-1]))
    threshold = THRESHOLDS[sizes[bisect_right(sizes, n) - 1]]
    widest, place = 0.0, 0
    for k in range(1, n):
        gap = x[k] / scale - x[k - 1] / scale if scale else 0.0
        if gap < RELEVANT:
            continue
        parts = [[value / scale for value in part] for part in (x[:k], x[k:])]
        squares = sum(sum((value - statistics.fmean(part)) ** 2 for value in part) for part in parts)
        ratio = gap / math.sqrt(squares / (n - 2)) if squares > 0 else math.inf
        if ratio > widest:
            widest, place = ratio, k
    if widest <= threshold:
        return None
    return Modes((n - place, place), (statistics.median(x[place:]), statistics.median(x[:place])))
