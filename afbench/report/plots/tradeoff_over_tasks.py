"""The gain of activations against their cost over several tasks: mean ranks against mean ratios of step times.

A metric is never averaged over tasks: the percentage of one and the error of another have no common unit, but ranks
have. The mean of ratios is the geometric one: twice the time in one task and half of it in another give 1.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...errors import UsageError
from ...statistics.ranks import ranks
from .front import Front, Point, scale_steps, step_label
from .rank import ticks
from .sheet import Sheet
from .steps import Steps
from .trials import Trials, left_out_of_each


def draw(tasks: Sequence[Trials], sheet: Sheet) -> Figure:
    """Draw a marker an activation, the Pareto front as a line; those that another beats on both axes are grey.

    Raises:
        UsageError: if a task has no costs, or none of an activation that was named; if the costs of two tasks are
            ratios to different baselines; if fewer than two activations have a number and a cost in every task.
    """
    steps = [Steps.of(trials) for trials in tasks]
    check_baselines(tasks, steps)
    lacking = missing(tasks, steps)
    points = measured(tasks, steps, lacking)
    baseline = next((trials.baseline for trials in tasks if trials.baseline), None)
    front = Front.of(points, False, baseline, tasks[0].named, tasks[0].names)
    shown = [*points.values(), *(Point(*end) for name in front.marked for bar in points[name].bars for end in bar)]

    def set_axes(panel: Axes) -> None:
        scale_steps(panel, min(point.step for point in shown), max(point.step for point in shown))
        worst = max(point.score for point in shown)
        spare = max(0.25, 0.06 * (worst - 1))
        panel.set_yticks([tick for tick in ticks(len(points)) if tick <= worst + spare])
        panel.set_ylim(worst + spare, 1 - spare)
        panel.set_xlabel(step_label(panel, tasks[0].called(steps[0].baseline), ", over tasks"))
        panel.set_ylabel("mean rank over tasks (1 is best)")

    return front.figure(sheet, [*caption(tasks, steps, front, lacking)], set_axes)


def check_baselines(tasks: Sequence[Trials], steps: Sequence[Steps]) -> None:
    """Raise ``UsageError`` if the steps of two tasks are ratios to different baselines: they have no common mean."""
    if len({task_steps.baseline for task_steps in steps}) > 1:
        wanted = tasks[0].baseline or steps[0].baseline
        baselines = [(trials, task_steps.baseline) for trials, task_steps in zip(tasks, steps, strict=True)]
        odd = next(trials.records[0].trial.task for trials, baseline in baselines if baseline != wanted)
        words = ", ".join(f"those of {trials.label} are relative to {baseline}" for trials, baseline in baselines)
        raise UsageError(
            f"plot 'tradeoff' over tasks needs step times relative to the same baseline, but {words}. Measure again "
            f"(afbench cost --task {odd} --baseline {wanted}), or choose one task (--task)"
        )


def missing(tasks: Sequence[Trials], steps: Sequence[Steps]) -> dict[str, str]:
    """Say for each activation without a number or a cost in some task what it lacks, and where."""
    known = {name for trials in tasks for r in trials.records if trials.wanted(name := r.trial.activation)}
    lacking = {}
    for name in sorted(known):
        numbers = [trials.label for trials in tasks if name not in trials.ok]
        costs = [t.label for t, task_steps in zip(tasks, steps, strict=True) if name not in task_steps.by_activation]
        if numbers or costs:
            lacking[name] = f"{'number' if numbers else 'cost'} in {', '.join(numbers or costs)}"
    return lacking


def without(lacking: Mapping[str, str]) -> list[str]:
    """List the activations by what they lack: ``a number in gmm: swish, mish``."""
    kinds = sorted(set(lacking.values()), reverse=True)
    return [f"a {kind}: {', '.join(name for name, what in lacking.items() if what == kind)}" for kind in kinds]


def measured(tasks: Sequence[Trials], steps: Sequence[Steps], lacking: Mapping[str, str]) -> dict[str, Point]:
    """Average the ranks and the step times of those that lack nothing; the best mean rank comes first.

    Raises:
        UsageError: if fewer than two are left: one alone has no rank.
    """
    names = [name for name in steps[0].by_activation if name not in lacking]
    if len(names) < 2:
        others = f" (without {'; '.join(without(lacking))})" if lacking else ""
        raise UsageError(
            f"plot 'tradeoff' over {len(tasks)} tasks needs at least two activations with a number and a cost in every "
            f"task; there are {len(names)}{others}. Run the missing ones, or choose one task (--task)"
        )
    by_task = [ranks([trials.mean(name) for name in names], trials.higher_is_better) for trials in tasks]
    points = {}
    for name, own in zip(names, zip(*by_task, strict=True), strict=True):
        ratios = [task_steps.by_activation[name].ratio for task_steps in steps]
        ends = (min(ratios), max(ratios)), (min(own), max(own))
        points[name] = Point(statistics.geometric_mean(ratios), statistics.fmean(own), *ends)
    return dict(sorted(points.items(), key=lambda item: (item[1].score, item[0])))


def caption(tasks: Sequence[Trials], steps: Sequence[Steps], front: Front, lacking: Mapping[str, str]) -> Iterator[str]:
    """Say what is shown."""
    yield f"{len(tasks)} tasks: {', '.join(trials.label for trials in tasks)}."
    places = {
        trials.label: task_steps.place for trials, task_steps in zip(tasks, steps, strict=True) if task_steps.place
    }
    alike = len(places) == len(tasks) and len(set(places.values())) == 1
    words = places[tasks[0].label] if alike else "; ".join(f"{label}: {place}" for label, place in places.items())
    where = f" ({words})" if words else ""
    yield (
        f"Mean rank over tasks against training-step time relative to {tasks[0].called(steps[0].baseline)}, geometric "
        f"mean over tasks{where}."
    )
    yield from front.sentences("lowest to highest rank and ratio of all tasks", steps[0].baseline)
    yield from (f"Without {part}." for part in without({tasks[0].called(name): why for name, why in lacking.items()}))
    yield from left_out_of_each(tasks, [*front.points, *lacking])
    for trials, task_steps in zip(tasks, steps, strict=True):
        yield from (f"{trials.label}: {note}." for note in task_steps.notes)
