"""The work of a cost run: which costs are missing, and how they are measured, one job at a time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from ..engines import ENGINES, Failure, Setup
from ..records import environment
from ..records.cost import Cost
from ..records.sources import sources_of
from ..records.wording import counted
from ..registry.entries import TASKS
from ..registry.entry import Entry
from ..registry.factory import Choice
from ..tasks.base import Task, changed
from .alone import AloneJob
from .case import Case
from .listening import CostListener, Measured
from .network import NetworkJob
from .rounds import ROUNDS

Job = AloneJob | NetworkJob
BATCH = 8
"""Activations in a batch at most: a kill loses at most these, and a round stays short."""
BATCH_ELEMENTS = 8e6
"""Elements of all activations of a batch together; a batch has at least two activations. Slow ones take minutes."""
OVERHEAD = 2e6
"""The fixed work of a measurement, in elements that take as long, to estimate the time that is left."""


@dataclass
class CostPlan:
    """The costs that were asked for: jobs for those that are missing, and those that the store holds.

    Attributes:
        what: the question in a line.
        entries: what a process must find to measure.
        known: by spec, what a cost says whether it fails or not, such as its versions and its source.
        jobs: what is to be measured.
        stored: costs of the store that count.
    """

    what: str
    entries: tuple[Entry, ...]
    known: Mapping[str, Mapping[str, Any]]
    jobs: list[Job] = field(default_factory=list)
    stored: list[Cost] = field(default_factory=list)

    def counts(self, cost: Cost | None) -> bool:
        """Tell whether a cost of the store is kept: this code gave it, and it is no failure that may pass."""
        if cost is None or cost.status not in ("ok", "error"):
            return False
        known = self.known[cost.activation]
        return (cost.versions, cost.source) == (known["versions"], known["source"])


def plan_alone(
    choices: Sequence[Choice],
    cases: Sequence[Case],
    environment_id: str,
    stored: Mapping[str, Cost],
    rounds: int = ROUNDS,
    batch: int | None = None,
) -> CostPlan:
    """Plan the costs of activations alone, in batches."""
    sources = sources_of(choices)
    known = {c.spec: {"versions": environment.versions(c.entry), "source": sources[c.spec]} for c in choices}
    what = f"{counted('activation', len(choices))} x {counted('case', len(cases))}"
    what += ", each timed together with relu, gelu and a copy"
    plan = CostPlan(what, tuple(choice.entry for choice in choices), known)
    for case in cases:
        missing = []
        for spec in known:
            cost = stored.get(AloneJob(case, (spec,), environment_id).key(spec))
            if cost is not None and plan.counts(cost):
                plan.stored.append(cost)
            else:
                missing.append(spec)
        size = batch or min(BATCH, max(2, int(BATCH_ELEMENTS / case.elements)))
        parts = (tuple(missing[start : start + size]) for start in range(0, len(missing), size))
        plan.jobs += [AloneJob(case, part, environment_id, rounds) for part in parts]
    return plan


def plan_network(
    task: Task,
    choices: Sequence[Choice],
    baseline: Choice,
    environment_id: str,
    stored: Mapping[str, Cost],
    rounds: int = ROUNDS,
) -> CostPlan:
    """Plan the costs of activations in a task's network."""
    entry = TASKS.find(task.name)[0]
    sources = sources_of(choices, task=entry, baseline=baseline.entry)
    known = {
        choice.spec: {
            "versions": environment.versions(choice.entry, task.version),
            "source": sources[choice.spec],
            "threads": task.threads,
            "device": task.device,
        }
        for choice in choices
    }
    entries = (entry, baseline.entry, *(choice.entry for choice in choices))
    what = (
        f"{counted('activation', len(choices))} in the network of {task.name}, each timed together with {baseline.spec}"
    )
    plan = CostPlan(what, entries, known)
    for spec in known:
        job = NetworkJob(task.name, spec, baseline.spec, environment_id, changed(task), rounds)
        cost = stored.get(job.key)
        if cost is not None and plan.counts(cost):
            plan.stored.append(cost)
        else:
            plan.jobs.append(job)
    return plan


def measure_job(job: Job) -> list[Cost]:
    """Measure a job, in whichever process an engine chooses."""
    return job.measure()


def carry_out(plan: CostPlan, done: Measured, engine: str, setup: Setup, listener: CostListener) -> None:
    """Measure one job at a time; its costs are in the store before the next job begins.

    A batch whose process dies is measured again one by one, so that only the activation that ended it is lost.
    """
    done.held += plan.stored
    waiting, total = list(plan.jobs), sum(len(job.activations) for job in plan.jobs)
    listener.costs_planned(total + len(plan.stored), len(plan.stored), plan.what, done.store)
    if waiting:
        machine = environment.read()
        done.store.write_json("environments", machine["id"], machine)
    start, whole, worked = time.monotonic(), sum(map(weight, waiting)), 0.0
    while waiting:
        apart: list[Job] = []
        with closing(ENGINES[engine](measure_job, waiting, jobs=1, setup=setup)) as outcomes:
            for job, outcome in outcomes:
                if isinstance(outcome, Failure) and isinstance(job, AloneJob) and len(job.activations) > 1:
                    apart += [replace(job, activations=(name,)) for name in job.activations]
                    continue
                worked += weight(job)
                costs = [lost(plan, job, outcome)] if isinstance(outcome, Failure) else outcome
                for cost in costs:
                    cost = cost.with_(source=plan.known[cost.activation]["source"])
                    done.store.write_cost(cost)
                    done.new.append(cost)
                    left = (whole - worked) * (time.monotonic() - start) / worked
                    listener.measured(cost, len(done.new), total, left)
        waiting = apart


def weight(job: Job) -> float:
    """Say about how much work a job is."""
    return len(job.activations) * (OVERHEAD + (job.case.elements if isinstance(job, AloneJob) else 0))


def lost(plan: CostPlan, job: Job, failure: Failure) -> Cost:
    """Return the cost of an activation whose process died: no figures, and the reason."""
    (name,) = job.activations
    error = {"type": "", "message": failure.message, "traceback": ""}
    return job.blank(name).with_(status=failure.kind, error=error, **plan.known[name])


def by_key(costs: Iterable[Cost]) -> dict[str, Cost]:
    """Return costs by their keys."""
    return {cost.key: cost for cost in costs}
