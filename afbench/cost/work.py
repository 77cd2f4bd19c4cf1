"""The work of a cost run: job by job, nothing beside it, each cost in the store before the next job begins."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

from ..engines import ENGINES, Failure, Setup
from ..records.cost import Cost
from ..training import attempt
from .alone import AloneJob, batches, blank
from .listening import Listener, Measured
from .network import CostJob, measure_network
from .rounds import ROUNDS

Job = AloneJob | CostJob
OVERHEAD = 2e6
"""Elements whose measuring takes as long as what does not depend on their number, for the time that is left."""


def one_network(job: CostJob, rounds: int = ROUNDS) -> list[Cost]:
    """Measure one cost in a network, as a list."""
    return [measure_network(job, rounds)]


def members(job: Job) -> tuple[str, ...]:
    """Name the activations that a job measures."""
    return job.activations if isinstance(job, AloneJob) else (job.activation,)


def carry_out(
    found: Measured,
    work: Callable[[Any], list[Cost]],
    jobs: Sequence[Any],
    engine: str,
    setup: Setup,
    listener: Listener,
    sources: Mapping[str, str],
) -> None:
    """Measure job by job, nothing beside it; costs are in the store before the next job begins.

    ``sources`` holds, by spec, the source of what does not come with afbench: a cost goes stale with it.

    A batch whose process dies is measured again one by one, so that only who killed it is lost.
    """
    total, start, done = sum(len(members(job)) for job in jobs), time.monotonic(), 0.0
    whole = sum(map(weight, jobs))
    waiting = list(jobs)
    while waiting:
        alone: list[Any] = []
        with closing(ENGINES[engine](work, waiting, jobs=1, setup=setup)) as outcomes:
            for job, outcome in outcomes:
                if isinstance(outcome, Failure) and len(members(job)) > 1:
                    case = job.case
                    alone += batches(case, job.activations, job.environment, 1, rounds=job.rounds, budget=job.budget)
                    continue
                done += weight(job)
                costs = [lost(job, outcome)] if isinstance(outcome, Failure) else outcome
                for cost in costs:
                    cost = cost.with_(source=sources[cost.activation])
                    found.store.write_cost(cost)
                    found.new.append(cost)
                    rest = (whole - done) * (time.monotonic() - start) / done
                    listener.measured(cost, len(found.new), total, rest)
        waiting = alone


def weight(job: Job) -> float:
    """Say about how much work a job is."""
    return len(members(job)) * (OVERHEAD + (job.case.elements if isinstance(job, AloneJob) else 0))


def lost(job: Job, failure: Failure) -> Cost:
    """Make the cost of an activation whose process died: no figures, and the reason."""
    known = job.blank() if isinstance(job, CostJob) else blank(job, job.activations[0])
    error = {"type": "", "message": failure.message, "traceback": ""}
    return known.with_(status=failure.kind, error=error, measured=attempt.now())
