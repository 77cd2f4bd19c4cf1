"""What an activation gains against what it costs: the metric over the time of a training step."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from ...errors import UsageError
from ...stats import LEVEL, Interval, interval
from ..caption import NOISE, noise
from ..costs import Costs, costs_of
from ..footnotes import plural
from ..groups import grouped
from .captions import compared, left_out, title
from .curve import compare
from .kind import Plot
from .pointlabels import label_points
from .sheet import Sheet, freeze
from .style import BASELINE, GREY, LOOKS, PALE
from .trials import Trials

WORST = 10.0
"""Percentile of the metrics, from the worse end, at which the axis may end: one outlier would press all together."""
RATIO = 3.0
"""From this ratio of the dearest to the cheapest step on, the axis is logarithmic."""


@dataclass(frozen=True)
class Point:
    """An activation: step time as a ratio to the baseline's, with quartiles, and the metric over seeds."""

    step: float
    quartiles: tuple[float, float] | None
    score: Interval


def draw(trials: Trials, sheet: Sheet) -> Figure:
    """Draw a marker an activation, the Pareto front as a line; those that another beats on both axes are grey.

    Args:
        trials: what to draw.
        sheet: what to draw on.

    Raises:
        UsageError: if no activation has a cost, or one that was named has none.
    """
    held = [cost for store in (trials.store, *trials.beside) for cost in store.costs()]
    costs = costs_of(next(iter(grouped(trials.records))), held, trials.baseline or "")
    points = measured(trials, costs)
    higher = trials.higher_is_better
    front = pareto({name: (point.step, point.score.mean) for name, point in points.items()}, higher)
    bounds = limits(points, front, trials.baseline, higher)
    figure = sheet.figure(3.0 if sheet.wide else 2.6, caption(trials, costs, points, front, bounds))
    panel = figure.subplots()
    scale(panel, points, bounds)
    compare(panel, trials, higher)
    corners = [(points[name].step, points[name].score.mean) for name in front]
    steps = [corner for a, b in itertools.pairwise(corners) for corner in (a, (b[0], a[1]))] + corners[-1:]
    panel.plot(*zip(*steps, strict=True), color=LOOKS[0].colour, linewidth=0.9, zorder=2, gid="front")
    for name, point in points.items():
        mark(panel, point, name in front, name == trials.baseline)
    unit = f" ({trials.unit})" if trials.unit else ""
    panel.set(xlabel=f"time of a training step, in units of {costs.baseline}'s", ylabel=f"test {trials.metric}{unit}")
    freeze(figure)
    important = list(dict.fromkeys([*(trials.named or front), *([trials.baseline] if trials.baseline else [])]))
    places = {name: (p.step, p.score.mean) for name, p in points.items()}
    label_points(panel, places, important, [steps, *(bar for name in important for bar in bars(points[name]))])
    return figure


def measured(trials: Trials, costs: Costs) -> dict[str, Point]:
    """Join metric and cost; the best mean comes first.

    Raises:
        UsageError: if nothing is left, or one that was named is not.
    """
    found = {}
    for name in trials.ok:
        if trials.named and name not in (*trials.named, trials.baseline):
            continue
        cost = costs.by_activation.get(name)
        if cost and cost.step is not None:
            score = interval(trials.score(name, seed) for seed in trials.ok[name])
            found[name] = Point(cost.step, cost.quartiles, score)
    lacking = [name for name in trials.named if name not in found]
    if lacking or not found:
        where = f"{lacking[0]} in {trials.label}" if found else trials.label
        folder, task = trials.store.path / "costs", trials.records[0].trial.task
        raise UsageError(
            f"no costs for plot 'tradeoff' of {where} in {folder}: copy that folder along with trials, "
            f"run anew (afbench run --task {task} --out DIR), or name a folder of afbench cost --task {task} too"
        )
    return found


def pareto(points: Mapping[str, tuple[float, float]], higher_is_better: bool) -> list[str]:
    """List those that no other beats: as cheap and better, or cheaper and as good; the cheapest first.

    Args:
        points: cost and metric by name; a lower cost is better.
        higher_is_better: the metric's direction.
    """
    sign = 1.0 if higher_is_better else -1.0
    found: list[str] = []
    for name in sorted(points, key=lambda name: (points[name][0], -sign * points[name][1])):
        last = points[found[-1]] if found else None
        if last is None or sign * points[name][1] > sign * last[1] or points[name] == last:
            found.append(name)
    return found


Bounds = tuple[float, float, float, float]


def limits(points: Mapping[str, Point], front: Sequence[str], baseline: str | None, higher_is_better: bool) -> Bounds:
    """Choose the axes' ends: all costs; of the metric what is on the front, the baseline, and most of the others."""
    steps = [point.step for point in points.values()]
    scores = np.array([point.score.mean for point in points.values()])
    seen = [points[name].score.mean for name in (*front, baseline or "") if name in points]
    seen.append(float(np.percentile(scores, WORST if higher_is_better else 100 - WORST)))
    low, high = min(seen), max(seen)
    spare = 0.1 * (high - low) or 0.05 * abs(high) or 0.5
    return min(steps), max(steps), low - spare, high + spare


def beyond(points: Mapping[str, Point], bounds: Bounds) -> list[str]:
    """List those whose metric lies beyond the axis."""
    return [name for name, point in points.items() if not bounds[2] <= point.score.mean <= bounds[3]]


def scale(panel: Axes, points: Mapping[str, Point], bounds: Bounds) -> None:
    """Set the axes; costs that span more than a factor of 3 get a logarithmic one."""
    cheap, dear, low, high = bounds
    panel.set_ylim(low, high)
    panel.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    if cheap > 0 and dear / cheap > RATIO:
        panel.set_xscale("log")
        spare = (dear / cheap) ** 0.06
        panel.set_xlim(cheap / spare, dear * spare)
        panel.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
        panel.xaxis.set_minor_locator(NullLocator())
    else:
        room = 0.08 * (dear - cheap) or 0.2
        panel.set_xlim(cheap - room, dear + room)
        panel.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}x"))


def mark(panel: Axes, point: Point, first: bool, baseline: bool) -> None:
    """Draw an activation: on the front in colour, the baseline black, others grey; with intervals but for the grey."""
    look = BASELINE if baseline else LOOKS[0]
    if not (first or baseline):
        panel.plot(point.step, point.score.mean, marker="o", markersize=3.0, color=PALE, markeredgecolor=GREY, mew=0.4)
        return
    for bar in bars(point):
        panel.plot(*zip(*bar, strict=True), color=look.colour, linewidth=0.5, alpha=0.5, zorder=1)
    fill = look.colour if first else "white"
    panel.plot(
        point.step, point.score.mean, marker=look.marker, markersize=4.2, color=look.colour, mfc=fill, mew=0.8, zorder=4
    )


def bars(point: Point) -> list[list[tuple[float, float]]]:
    """List the ends of the lines through a marker: the metric's interval, the quartiles of the step time."""
    step, mean = point.step, point.score.mean
    up = [[(step, point.score.low), (step, point.score.high)]] if point.score.known else []
    return [*up, *([[(end, mean) for end in point.quartiles]] if point.quartiles else [])]


def caption(
    trials: Trials, costs: Costs, points: Mapping[str, Point], front: Sequence[str], bounds: Bounds
) -> Iterator[str]:
    """Say what is shown."""
    yield title(trials)
    place = [costs.device] if costs.device else []
    place += [f"{costs.threads} {plural('thread', costs.threads)}"] if costs.threads else []
    where = f" ({', '.join(place)})" if place else ""
    yield f"Test {trials.metric} (means over seeds) against the time of a training step{where}."
    better = "higher" if trials.higher_is_better else "lower"
    if len(front) > 1:
        yield f"Line: the Pareto front, whose members none beats on both axes ({better} is better), by the means shown."
    grey = len(points) - len({*front, *([trials.baseline] if trials.baseline in points else [])})
    yield "Grey: dominated, named where there is room." if grey else ""
    if trials.baseline in points:
        yield f"Black: the baseline {trials.baseline}{'' if trials.baseline in front else ', dominated'}."
    yield f"Lines through markers: {100 * LEVEL:g} % intervals over seeds, quartiles of the step time."
    own = points.get(costs.baseline)
    yield noise(costs.baseline) if own and abs(own.step - 1) >= NOISE else ""
    out = beyond(points, bounds)
    yield f"Beyond the axis: {', '.join(out)}." if out else ""
    lacking = [name for name in trials.ok if name not in points and not trials.named]
    yield f"Without a cost: {', '.join(lacking)}." if lacking else ""
    yield compared(trials)
    yield left_out(trials, points)
    yield from (f"{note[:1].upper()}{note[1:]}." for note in costs.notes)


PLOT = Plot("tradeoff", "metric against the time of a training step, with the Pareto front", draw, beside=True)
