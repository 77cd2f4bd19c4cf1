"""Latency of activations against the number of elements, on logarithmic axes, with a plain copy as the limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullLocator

from ...errors import UsageError
from ...records.cost import Cost
from ...records.cost import Figure as Timed
from ...records.store import Store
from ...records.wording import PASSES, place, plural
from ..selection import Selection, renamed, select, spec_among
from .endlabels import label_ends
from .kind import Plot
from .sheet import Sheet
from .style import BASELINE, GREY, LOOKS, PALE, Look
from .trials import BASELINE as DEFAULT
from .trials import NOTHING, Names, Parts

COPY = "copy"
LIMIT = Look(GREY, (0, (1, 1.5)), ".")
GELU = "gelu"
FEWEST = 3
"""Fewest sizes of a series; two points are not a curve."""

Line = dict[int, Timed]
"""Seconds by number of elements."""


@dataclass(frozen=True)
class Asked:
    """The folders, the activations that were asked for (None: the plot chooses), the baseline, and names."""

    stores: tuple[Store, ...]
    parts: Parts
    baseline: str
    names: Names = field(default_factory=dict)

    def selection(self, series: Series) -> Selection:
        """Select the activations of a series that were asked for; none if the plot chooses."""
        timed = dict.fromkeys((name for name in named(series) if name != COPY), None)
        return NOTHING if self.parts is None else select(self.parts, timed, f"the costs of {series.label}")


@dataclass(frozen=True)
class Series:
    """The costs of one dtype, mode, device, number of threads and environment, over sizes."""

    costs: tuple[Cost, ...]

    @property
    def sizes(self) -> list[int]:
        """The numbers of elements."""
        return sorted({cost.elements for cost in self.costs if cost.elements})

    def line(self, activation: str, which: str) -> Line:
        """Return the cold figures of an activation, or of the copy."""
        figures: Line = {}
        for cost in self.costs:  # the newest last
            timing = cost.time(f"{which}_cold")
            figure = timing.beside.get(COPY, Timed()) if activation == COPY else timing.seconds
            if activation in (COPY, cost.activation) and figure.median and cost.elements:
                figures[cost.elements] = figure
        return dict(sorted(figures.items()))

    @property
    def label(self) -> str:
        """Say what the costs share."""
        first = self.costs[0]
        return f"{first.dtype}, {first.mode}, {place(first)}"


def draw(
    asked: Asked, sheet: Sheet, *, dtype: str | None = None, mode: str | None = None, threads: int | None = None
) -> Iterator[Figure]:
    """Draw seconds against elements, forward and forward with backward; a few activations labelled, the others grey.

    Args:
        asked: the folders, and what is to be drawn.
        sheet: what to draw on.
        dtype: the dtype of the costs; if not given, that of the costs with the most sizes.
        mode: their mode, likewise.
        threads: their number of threads, likewise.

    Raises:
        UsageError: if there is no series, or an activation that was named is not in it.
    """
    series = find_series(asked, {"dtype": dtype, "mode": mode, "threads": threads})
    lines = {which: {name: series.line(name, which) for name in named(series)} for which in PASSES}
    names = renamed(asked.names, named(series), f"the costs of {series.label}")
    if asked.baseline != DEFAULT:
        asked = replace(asked, baseline=spec_among(asked.baseline, named(series), f"the costs of {series.label}"))
    selection = asked.selection(series)
    asked_for = selection.specs
    looks = looks_of(asked, selection, lines["training"] if any(lines["training"].values()) else lines["forward"])
    figure = sheet.figure(2.5 if sheet.wide else 4.4, caption(series, lines["forward"], looks))
    panels = sheet.pair(figure, PASSES, "elements (log scale)")
    ends: dict[Axes, dict[str, float]] = {}
    for which, panel in panels.items():
        shown = lines[which] if not asked_for else {n: line for n, line in lines[which].items() if n in looks}
        draw_lines(panel, shown, looks)
        panel.set_ylabel(f"{PASSES[which]}, latency (log scale)")
        ends[panel] = {name: last(shown[name]) for name in looks if shown.get(name)}
    label_ends(figure, ends, looks, names)
    yield figure


def find_series(asked: Asked, wanted: Mapping[str, object]) -> Series:
    """Choose the series with the most sizes, then the most costs, then the newest."""
    alone = [cost for store in asked.stores for cost in store.costs() if cost.alone and cost.elements]
    fits = [cost for cost in alone if all(value in (None, getattr(cost, name)) for name, value in wanted.items())]
    groups: dict[tuple[str, ...], list[Cost]] = {}
    for cost in sorted(fits, key=lambda cost: cost.measured):
        parts = ("dtype", "mode", "device", "threads", "environment")
        groups.setdefault(tuple(str(getattr(cost, part)) for part in parts), []).append(cost)
    candidates = [series for costs in groups.values() if len((series := Series(tuple(costs))).sizes) >= FEWEST]
    if not candidates:
        where = ", ".join(str(store.path) for store in asked.stores)
        asking = "".join(f" {name}={value}" for name, value in wanted.items() if value is not None)
        raise UsageError(
            f"no costs of at least {FEWEST} sizes in {where}{f' with{asking}' if asking else ''}; measure them: "
            f"afbench cost --shapes scaling --out {asked.stores[0].path}"
        )
    return max(candidates, key=lambda s: (len(s.sizes), len(s.costs), s.costs[-1].measured))


def named(series: Series) -> list[str]:
    """List the copy and the activations of a series that have any figure."""
    names = sorted({cost.activation for cost in series.costs})
    return [COPY, *(name for name in names if any(series.line(name, which) for which in PASSES))]


def last(line: Line) -> float:
    """Return the seconds at the largest size."""
    return float(line[max(line)].median or 0.0)


def looks_of(asked: Asked, selection: Selection, lines: Mapping[str, Line]) -> dict[str, Look]:
    """Choose the labelled activations and their looks: those asked for, else GELU and some of each speed; the baseline.

    The baseline is left out only if it was excluded.
    """
    lines = {name: line for name, line in lines.items() if line}
    top = max((max(line) for line in lines.values()), default=0)
    others = [name for name in lines if name not in (COPY, asked.baseline)]
    if selection.specs:
        others = [name for name in selection.specs if name in others]
    else:
        ranked = sorted((n for n in others if n != GELU and top in lines[n]), key=lambda n: last(lines[n]))
        steps = np.linspace(0, len(ranked) - 1, min(len(ranked), 4)).round()
        others = [name for name in others if name == GELU] + [ranked[int(step)] for step in steps]
    looks = dict(zip(others[: len(LOOKS)], LOOKS, strict=False))
    if asked.baseline in lines and selection.excluded.isdisjoint([asked.baseline]):
        looks[asked.baseline] = BASELINE
    return looks | ({COPY: LIMIT} if COPY in lines else {})


def draw_lines(panel: Axes, lines: Mapping[str, Line], looks: Mapping[str, Look]) -> None:
    """Draw the lines: labelled ones on top, with bands of quartiles; markers of unstable figures are hollow."""
    panel.set_xscale("log")
    panel.set_yscale("log")
    for name in [*(n for n in lines if n not in looks), *reversed(list(looks))]:
        line = lines.get(name) or {}
        if not line:
            continue
        sizes, seconds = list(line), [figure.median or 0.0 for figure in line.values()]
        if name not in looks:
            panel.plot(sizes, seconds, color=PALE, linewidth=0.6, zorder=1)
            continue
        look = looks[name]
        panel.plot(sizes, seconds, zorder=3, gid=name, **look.line)
        for unstable in (False, True):
            points = [(n, figure.median or 0.0) for n, figure in line.items() if bool(figure.unstable) == unstable]
            style: dict[str, Any] = {"marker": look.marker, "linestyle": "none", "color": look.colour, "zorder": 4}
            style |= {"mfc": "white" if unstable else look.colour, "mew": 0.7}
            panel.plot([n for n, _ in points], [y for _, y in points], **style)
        if name != COPY:
            low = [figure.low or figure.median or 0.0 for figure in line.values()]
            high = [figure.high or figure.median or 0.0 for figure in line.values()]
            panel.fill_between(sizes, low, high, color=look.colour, alpha=0.12, linewidth=0, zorder=2)
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_locator(LogLocator(numticks=8))
        axis.set_minor_locator(NullLocator())
    # EngFormatter writes SI prefixes: 20 us, 100 k; its micro sign is in every font that comes with matplotlib.
    panel.xaxis.set_major_formatter(EngFormatter(sep=" "))
    panel.yaxis.set_major_formatter(EngFormatter(unit="s", sep=" "))


def si(count: int) -> str:
    """Print a count with an SI prefix, such as 3.2 M, with a no-break space."""
    return EngFormatter(sep="\N{NO-BREAK SPACE}")(float(f"{count:.3g}"))


def caption(series: Series, lines: Mapping[str, Line], looks: Mapping[str, Look]) -> Iterator[str]:
    """Say what is shown."""
    sizes: Sequence[int] = series.sizes
    yield f"Cold-cache latency against elements: {series.label}."
    yield f"{len(sizes)} {plural('size', len(sizes))} from {si(sizes[0])} to {si(sizes[-1])} elements."
    grey = len([name for name in lines if name not in looks])
    yield (
        "Medians over rounds; bands: quartiles; hollow markers: unreliable; dotted: a plain copy"
        f"{f'; grey: the other {grey}' if grey else ''}."
    )
    failed = sorted({cost.activation for cost in series.costs if not cost.ok})
    yield f"Failed at some size: {', '.join(failed)}." if failed else ""


PLOT = Plot(
    "time of a call against the number of elements, forward and with backward; the time of a plain copy as the limit",
    draw,
    of_costs=True,
)
