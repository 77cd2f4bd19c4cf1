"""Activations measured alone: a batch of them in the same rounds as ReLU, GELU and a plain copy."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from ..engines.ambient import pinned
from ..errors import UsageError
from ..kernels import library
from ..records import environment
from ..records.cost import ALONE, PASSES, Cost, Timing
from ..records.trial import digest
from ..registry.factory import choose
from ..training import attempt
from ..version import __version__
from .case import Case
from .clock import Call, Clock, CpuClock, Cuda, EventClock, capture
from .inputs import Inputs, cache_bytes
from .rounds import BUDGET, ROUNDS, Samples, interleave
from .subject import FORWARD, Copy, Subject, facts, subject

YARDSTICKS = ("relu", "gelu", "copy")
"""What each activation is a ratio to: measured in the same rounds, whatever else is in the batch."""
OWN = "="
"""Set before a yardstick's name: the instance that others are measured against, not the one that is measured."""


@dataclass(frozen=True)
class AloneJob:
    """A batch: some activations under a case, to be measured in the same rounds as the yardsticks."""

    case: Case
    activations: tuple[str, ...]
    environment: str
    rounds: int = ROUNDS
    budget: float = BUDGET

    @property
    def batch(self) -> str:
        """What tells from a cost which others were measured in the same rounds."""
        return digest([asdict(self.case), self.activations, self.environment, attempt.now()])


def alone_key(case: Case, activation: str, environment: str) -> str:
    """Return the name of a cost in the store: what was measured, and where; not beside what."""
    return digest({"kind": ALONE, "activation": activation, "environment": environment, **asdict(case)})


def measure_alone(job: AloneJob) -> list[Cost]:
    """Measure a batch; it never raises for what an activation does. One cost for each, in the job's order."""
    blanks = {name: blank(job, name) for name in job.activations}
    batch = {"id": job.batch, "activations": list(job.activations), "rounds": job.rounds}
    try:
        with pinned(job.case.threads):
            costs = measure_batch(job, blanks)
    except Exception as error:  # the inputs do not fit, or a yardstick fails: nobody has a figure
        costs = {name: failed(cost, error) for name, cost in blanks.items()}
    return [costs[name].with_(batch=batch, measured=attempt.now()) for name in job.activations]


def blank(job: AloneJob, name: str) -> Cost:
    """Return what is known of a cost before anything is measured."""
    case = job.case
    return Cost(
        alone_key(case, name, job.environment),
        name,
        ALONE,
        environment=job.environment,
        commit=environment.commit(),
        versions=versions(name),
        channel_dim=case.channel_dim,
        elements=case.elements,
        **vars(case),
    )


def versions(name: str) -> dict[str, Any]:
    """Return the versions that a cost goes stale with; empty for what is no activation here."""
    try:
        entry = choose(name).entry
    except UsageError:
        return {}
    return {
        "activation": entry.version,
        "afbench": __version__,
        "torch": torch.__version__,
        "kernels": library.path(),
    }


def failed(cost: Cost, error: Exception) -> Cost:
    """Return a cost that says why it has no figure."""
    why = attempt.failure(error)
    return cost.with_(status=str(why["status"]), error=why["error"])


def measure_batch(job: AloneJob, blanks: Mapping[str, Cost]) -> dict[str, Cost]:
    """Count, then time each pass, cold and (where it differs) warm."""
    case, cache = job.case, cache_bytes()
    if case.mode == "compile":
        torch.compiler.reset()  # it gives a class up that it has compiled in too many forms
    inputs = Inputs(case, cache)
    yardsticks: dict[str, Subject] = {"relu": subject("relu", case), "gelu": subject("gelu", case), "copy": Copy()}
    for name in ("relu", "gelu"):
        facts(yardsticks[name], case, inputs)
    costs, subjects = {name: cost.with_(cache_bytes=cache) for name, cost in blanks.items()}, {}
    for name, cost in costs.items():
        try:
            subjects[name] = subject(name, case)
            costs[name] = cost.with_(**facts(subjects[name], case, inputs))
        except Exception as error:
            costs[name] = failed(cost, error)
            subjects.pop(name, None)
    everyone = {**subjects, **{OWN + name: one for name, one in yardsticks.items()}}
    for which in PASSES:
        for temperature in ("cold", "warm") if inputs.warms else ("cold",):
            cold = temperature == "cold"
            with torch.no_grad() if which == FORWARD else contextlib.nullcontext():
                clock, calls = ready(case, {n: one.call(inputs, which, cold) for n, one in everyone.items()}, cold)
                samples = interleave(calls, clock, job.rounds, budget=job.budget)
            for name in [name for name in subjects if costs[name].ok]:
                cost, raised = costs[name], samples[name].error
                if raised is None:
                    costs[name] = cost.with_(times={**cost.times, f"{which}_{temperature}": timing(samples, name)})
                else:
                    costs[name] = failed(cost, raised)
    return costs


def ready(case: Case, calls: Mapping[str, Call], cold: bool) -> tuple[Clock, Mapping[str, Call]]:
    """Return the clock of a case, and its calls as it takes them: graphs are captured."""
    if case.device == "cpu":
        return CpuClock(case.threads), calls
    device = Cuda(case.device)
    if case.mode == "graph":
        calls = {name: capture(device, call) for name, call in calls.items()}
    return EventClock(device, cold), calls


def timing(samples: Mapping[str, Samples], name: str) -> Timing:
    """Return an activation's seconds, its ratios to the yardsticks within the rounds, and the yardsticks' seconds."""
    own, beside = samples[name], {yard: samples[OWN + yard] for yard in YARDSTICKS}
    return Timing(
        own.figure(),
        {yard: own.over(other) for yard, other in beside.items()},
        {yard: other.figure() for yard, other in beside.items()},
        own.number,
    )


def batches(case: Case, activations: Sequence[str], environment: str, size: int, **options: Any) -> list[AloneJob]:
    """Split activations into batches: small ones, so that a round is short and a kill loses little."""
    parts = [tuple(activations[start : start + size]) for start in range(0, len(activations), size)]
    return [AloneJob(case, part, environment, **options) for part in parts]
