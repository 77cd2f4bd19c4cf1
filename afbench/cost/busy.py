"""Whether the machine was too busy to time on: then the step times of a task's activations are noise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

OFF = 0.10
"""From this distance from 1 on, the ratio of the baseline to itself says that a ratio here means nothing."""
SHARE = 0.5
"""Share of the step times that may be unstable for their spread."""
FEWEST = 2
"""Step times without which their share says nothing."""


def too_busy(costs: Iterable[Mapping[str, Any]]) -> str:
    """Say why step times of one task cannot be trusted as a whole; empty if they can.

    They cannot if the baseline, timed beside itself in the same rounds, is off by more than 10 %, or if more than half
    of the figures have quartiles more than 10 % apart.

    >>> too_busy([{"activation": "relu", "baseline": "relu", "step": {"ratio": 1.24}}])
    'relu beside itself took 1.24x'
    """
    spread = total = 0
    for cost in costs:
        step = cost.get("step")
        ratio = step.get("ratio") if isinstance(step, Mapping) else None
        if not isinstance(step, Mapping) or isinstance(ratio, bool) or not isinstance(ratio, int | float):
            continue
        if cost.get("activation") == cost.get("baseline") and abs(ratio - 1) > OFF:
            return f"{cost.get('baseline')} beside itself took {ratio:.2f}x"
        why = step.get("unstable")
        total += 1
        spread += any(str(reason).startswith("quartiles") for reason in why) if isinstance(why, list) else 0
    if total >= FEWEST and spread > SHARE * total:
        return f"{spread} of {total} step times have quartiles more than 10 % apart"
    return ""
