"""The times of a task's training steps, for plots that set them beside its trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import UsageError
from ...records.groups import grouped
from ...records.wording import plural
from ..costs import costs_of
from .trials import Trials


@dataclass(frozen=True)
class Step:
    """The time of a training step as a ratio to the baseline's, with the quartiles over rounds if they are known."""

    ratio: float
    quartiles: tuple[float, float] | None


@dataclass(frozen=True)
class Steps:
    """The steps of a task's activations.

    Attributes:
        by_activation: those that were timed and are to be drawn, the best mean of the metric first.
        baseline: what the ratios are to.
        place: device and threads; empty if they are not known.
        notes: what a caption must say of them.
    """

    by_activation: Mapping[str, Step]
    baseline: str
    place: str = ""
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, trials: Trials) -> Steps:
        """Choose the costs of these trials' task, settings and device from their folder and those beside it.

        Raises:
            UsageError: if no activation was timed, one that was named was not, or the machine was too busy to time on.
        """
        held = [cost for store in (trials.store, *trials.beside) for cost in store.costs()]
        costs = costs_of(next(iter(grouped(trials.records))), held, trials.baseline or "")
        task = trials.records[0].trial.task
        if costs.busy:
            raise UsageError(
                f"no step times for plot 'tradeoff' of {trials.label}: the machine was too busy to time on "
                f"({costs.busy}); measure again on an idle one (afbench cost --task {task} --again)"
            )
        steps = {}
        for name in trials.ok:
            cost = costs.by_activation.get(name)
            if cost and cost.step.median and trials.wanted(name):
                steps[name] = Step(cost.step.median, cost.step.quartiles)
        lacking = [name for name in trials.named if name in trials.explicit and name not in steps]
        if lacking or not steps:
            where, folder = f"{lacking[0]} in {trials.label}" if steps else trials.label, trials.store.path / "costs"
            raise UsageError(
                f"no costs for plot 'tradeoff' of {where} in {folder}: copy that folder from where the trials ran, "
                f"run again without --no-cost (afbench run --task {task} --out DIR), or name a folder of afbench cost "
                f"--task {task} too"
            )
        place = [costs.device] if costs.device else []
        place += [f"{costs.threads} {plural('thread', costs.threads)}"] if costs.threads else []
        return cls(steps, costs.baseline, ", ".join(place), costs.notes)
