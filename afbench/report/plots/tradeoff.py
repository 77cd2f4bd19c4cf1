"""What an activation gains against what it costs: the metric over the time of a training step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ...statistics.intervals import LEVEL, interval
from . import tradeoff_over_tasks
from .curve import draw_references
from .front import Front, Point, scale_steps, step_label
from .kind import Plot
from .sheet import Sheet
from .steps import Steps
from .trials import Trials

WORST = 10.0
"""Percentile of the metrics, from the worse end, at which the axis may end: one outlier would press all together."""


def draw(tasks: Sequence[Trials], sheet: Sheet) -> Iterator[Figure]:
    """Draw a marker an activation, the Pareto front as a line; those that another beats on both axes are grey.

    Of several tasks, ranks and steps are averaged over tasks.

    Raises:
        UsageError: if no activation of a task has a cost, or one that was named has none; or, of several tasks, as
            ``tradeoff_over_tasks.draw``.
    """
    if len(tasks) > 1:
        yield tradeoff_over_tasks.draw(tasks, sheet)
        return
    (trials,) = tasks
    steps = Steps.of(trials)
    front = Front.of(measured(trials, steps), trials.higher_is_better, trials.baseline, trials.named, trials.names)
    low, high = limits(front, trials.higher_is_better)

    def set_axes(panel: Axes) -> None:
        panel.set_ylim(low, high)
        panel.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        ratios = [point.step for point in front.points.values()]
        scale_steps(panel, min(ratios), max(ratios))
        draw_references(panel, trials, trials.higher_is_better)
        unit = f"{trials.unit}, " if trials.unit else ""
        better = "higher" if trials.higher_is_better else "lower"
        panel.set_xlabel(step_label(panel, trials.called(steps.baseline)))
        panel.set_ylabel(f"test {trials.metric} ({unit}{better} is better)")

    beyond = [name for name, point in front.points.items() if not low <= point.score <= high]
    yield front.figure(sheet, [*caption(trials, steps, front, beyond)], set_axes)


def measured(trials: Trials, steps: Steps) -> dict[str, Point]:
    """Join cost, with its quartiles, and metric, with its interval over seeds; the best mean comes first."""
    points = {}
    for name, step in steps.by_activation.items():
        score = interval((trials.score(name, seed) for seed in trials.ok[name]), bounds=trials.bounds)
        ends = (score.low, score.high) if score.known else None
        points[name] = Point(step.ratio, score.mean, step.quartiles, ends)
    return points


def limits(front: Front, higher_is_better: bool) -> tuple[float, float]:
    """Choose the ends of the metric's axis: what is on the front, the baseline, and most of the others."""
    scores = np.array([point.score for point in front.points.values()])
    seen = [front.points[name].score for name in front.marked]
    seen.append(float(np.percentile(scores, WORST if higher_is_better else 100 - WORST)))
    low, high = min(seen), max(seen)
    spare = 0.1 * (high - low) or 0.05 * abs(high) or 0.5
    return low - spare, high + spare


def caption(trials: Trials, steps: Steps, front: Front, beyond: Sequence[str]) -> Iterator[str]:
    """Say what is shown."""
    yield trials.title
    where, baseline = f" ({steps.place})" if steps.place else "", trials.called(steps.baseline)
    yield f"Test {trials.metric} (mean over seeds) against training-step time relative to {baseline}{where}."
    yield from front.sentences(f"{100 * LEVEL:g} % interval over seeds, quartiles of the step time", steps.baseline)
    yield f"Beyond the axis: {', '.join(trials.all_called(beyond))}." if beyond else ""
    lacking = [name for name in trials.ok if name not in front.points and not trials.named]
    yield f"Without a cost: {', '.join(trials.all_called(lacking))}." if lacking else ""
    yield trials.compared
    yield trials.left_out(front.points)
    yield from (f"{note[:1].upper()}{note[1:]}." for note in steps.notes)


PLOT = Plot(
    "metric (over tasks: mean rank) against training-step time, with the Pareto front; dominated activations in grey",
    draw,
    across=True,
    beside=True,
)
