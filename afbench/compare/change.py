"""A change: one figure in two results folders, with its interval and what may be said of it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What may be said of a figure that two folders hold, from B's side. The order is that of the report."""

    BROKEN = "broken"
    """It ended well in A and fails in B."""
    WORSE = "worse"
    SLOWER = "slower"
    HEAVIER = "heavier"
    UNCLEAR = "unclear"
    """It looks changed and may not be trusted: named, never counted."""
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
        case: what it was measured under: shape, dtype, mode and place, or the task with its settings.
        figure: which one: ``forward, cold``, ``saved for backward``, ``accuracy``.
        verdict: what may be said of it.
        a: the figure in A (seconds, bytes, units of the metric), None for a status.
        b: the figure in B.
        effect: B / A of times and bytes, B - A of scores; None where it has no finite value.
        low: the lower end of its 95 % interval; None where it has none.
        high: the upper end.
        n: how many samples (the fewer of both sides) or seeds it rests on.
        reason: why it is unclear, or how it failed.
        badness: what a list is sorted by, the worst first.
        unstable: whether a side's figure is marked unstable.
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
        """Lay it out for machines: no infinities, no NaN."""
        held = {k: v for k, v in asdict(self).items() if k != "badness"}
        odd = {k: None for k, v in held.items() if isinstance(v, float) and not math.isfinite(v)}
        return held | odd | {"verdict": str(self.verdict)}


def judged(effect: float, low: float | None, high: float | None, threshold: float) -> int:
    """Return the sign of a ratio's change: its interval excludes 1 and it is beyond the threshold, or 0.

    The threshold counts alike in both directions: 5 % is 1.05 and 1 / 1.05.

    >>> judged(1.2, 1.1, 1.3, 0.05), judged(0.8, 0.7, 0.9, 0.05), judged(1.2, 0.9, 1.5, 0.05)
    (1, -1, 0)
    """
    if low is None or high is None or low <= 1.0 <= high:
        return 0
    if max(effect, 1 / effect if effect else math.inf) <= 1 + threshold:
        return 0
    return 1 if effect > 1 else -1
