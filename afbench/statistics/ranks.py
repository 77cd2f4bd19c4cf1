"""Ranks over tasks or seeds, and the critical difference between mean ranks (Demšar 2006)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .significance import ALPHA

Array = np.ndarray[Any, Any]


def ranks(values: Sequence[float], higher_is_better: bool) -> list[float]:
    """Rank values, 1 for the best; ties get the mean of their ranks.

    >>> ranks([90.0, 95.0, 90.0], higher_is_better=True)
    [2.5, 1.0, 2.5]
    """
    from scipy import stats  # imported here and below: it takes half a second

    signed = -np.asarray(values, float) if higher_is_better else np.asarray(values, float)
    return [float(rank) for rank in stats.rankdata(signed)]


def friedman(ranked: Array) -> float:
    """Return the p of Friedman's test that all columns have the same mean rank, corrected for ties.

    Args:
        ranked: ranks [blocks, activations]; a block is a task or a seed.

    NaN for fewer than two blocks or three activations, or if all are tied.

    >>> round(friedman(np.array([[1, 2, 3]] * 4)), 4)
    0.0183
    """
    blocks, count = ranked.shape
    if blocks < 2 or count < 3 or (ranked == ranked[:, :1]).all():
        return math.nan
    from scipy import stats

    return float(stats.friedmanchisquare(*ranked.T).pvalue)


def critical_difference(count: int, blocks: int, alpha: float = ALPHA) -> float:
    """Return Nemenyi's critical difference q / sqrt(2) * sqrt(k (k + 1) / (6 N)) (Demšar 2006, sec. 3.2.2).

    Args:
        count: k, the number of ranked activations.
        blocks: N, the number of tasks or seeds.
        alpha: the level; q is the quantile of the studentised range with infinitely many degrees of freedom.

    >>> round(critical_difference(4, 14), 2)
    1.25
    """
    from scipy import stats

    q = float(stats.studentized_range.ppf(1 - alpha, count, np.inf))
    return q / math.sqrt(2) * math.sqrt(count * (count + 1) / (6 * blocks))


@dataclass(frozen=True)
class Nemenyi:
    """The critical difference of mean ranks, or the reason why there is none."""

    difference: float = math.nan
    p: float = math.nan
    refused: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a critical difference."""
        return not math.isnan(self.difference)


def nemenyi(ranked: Array) -> Nemenyi:
    """Compare the mean ranks of [blocks, activations] like Demšar: Nemenyi's difference if Friedman's test rejects.

    There is no difference either if no pair can reach it: mean ranks lie at most k - 1 apart.
    """
    blocks, count = ranked.shape
    if count < 3 or blocks < 2:
        return Nemenyi(refused=f"it needs 3 activations and 2 rankings, not {count} and {blocks}")
    p = friedman(ranked)
    if not p <= ALPHA:
        return Nemenyi(
            p=p,
            refused="all activations are tied" if math.isnan(p) else f"Friedman's test does not reject, p = {p:.2g}",
        )
    difference = critical_difference(count, blocks)
    if difference >= count - 1:
        return Nemenyi(p=p, refused=f"it would be {difference:.3g}, but mean ranks differ by at most {count - 1}")
    return Nemenyi(difference, p)
