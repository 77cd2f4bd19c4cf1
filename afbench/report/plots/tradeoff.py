"""What an activation gains against what it costs: the metric over the time of a training step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ...statistics.intervals import LEVEL, interval
from . import tradeoff_over_tasks
from .captions import compared, left_out, title
from .curve import compare
from .front import Front, Point, scale_steps, step_label
from .kind import Plot
from .pointlabels import Labels
from .sheet import Sheet
from .steps import Steps
from .trials import Trials

WORST = 10.0
"""Percentile of the metrics, from the worse end, at which the axis may end: one outlier would press all together."""


def draw(tasks: Sequence[Trials], sheet: Sheet) -> Figure:
    """Draw a marker an activation, the Pareto front as a line; those that another beats on both axes are grey.

    Args:
        tasks: what to draw; of several, ranks and steps are averaged over tasks.
        sheet: what to draw on.

    Raises:
        UsageError: if no activation of a task has a cost, or one that was named has none; or, of several tasks, as
            ``tradeoff_over_tasks.draw``.
    """
    if len(tasks) > 1:
        return tradeoff_over_tasks.draw(tasks, sheet)
    (trials,) = tasks
    steps = Steps.of(trials)
    front = Front.of(measured(trials, steps), trials.higher_is_better, trials.baseline, trials.named, trials.names)
    low, high = limits(front, trials.higher_is_better)
    beyond = [name for name, point in front.points.items() if not low <= point.score <= high]
    sentences = [*caption(trials, steps, front, beyond)]
    figure, labels = paint(trials, sheet, steps, front, sentences)
    if labels.sentence:  # the panel is the same; the caption is longer
        figure, _ = paint(trials, sheet, steps, front, [*sentences, labels.sentence], labels)
    return figure


def paint(
    trials: Trials, sheet: Sheet, steps: Steps, front: Front, sentences: Sequence[str], labels: Labels | None = None
) -> tuple[Figure, Labels]:
    """Draw the front above a caption; returns the labels, too, of which the caption may have to say something."""
    low, high = limits(front, trials.higher_is_better)
    figure = sheet.figure(3.4 if sheet.wide else 3.0, sentences)
    panel = figure.subplots()
    panel.set_ylim(low, high)
    panel.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    ratios = [point.step for point in front.points.values()]
    scale_steps(panel, min(ratios), max(ratios))
    compare(panel, trials, trials.higher_is_better)
    unit = f"{trials.unit}, " if trials.unit else ""
    better = "higher" if trials.higher_is_better else "lower"
    panel.set_xlabel(step_label(panel, trials.called(steps.baseline)))
    panel.set_ylabel(f"test {trials.metric} ({unit}{better} is better)")
    return figure, front.draw(figure, panel, labels)


def measured(trials: Trials, steps: Steps) -> dict[str, Point]:
    """Join cost, with its quartiles, and metric, with its interval over seeds; the best mean comes first."""
    found = {}
    for name, step in steps.by_activation.items():
        score = interval((trials.score(name, seed) for seed in trials.ok[name]), bounds=trials.bounds)
        ends = (score.low, score.high) if score.known else None
        found[name] = Point(step.ratio, score.mean, step.quartiles, ends)
    return found


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
    yield title(trials)
    where, baseline = f" ({steps.place})" if steps.place else "", trials.called(steps.baseline)
    yield f"Test {trials.metric} (mean over seeds) against training-step time relative to {baseline}{where}."
    better = "higher is better" if trials.higher_is_better else "lower is better"
    bars = f"{100 * LEVEL:g} % interval over seeds, quartiles of the step time"
    yield from front.sentences(better, bars, steps.baseline)
    yield f"Beyond the axis: {', '.join(trials.all_called(beyond))}." if beyond else ""
    lacking = [name for name in trials.ok if name not in front.points and not trials.named]
    yield f"Without a cost: {', '.join(trials.all_called(lacking))}." if lacking else ""
    yield compared(trials)
    yield left_out(trials, front.points)
    yield from (f"{note[:1].upper()}{note[1:]}." for note in steps.notes)


PLOT = Plot(
    "tradeoff",
    "metric (over tasks: mean rank) against the time of a training step, with the Pareto front",
    draw,
    across=True,
    beside=True,
)
