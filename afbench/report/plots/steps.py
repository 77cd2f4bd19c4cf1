"""The times of a task's training steps, for plots that compare them with its metric."""

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
        baseline: the activation that the ratios are relative to.
        place: device and threads; empty if they are not known.
        notes: what a caption must say about them.
    """

    by_activation: Mapping[str, Step]
    baseline: str
    place: str = ""
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, trials: Trials) -> Steps:
        """Choose the costs of these trials' task, settings and device from their folder and those beside it.

        Raises:
            UsageError: if no activation was timed, one that was named was not, or the machine was too busy for timing.
        """
        every = [cost for store in (trials.store, *trials.beside) for cost in store.costs()]
        costs = costs_of(next(iter(grouped(trials.records))), every, trials.baseline or "")
        task = trials.records[0].trial.task
        if costs.busy:
            raise UsageError(
                f"no step times for plot 'tradeoff' of {trials.label}: the machine was too busy for timing "
                f"({costs.busy}). Measure again on an idle machine: afbench cost --task {task} --again"
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
                f"plot 'tradeoff' needs step times of {where}, and there are none in {folder}. Copy the folder "
                f"costs next to trials, or run without --no-cost (afbench run --task {task} --out DIR), or add a "
                f"folder of afbench cost --task {task}"
            )
        place = [costs.device] if costs.device else []
        place += [f"{costs.threads} {plural('thread', costs.threads)}"] if costs.threads else []
        return cls(steps, costs.baseline, ", ".join(place), costs.notes)
