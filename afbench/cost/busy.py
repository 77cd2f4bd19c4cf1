"""Whether the machine was too busy to time on, so that the step times of a task are noise."""

from __future__ import annotations

from collections.abc import Iterable

from ..records.cost import Cost

OFF = 0.10
"""Distance from 1 of the baseline's ratio to itself above which no ratio means anything."""
SHARE = 0.5
"""Share of the step times that may have quartiles far apart."""
FEWEST = 2
"""Fewest step times whose share means something."""


def too_busy(costs: Iterable[Cost]) -> str:
    """Say why step times of one task cannot be trusted as a whole; empty if they can.

    They cannot if the baseline's ratio to itself, timed twice in the same rounds, is off by more than 10 %, or if more
    than half of the figures have quartiles more than 10 % apart.

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
