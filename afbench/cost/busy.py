"""Whether the machine was too busy to time on: then the step times of a task's activations are noise."""

from __future__ import annotations

from collections.abc import Iterable

from ..records.cost import Cost

OFF = 0.10
"""From this distance from 1 on, the ratio of the baseline to itself says that a ratio here means nothing."""
SHARE = 0.5
"""Share of the step times that may be unstable for their spread."""
FEWEST = 2
"""Step times without which their share says nothing."""


def too_busy(costs: Iterable[Cost]) -> str:
    """Say why step times of one task cannot be trusted as a whole; empty if they can.

    They cannot if the baseline, timed beside itself in the same rounds, is off by more than 10 %, or if more than half
    of the figures have quartiles more than 10 % apart.

    >>> from afbench.records.cost import Figure, Timing
    >>> too_busy([Cost("", "relu", baseline="relu", times={"step": Timing(ratios={"relu": Figure(1.24)})})])
    'relu beside itself took 1.24x'
    """
    spread = total = 0
    for cost in costs:
        step = cost.time("step").ratio(cost.baseline)
        if step.median is None:
            continue
        if cost.activation == cost.baseline and abs(step.median - 1) > OFF:
            return f"{cost.baseline} beside itself took {step.median:.2f}x"
        total += 1
        spread += any(reason.startswith("quartiles") for reason in step.unstable)
    if total >= FEWEST and spread > SHARE * total:
        return f"{spread} of {total} step times have quartiles more than 10 % apart"
    return ""
