"""A change: one figure in two results folders, with its interval and a verdict."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """The verdict on a figure of B compared with A, in the order of the report."""

    BROKEN = "broken"
    """It ended well in A and failed in B."""
    WORSE = "worse"
    SLOWER = "slower"
    HEAVIER = "heavier"
    UNCLEAR = "unclear"
    """It seems changed, but the evidence is not reliable: named, never counted as a regression."""
    MENDED = "mended"
    BETTER = "better"
    FASTER = "faster"
    LIGHTER = "lighter"
    UNCHANGED = "unchanged"

    @property
    def regression(self) -> bool:
        """Whether ``--fail-on regression`` counts it."""
        return self in (Verdict.BROKEN, Verdict.WORSE, Verdict.SLOWER, Verdict.HEAVIER)


@dataclass(frozen=True)
class Change:
    """One figure in A and in B.

    Attributes:
        kind: ``time``, ``memory``, ``score``, ``trial time`` or ``status``.
        activation: the canonical spec.
        case: the shape, dtype, mode and device, or the task with its settings.
        figure: its name: ``forward, cold``, ``saved for backward``, ``accuracy``.
        verdict: the verdict.
        a: the figure in A (seconds, bytes, units of the metric), None for a status.
        b: the figure in B.
        effect: B / A of times and bytes, B - A of scores; None without a finite value.
        low: the lower end of its 95 % interval; None without an interval.
        high: the upper end.
        n: the number of samples (the smaller of A and B) or of seeds.
        reason: why it is unclear, or how it failed.
        badness: the sort key, the worst first.
        unstable: whether the figure is marked unstable in A or B.
    """

    kind: str
    activation: str
    case: str
    figure: str
    verdict: Verdict
    a: float | None = None
    b: float | None = None
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    reason: str = ""
    badness: float = 0.0
    unstable: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it for JSON; infinities and NaN become None."""
        fields = {k: v for k, v in asdict(self).items() if k != "badness"}
        not_finite = {k: None for k, v in fields.items() if isinstance(v, float) and not math.isfinite(v)}
        return fields | not_finite | {"verdict": str(self.verdict)}


def judged(effect: float, low: float | None, high: float | None, threshold: float) -> int:
    """Return 1 or -1 if a ratio changed: its interval excludes 1 and it is beyond the threshold; else 0.

    The threshold is the same in both directions: 5 % is 1.05 and 1 / 1.05.

    >>> judged(1.2, 1.1, 1.3, 0.05), judged(0.8, 0.7, 0.9, 0.05), judged(1.2, 0.9, 1.5, 0.05)
    (1, -1, 0)
    """
    if low is None or high is None or low <= 1.0 <= high:
        return 0
    if max(effect, 1 / effect if effect else math.inf) <= 1 + threshold:
        return 0
    return 1 if effect > 1 else -1
