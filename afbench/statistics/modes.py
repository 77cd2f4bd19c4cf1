"""Find seeds that fall into two groups, such as R2 near 90 and near 5: no seed has a value near their mean."""

from __future__ import annotations

import math
import statistics
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

THRESHOLDS = {4: 31.4, 5: 13.4, 6: 9.3, 7: 7.3, 8: 6.0, 9: 5.1, 10: 4.5, 12: 3.9, 15: 3.4, 20: 2.9, 25: 2.7, 30: 2.6}
THRESHOLDS |= {40: 2.4, 60: 2.2, 100: 2.0}
"""By the number of values: the gap, in standard deviations within the groups, that at most 1 % of normal samples exceed
(the 99.5 % quantile of 400,000 samples; the larger one of the cases of a group of one value and of larger groups)."""
RELEVANT = 0.02
"""The gap is at least this share of the largest value: a smaller gap misleads nobody, and on a small test set the
accuracies differ by whole steps anyway."""


@dataclass(frozen=True)
class Modes:
    """Two groups of values, the larger values first: their counts and medians."""

    counts: tuple[int, int]
    medians: tuple[float, float]


def modes(values: Iterable[float]) -> Modes | None:
    """Split values at the widest gap between neighbours if they are two groups; else return None.

    The values are two groups if a gap between neighbours, divided by the standard deviation within the two groups on
    its sides (pooled, n - 2 degrees of freedom), exceeds the threshold for their number, and is at least 2 % of the
    largest absolute value. At most 1 % of normal samples do (the tests simulate it). Fewer than 4 values are one group.

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
