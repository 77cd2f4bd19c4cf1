"""Samples become figures: a median with its quartiles, and why it may not be trusted."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..records.cost import Figure

SPREAD = 0.10
"""A figure is unstable if its quartiles are further apart, as a share of the median (torch.utils.benchmark's limit)."""
SHORTEST = 1e-3
"""Fewest seconds of a stable sample: the clock's own noise is then small (pyperf's limit)."""
PRECISION = 0.05
"""The rounds must give the median within this share, with 95 % certainty. pyperf asks for 1 %, which a shared machine
hardly ever reaches."""
FEWEST = 5
"""Samples below which quartiles mean nothing."""
Z = 1.96
IQR_TO_SIGMA = 1.349
"""Distance of the quartiles of a normal distribution, in standard deviations."""
MEDIAN_TO_MEAN = 1.2533
"""Standard error of a median in units of that of a mean, for normal values."""


def figure(values: Sequence[float], work: float) -> Figure:
    """Make the figure of values over rounds.

    Args:
        values: seconds, or ratios within the rounds; at least one.
        work: seconds that the shortest sample behind them took.

    >>> figure([1.0, 1.01, 0.99, 1.0, 1.0], work=4e-3).unstable
    ()
    >>> figure([1.0, 1.3, 0.8], work=4e-4).unstable
    ('shortest sample 0.4 ms', 'quartiles 25 % apart')
    """
    low, median, high = quartiles(values)
    return Figure(median, low, high, len(values), tuple(reasons(low, median, high, len(values), work)))


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile."""
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    return float(low), float(median), float(high)


def reasons(low: float, median: float, high: float, samples: int, work: float) -> list[str]:
    """Say why a figure is unstable: its spread, its shortest sample, too few samples."""
    spread = (high - low) / median if median > 0 else math.inf
    why = []
    if work < SHORTEST:
        why.append(f"shortest sample {1e3 * work:.2g} ms")
    if spread > SPREAD:
        why.append(f"quartiles {100 * spread:.0f} % apart")
    elif samples < (needed := samples_needed(spread)):
        why.append(f"only {samples} of the {needed} samples that its spread needs")
    return why


def samples_needed(spread: float) -> int:
    """Return how many samples give a median within 5 %, for a distance of the quartiles as a share of the median.

    >>> samples_needed(0.02), samples_needed(0.1), samples_needed(0.2)
    (5, 14, 54)
    """
    if not math.isfinite(spread):
        return FEWEST
    error = Z * MEDIAN_TO_MEAN * spread / IQR_TO_SIGMA
    return max(FEWEST, math.ceil((error / PRECISION) ** 2))


def ratios(own: Sequence[float], other: Sequence[float]) -> list[float]:
    """Divide round by round; a call that took part in fewer rounds took part in the first ones."""
    return [a / b for a, b in zip(own, other, strict=False)]
