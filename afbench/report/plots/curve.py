"""The validation metric and the training loss against the epoch: means over seeds, the baseline in black."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from scipy.special import stdtrit

from ...errors import UsageError
from ...files.arrays import Array
from ...records.wording import plural
from ...statistics.intervals import LEVEL
from ..tables.caption import quantity
from .arrays import check_shapes, holding, rising, vector, whole
from .endlabels import label_ends
from .kind import Plot
from .sheet import Sheet
from .style import BASELINE, GREY, LOOKS, PALE, SMALL, Look
from .trials import Arrays, Trials

SETTLED = 0.15
"""Share of the epochs whose validation metrics may be cut off: they would flatten the differences that remain."""
BANDS_FROM = 3
"""Seeds. For two, Student's interval is 12.7 standard errors wide on each side: such a band hides everything."""
NEAR, ABOVE = 0.35, 0.12
"""Shares of the axis: the largest distance of a reference line beyond it, and the room for the line's words."""
RATIO = 5.0
"""From this ratio of the largest to the smallest mean loss on, the axis is logarithmic."""


@dataclass(frozen=True)
class Curve:
    """An activation's curve: epochs, means over seeds, and the ends of their intervals (NaN for too few), each [E]."""

    epochs: Array
    mean: Array
    low: Array
    high: Array

    @classmethod
    def of(cls, seeds: Sequence[Arrays], what: str) -> Curve:
        """Average over seeds, up to the last epoch that all of them reached; Student's t intervals, epoch by epoch."""
        length = min(len(arrays[f"curve/{what}"]) for arrays in seeds)
        values = np.stack([arrays[f"curve/{what}"][:length].astype(float) for arrays in seeds])
        mean, count = values.mean(axis=0), len(values)
        half = np.full(length, np.nan)
        if count >= BANDS_FROM:
            half = stdtrit(count - 1, (1 + LEVEL) / 2) * values.std(axis=0, ddof=1) / math.sqrt(count)
        return cls(seeds[0]["curve/epoch"][:length], mean, mean - half, mean + half)


def draw(trials: Trials, sheet: Sheet, *, best: int = 3) -> Iterator[Figure]:
    """Draw the curves of all activations: the best few and the baseline labelled, with intervals, the rest in grey.

    If activations were named, only they and the baseline are drawn, all of them labelled.

    Args:
        trials: what to draw.
        sheet: what to draw on.
        best: how many are labelled besides the baseline, at most 6.

    Raises:
        UsageError: if there are no curves, or ``best`` is not from 0 to 6.
    """
    if not 0 <= best <= len(LOOKS):
        raise UsageError(f"plot 'curve' can label 0 to {len(LOOKS)} activations besides the baseline, not {best}")
    seeds_of = holding(trials, PLOT)
    names = [name for name in seeds_of if trials.wanted(name)]
    others = [name for name in names if name != trials.baseline]
    looks = dict(zip(others[: len(LOOKS) if trials.named else best], LOOKS, strict=False))
    if trials.baseline in names:
        looks[trials.baseline] = BASELINE

    figure = sheet.figure(2.15 if sheet.wide else 3.7, caption(trials, names, looks))
    panels = sheet.pair(figure, ("validation", "loss"), "epoch")
    higher = {"validation": trials.higher_is_better, "loss": False}
    ends: dict[Axes, dict[str, float]] = {}
    for what, panel in panels.items():
        curves = {name: Curve.of([trials.arrays(name, seed) for seed in seeds_of[name]], what) for name in names}
        draw_curves(panel, curves, looks)
        set_axes(panel, curves, looks, higher[what], whole=what == "loss")
        ends[panel] = {name: float(curves[name].mean[-1]) for name in looks}
    draw_references(panels["validation"], trials, higher["validation"])
    unit = f" ({trials.unit})" if trials.unit else ""
    panels["validation"].set_ylabel(f"validation {trials.metric}{unit}")
    panels["loss"].set_ylabel("training loss")
    label_ends(figure, ends, looks, trials.names)
    yield figure


def draw_curves(panel: Axes, curves: Mapping[str, Curve], looks: Mapping[str, Look]) -> None:
    """Draw the curves, those that are labelled on top, with bands and markers."""
    for name in curves:
        if name not in looks:
            panel.plot(curves[name].epochs, curves[name].mean, color=PALE, linewidth=0.6, zorder=1)
    for order, (name, look) in enumerate(reversed(list(looks.items()))):
        curve = curves[name]
        if np.isfinite(curve.low).any():
            band: dict[str, Any] = {"color": look.colour, "alpha": 0.12, "linewidth": 0, "zorder": 2}
            panel.fill_between(curve.epochs, curve.low, curve.high, **band)
        step = max(1, len(curve.epochs) // 6)
        start = (order * step) // max(1, len(looks))
        every = [*range(start, max(1, len(curve.epochs) - 1), step)]  # at the end the label has the marker
        line = panel.plot(curve.epochs, curve.mean, marker=look.marker, markevery=every, zorder=3 + order, **look.line)
        line[0].set_label(name)


def set_axes(panel: Axes, curves: Mapping[str, Curve], looks: Mapping[str, Look], higher: bool, whole: bool) -> None:
    """Set the axes: all epochs; vertically what is labelled, from a while after the start on unless ``whole``.

    Whole curves that span more than a factor of 5 get a logarithmic axis.
    """
    epochs = max((curve.epochs for curve in curves.values()), key=len)
    lone = 0.5 if len(epochs) == 1 else 0.0
    left = lone or 0.02 * (epochs[-1] - epochs[0])  # half a marker
    panel.set_xlim(epochs[0] - left, epochs[-1] + lone)
    panel.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    start = 0 if whole else int(SETTLED * len(epochs))
    seen = [curves[name].mean[start:] for name in looks] or [curve.mean[start:] for curve in curves.values()]
    # Of a few seeds, early bands are many times wider than all that the means tell apart: the last epoch's count.
    seen += [end[-1:] for name in looks for end in (curves[name].low, curves[name].high)]
    # The others may end beyond what is seen, but a tenth of them at most: a failed one would press the rest together.
    last = np.array([curve.mean[-1] for curve in curves.values()])
    seen += [np.nanpercentile(last, [10, 100] if higher else [0, 90])]
    values = np.concatenate(seen)
    positive = all((curve.mean > 0).all() for curve in curves.values())
    values = values[np.isfinite(values) & ((values > 0) | (not positive))]  # a band may end below 0 where no mean does
    low, high = float(values.min()), float(values.max())
    if whole and positive and high / low > RATIO:
        panel.set_yscale("log")
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        panel.yaxis.set_minor_locator(NullLocator())
        spare = (high / low) ** 0.04
        panel.set_ylim(low / spare, high * spare)
    else:
        spare = 0.04 * (high - low) or 0.5
        panel.set_ylim(low - spare, high + spare)
        panel.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))


def draw_references(panel: Axes, trials: Trials, higher: bool) -> None:
    """Draw lines for the references of the metric that lie near; those with room for a name are named."""
    low, high = panel.get_ylim()
    near, room = NEAR * (high - low), ABOVE * (high - low)
    side = 1 if higher else -1  # curves come from the other one
    last = -np.inf
    for name, value in sorted(trials.references.items(), key=lambda item: side * item[1]):
        if not low - near <= value <= high + near:
            continue
        panel.axhline(value, color=GREY, linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=0, gid="reference")
        if side * value - last >= room:
            style: dict[str, Any] = {"va": "bottom" if higher else "top", "size": SMALL, "color": GREY}
            style |= {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
            panel.annotate(f"{name} {quantity(value, trials.unit)}", (0, value), (3, 1.5 * side), **style)
            last = side * value
        bottom, top = panel.get_ylim()
        panel.set_ylim(min(bottom, value - room * (not higher)), max(top, value + room * higher))


def caption(trials: Trials, names: Sequence[str], looks: Mapping[str, Look]) -> Iterator[str]:
    """Say what is shown."""
    yield trials.title
    counts = [len(trials.ok[name]) for name in names]
    count = f"{min(counts)} to {max(counts)}" if min(counts) < max(counts) else str(max(counts))
    bands = f"; bands: {100 * LEVEL:g} % intervals" if max(counts) >= BANDS_FROM else ""
    yield f"Means over {count} {plural('seed', max(counts))}{bands}."
    best, grey = len(looks) - (trials.baseline in looks), len(names) - len(looks)
    baseline, other = ("the baseline and ", " others") if trials.baseline in looks else ("", "")
    if best and not trials.named:
        others = f"; grey: the other {grey}" if grey else ""
        yield f"Labelled: {baseline}the best {best}{other} by mean test {trials.metric}{others}."
    elif grey:
        yield f"Grey: the other {grey}."
    yield trials.compared
    yield trials.left_out(names)


@whole
def check(arrays: Arrays) -> Arrays:
    """Check epochs, losses and validation metrics, each [E]; raises ``Damaged``."""
    lines = {f"curve/{name}": vector(arrays, f"curve/{name}") for name in ("epoch", "loss", "validation")}
    check_shapes(lines)
    rising(lines, "curve/epoch")
    return lines


PLOT = Plot(
    "validation metric and training loss against epochs, mean and interval over seeds", draw, ("curve/",), check
)
