"""Activations measured alone: a batch of them in the same rounds as ReLU, GELU and a plain copy."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch

from ..engines.ambient import pinned
from ..records import environment
from ..records.cost import ALONE, PASSES, Cost
from ..records.environment import now
from ..records.failure import failure
from ..records.trial import digest
from ..registry.factory import choose
from .case import Case
from .clock import Call, Clock, CpuClock, Cuda, EventClock, capture
from .inputs import Inputs, cache_bytes
from .rounds import BUDGET, ROUNDS, interleave
from .timed import FORWARD, Copy, Timed, timed, untimed

YARDSTICKS = ("relu", "gelu", "copy")
"""The references of the ratios: each batch measures them in its own rounds."""
OWN = "="
"""Prefix of a yardstick's name: the reference of the ratios, another instance than the activation that is measured."""


@dataclass(frozen=True)
class AloneJob:
    """A batch: some activations under a case, to be measured in the same rounds as the yardsticks."""

    case: Case
    activations: tuple[str, ...]
    environment: str
    rounds: int = ROUNDS
    budget: float = BUDGET

    def key(self, activation: str) -> str:
        """Return the name of a cost in the store: what was measured, and where; not in which batch."""
        place = {"kind": ALONE, "activation": activation, "environment": self.environment}
        return digest({**place, **asdict(self.case)})

    def blank(self, activation: str) -> Cost:
        """Return what is known of a cost before anything is measured."""
        return Cost(
            self.key(activation),
            activation,
            ALONE,
            environment=self.environment,
            commit=environment.commit(),
            measured=now(),
            channel_dim=self.case.channel_dim,
            elements=self.case.elements,
            **vars(self.case),
        )

    def measure(self) -> list[Cost]:
        """Measure the batch; it never raises for what an activation does. One cost for each, in the job's order."""
        batch_id = digest([asdict(self.case), self.activations, self.environment, now()])
        batch = {"id": batch_id, "activations": list(self.activations), "rounds": self.rounds}
        blanks = {name: self.blank(name).with_(batch=batch) for name in self.activations}
        try:
            with pinned(self.case.threads):
                costs = measure_batch(self, blanks)
        except (Exception, SystemExit) as error:  # the inputs do not fit, or a yardstick fails: no figures
            costs = {name: cost.with_(**failure(error)) for name, cost in blanks.items()}
        return [costs[name].with_(measured=now()) for name in self.activations]


def measure_batch(job: AloneJob, blanks: Mapping[str, Cost]) -> dict[str, Cost]:
    """Count, then time each pass, cold and (where it differs) warm."""
    case, cache = job.case, cache_bytes()
    if case.mode == "compile":
        torch.compiler.reset()  # it gives a class up that it has compiled in too many forms
    inputs = Inputs(case, cache)
    yardsticks: dict[str, Timed] = {name: timed(choose(name), case) for name in ("relu", "gelu")}
    yardsticks["copy"] = Copy()
    for name in ("relu", "gelu"):
        untimed(yardsticks[name], case, inputs)
    costs, measured = {name: cost.with_(cache_bytes=cache) for name, cost in blanks.items()}, {}
    for name in costs:
        try:
            choice = choose(name)
            costs[name] = costs[name].with_(versions=environment.versions(choice.entry))
            module = timed(choice, case)
            costs[name] = costs[name].with_(**untimed(module, case, inputs))
            measured[name] = module
        except (Exception, SystemExit) as error:
            costs[name] = costs[name].with_(**failure(error))
    everyone = {**measured, **{OWN + name: yardstick for name, yardstick in yardsticks.items()}}
    for which in PASSES:
        for temperature in ("cold", "warm") if inputs.warms else ("cold",):
            cold = temperature == "cold"
            with torch.no_grad() if which == FORWARD else contextlib.nullcontext():
                eager = {name: subject.call(inputs, which, cold) for name, subject in everyone.items()}
                clock, calls = ready(case, eager, cold)
                samples = interleave(calls, clock, job.rounds, budget=job.budget)
            references = {name: samples[OWN + name] for name in YARDSTICKS}
            for name in [name for name in measured if costs[name].ok]:
                cost, raised = costs[name], samples[name].error
                if raised is None:
                    timing = samples[name].timing(references)
                    costs[name] = cost.with_(times={**cost.times, f"{which}_{temperature}": timing})
                else:
                    costs[name] = cost.with_(**failure(raised))
    return costs


def ready(case: Case, calls: Mapping[str, Call], cold: bool) -> tuple[Clock, Mapping[str, Call]]:
    """Return the clock of a case, and its calls as it takes them: graphs are captured."""
    if case.device == "cpu":
        return CpuClock(case.threads), calls
    device = Cuda(case.device)
    if case.mode == "graph":
        calls = {name: capture(device, call) for name, call in calls.items()}
    return EventClock(device, cold), calls
