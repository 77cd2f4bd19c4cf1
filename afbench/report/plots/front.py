"""A Pareto front of activations: what they gain against the time of a training step, the dominated in grey."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from .lettering import POINTS, shorten, wrap
from .pointlabels import WIDEST, Labels, find_places, write
from .sheet import Sheet, freeze
from .style import BASELINE, GREY, LOOKS, PALE

RATIO = 3.0
"""The axis is logarithmic from this ratio of the slowest to the fastest step on."""

NOISE = 0.005
"""The distance from which on the baseline's own ratio does not print as 1.00."""

BESIDE = 0.5
"""Inches beside a panel, for the numbers and the name of its upright axis."""

Line = list[tuple[float, float]]


@dataclass(frozen=True)
class Point:
    """An activation: step time as a ratio to the baseline's and score, each with the ends of a line through it."""

    step: float
    score: float
    steps: tuple[float, float] | None = None
    scores: tuple[float, float] | None = None

    @property
    def bars(self) -> list[Line]:
        """The lines through its marker, upright and level."""
        up = [[(self.step, end) for end in self.scores]] if self.scores else []
        return [*up, *([[(end, self.score) for end in self.steps]] if self.steps else [])]


def pareto(points: Mapping[str, tuple[float, float]], higher_is_better: bool) -> list[str]:
    """List the names that no other beats (as cheap and better, or cheaper and as good), the cheapest first.

    Args:
        points: cost and metric by name; a lower cost is better.
        higher_is_better: the metric's direction.
    """
    sign = 1.0 if higher_is_better else -1.0
    front: list[str] = []
    for name in sorted(points, key=lambda name: (points[name][0], -sign * points[name][1])):
        last = points[front[-1]] if front else None
        if last is None or sign * points[name][1] > sign * last[1] or points[name] == last:
            front.append(name)
    return front


@dataclass(frozen=True)
class Front:
    """The points of a plot, and its Pareto front.

    Attributes:
        points: by name, in the order in which they get a name where there is room.
        members: the activations on the front, the cheapest first.
        baseline: drawn in black; None if it is not among the points.
        named: the activations that were asked for; if none were, the members get their names first.
        names: display names by spec.
    """

    points: Mapping[str, Point]
    members: Sequence[str]
    baseline: str | None
    named: Sequence[str] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        points: Mapping[str, Point],
        higher_is_better: bool,
        baseline: str | None,
        named: Sequence[str],
        names: Mapping[str, str],
    ) -> Front:
        """Find the front."""
        members = pareto({name: (point.step, point.score) for name, point in points.items()}, higher_is_better)
        return cls(points, members, baseline if baseline in points else None, named, names)

    @property
    def marked(self) -> list[str]:
        """The activations that are not grey: the members and the baseline."""
        return list(dict.fromkeys([*self.members, *([self.baseline] if self.baseline else [])]))

    def figure(self, sheet: Sheet, sentences: Sequence[str], set_axes: Callable[[Axes], None]) -> Figure:
        """Draw it above a caption, which also says which names have no place.

        Args:
            sheet: what to draw on.
            sentences: of the caption.
            set_axes: sets the limits, ticks and names of a panel's axes.
        """
        figure, labels = self.paint(sheet, sentences, set_axes, None)
        if labels.sentence:  # the panel is the same; the caption is longer
            figure, _ = self.paint(sheet, [*sentences, labels.sentence], set_axes, labels)
        return figure

    def paint(
        self, sheet: Sheet, sentences: Sequence[str], set_axes: Callable[[Axes], None], labels: Labels | None
    ) -> tuple[Figure, Labels]:
        """Draw line, markers and names; ``labels`` are those of a panel of the same size, found here if not given."""
        figure = sheet.figure(3.4 if sheet.wide else 3.0, sentences)
        panel = figure.subplots()
        set_axes(panel)
        corners = [(self.points[name].step, self.points[name].score) for name in self.members]
        steps = [corner for a, b in itertools.pairwise(corners) for corner in (a, (b[0], a[1]))] + corners[-1:]
        panel.plot(*zip(*steps, strict=True), color=LOOKS[0].colour, linewidth=0.9, zorder=2, gid="front")
        for name in self.points:
            self.mark(panel, name)
        freeze(figure)
        first = list(dict.fromkeys([*(self.named or self.members), *([self.baseline] if self.baseline else [])]))
        places = {name: (point.step, point.score) for name, point in self.points.items()}
        bars = [bar for name in self.marked for bar in self.points[name].bars]
        heights = [np.asarray(line.get_ydata())[0] for line in panel.lines if line.get_gid() == "reference"]
        level = [[(end, float(height)) for end in panel.get_xlim()] for height in heights]
        labels = labels or find_places(panel, places, first, [steps, *bars, *level], self.names)
        write(panel, labels, places, first)
        return figure, labels

    def mark(self, panel: Axes, name: str) -> None:
        """Draw an activation: on the front in colour, the baseline black, others grey; with lines but for the grey."""
        point, look = self.points[name], BASELINE if name == self.baseline else LOOKS[0]
        if name not in self.marked:
            panel.plot(point.step, point.score, marker="o", markersize=3.0, color=PALE, markeredgecolor=GREY, mew=0.4)
            return
        for bar in point.bars:
            panel.plot(*zip(*bar, strict=True), color=look.colour, linewidth=0.5, alpha=0.5, zorder=1)
        fill = look.colour if name in self.members else "white"
        panel.plot(
            point.step, point.score, marker=look.marker, markersize=4.2, color=look.colour, mfc=fill, mew=0.8, zorder=4
        )

    def sentences(self, bars: str, unit: str) -> Iterator[str]:
        """Explain the line, the colours and the lines through markers.

        Args:
            bars: what the lines through markers are.
            unit: the activation whose step is the unit of time.
        """
        parts = ["Blue: the Pareto front"] if len(self.members) > 1 else []
        if len(self.points) > len(self.marked):
            parts.append("grey: another activation is both faster and better")
        if self.baseline:
            on = "" if self.baseline in self.members else "not "
            parts.append(f"black: the baseline {self.names.get(self.baseline, self.baseline)}, {on}on the front")
        sentence = "; ".join(parts)
        yield f"{sentence[:1].upper()}{sentence[1:]}." if parts else ""
        yield f"Thin lines through markers: {bars}."
        own = self.points.get(unit)
        noisy = own and abs(own.step - 1) >= NOISE
        yield f"{unit} was timed twice; its ratio's distance from 1.00 is the timing noise." if noisy else ""


def scale_steps(panel: Axes, cheap: float, dear: float) -> None:
    """Set the axis of step times; those that span more than a factor of 3 get a logarithmic one."""
    if dear / cheap > RATIO:
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


def step_label(panel: Axes, baseline: str, over: str = "") -> str:
    """Name the axis of step times, with its kind; in two lines if it is longer than the axis."""
    kind = "log scale" if panel.get_xscale() == "log" else "linear scale"
    text = f"training-step time relative to {shorten(baseline, WIDEST)}{over} ({kind}; lower is better)"
    width = panel.figure.bbox.width / panel.figure.dpi - BESIDE
    return "\n".join(wrap(text, width * POINTS))
