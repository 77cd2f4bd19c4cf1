"""The shapes of activations before and after training, a small panel for each activation and place in the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ...errors import UsageError
from ...files.arrays import Damaged
from .arrays import get, holding, mostly, rising, vector
from .graphs import AFTER, BEFORE, FIXED, INPUTS, MANY, SOME, Graph, draw_graphs, graphs_of, is_mass
from .kind import Plot
from .pages import turn
from .sheet import LINE, Grid, Sheet, head, key, name_axes
from .trials import Arrays, Trials

ROWS = 6
"""Rows of a page: more would leave no room for a caption on a printed page."""
PLACES = 3
"""Most places of a network that are shown: the first, the middle one and the last."""
CUT = (2.0, 98.0)
"""Percentiles of its outputs that an activation needs on the vertical axis. The needs of half of the activations are
met: one rational near a pole, or channels with steep slopes, would flatten the shapes of all others."""
Seeds = Sequence[Mapping[str, Graph]]
"""The graphs of an activation, seed by seed, by place."""


def draw(trials: Trials, sheet: Sheet, *, page: int | None = None) -> Iterator[Figure]:
    """Draw the activations that training changed, the best first, or those that were named; all seeds and channels.

    Raises:
        UsageError: if there are no shapes, none that training changed, or no such page.
    """
    seeds_by_name = {
        name: [graphs_of(trials.arrays(name, seed)) for seed in seeds] for name, seeds in holding(trials, PLOT).items()
    }
    trained = [name for name, seeds in seeds_by_name.items() if changed(seeds)]
    names = [name for name in trials.named if name in seeds_by_name] or trained
    if not names:
        raise UsageError(
            f"training changed no activation in {trials.label}; run trainable ones, or choose those to draw (--acts)"
        )
    every_place = sorted({place for name in names for graphs in seeds_by_name[name] for place in graphs}, key=order)
    some = len(every_place) > PLACES
    places = [every_place[0], every_place[len(every_place) // 2], every_place[-1]] if some else every_place
    beside = max(1, (6 if sheet.wide else 3) // len(places))
    base = trials.baseline or ""
    fixed = seeds_by_name[base][0] if base in seeds_by_name and base not in trained else {}
    xlim, ylim = limits([[graph for graphs in seeds_by_name[name] for graph in graphs.values()] for name in names])
    for on_page, turned in turn(trials, PLOT, names, beside * ROWS, page):
        ratio = 0.75 if beside * len(places) > 2 else 0.6  # of two beside each other, six rows would pass a page's end
        grid = Grid(len(on_page) * len(places), beside * len(places), ratio, left=0.32, bottom=0.32, top=LINE)
        figure, cells = sheet.grid(grid, caption(trials, on_page, seeds_by_name, every_place, turned))
        for index, (panel,) in enumerate(cells):
            name, place = on_page[index // len(places)], places[index % len(places)]
            first = place == places[0]
            words = [trials.show(trials.mean(name))] if first else []
            words += [label(place, len(every_place))] if len(places) > 1 else []
            called = trials.called(name) if first else ""
            head(panel, called, ", ".join(words), span=len(places), among=trials.all_called(names))
            drawn = [graphs[place] for graphs in seeds_by_name[name] if place in graphs]
            draw_graphs(panel, drawn, fixed.get(place), name in trained)
            panel.set(xlim=xlim, ylim=ylim)
            for axis in (panel.xaxis, panel.yaxis):
                axis.set_major_locator(MaxNLocator(3, steps=[1, 2, 4, 5, 10]))
            panel.tick_params(labelleft=index % grid.across == 0, labelbottom=index + grid.across >= len(cells))
        name_axes(figure, grid, "input", "output")
        lines = {"before training": BEFORE, "after": AFTER} if set(on_page) & set(trained) else {}
        others = "fixed" if set(on_page) - set(trained) else trials.called(base) if fixed else None
        any_fed = any(patch.get_gid() == "inputs" for panel in figure.axes for patch in panel.collections)
        key(figure, lines | ({others: FIXED} if others else {}) | ({"inputs": INPUTS} if any_fed else {}))
        yield figure


def changed(seeds: Seeds) -> bool:
    """Tell whether training changed an activation anywhere."""
    return any(graph.changed for graphs in seeds for graph in graphs.values())


def order(place: str) -> tuple[int, str]:
    """Sort numbered places by their numbers."""
    return (int(place), "") if numbered(place) else (-1, place)


def label(place: str, places: int) -> str:
    """Name a place; numbered ones are counted from 1."""
    return f"place {int(place) + 1} of {places}" if numbered(place) else place


def numbered(place: str) -> bool:
    """Tell whether a place is named by a number, as those of a run are."""
    return place.isascii() and place.isdecimal() and len(place) < 7


def limits(seen: Sequence[Sequence[Graph]]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the limits of both axes, the same for all panels and pages."""
    inputs = np.concatenate([graph.x for graphs in seen for graph in graphs])
    needs = []
    for graphs in seen:
        outputs = np.concatenate([part.ravel() for graph in graphs for part in (graph.before, graph.after)])
        needs.append(np.percentile(outputs[np.isfinite(outputs)], CUT) if np.isfinite(outputs).any() else (-1.0, 1.0))
    lows, highs = np.asarray(needs).T
    low, high = float(np.median(lows)), float(np.median(highs))
    spare = 0.05 * (high - low) or 1.0
    return (float(inputs.min()), float(inputs.max())), (low - spare, high + spare)


def caption(
    trials: Trials, names: Sequence[str], seeds_by_name: Mapping[str, Seeds], places: Sequence[str], turned: str
) -> Iterator[str]:
    """Say what is shown."""
    yield trials.title
    drawn = [[graphs[place] for graphs in seeds_by_name[name] if place in graphs] for name in names for place in places]
    mass = [is_mass(graphs) for graphs in drawn if graphs and any(graph.changed for graph in graphs)]
    fed = [graph.fed for graphs in drawn for graph in graphs if graph.fed is not None]
    share = max((histogram.beyond for histogram in fed), default=0.0)
    outside = f" (up to {100 * share:.0f} % of them lie outside the axis)" if share >= 0.005 else ""
    inputs = f"; grey areas: their inputs in the trained network{outside}" if fed else ""
    yield f"Activations before (dotted) and after training{inputs}."
    some = f"median and quartiles (band) over seeds and channels, and {SOME} single lines (thin)"
    many = f" or more than {MANY} seeds" if any(len(graphs) > MANY for graphs in drawn) else ""
    lines = f"The {some}" if all(mass) else f"One line per seed; for per-channel activations{many}: the {some}"
    lines = lines if any(mass) else "One line per seed"
    yield f"{lines}; numbers: mean test {trials.metric}." if mass else f"Numbers: mean test {trials.metric}."
    yield turned
    yield trials.left_out(names)


def check_place(arrays: Arrays, where: str) -> Arrays:
    """Check the shape of an activation at a place: inputs [P], outputs [P] or [P, C]; outputs may have poles."""
    lines = {f"{where}/x": vector(arrays, f"{where}/x")}
    rising(lines, f"{where}/x", 2)
    count, channels = len(lines[f"{where}/x"]), set()
    for name in (f"{where}/before", f"{where}/after"):
        values = mostly(get(arrays, name), name)
        if values.ndim not in (1, 2) or len(values) != count or not values.size:
            raise Damaged(f"{name!r} has the shape {values.shape}, not ({count},) or ({count}, channels)")
        lines[name] = values.reshape(count, -1)
        channels.add(lines[name].shape[1])
    if len(channels - {1}) > 1:
        raise Damaged(f"'{where}/before' and '{where}/after' differ in their channels")
    return lines


def check_histogram(arrays: Arrays, where: str) -> Arrays:
    """Check the histogram of a place's inputs: counts [B + 2], the ends for what lies beyond, and edges [B + 1]."""
    histogram = {name: vector(arrays, name) for name in (f"{where}/hist", f"{where}/edges")}
    counts, edges = histogram.values()
    rising(histogram, f"{where}/edges", 2)
    if len(counts) != len(edges) + 1:
        raise Damaged(f"'{where}/hist' has {len(counts)} counts, not the {len(edges) + 1} of its edges")
    if counts.min() < 0 or not counts.sum() > 0:
        raise Damaged(f"'{where}/hist' holds no counts")
    return histogram


def check(arrays: Arrays) -> tuple[Arrays, list[str]]:
    """Check the shapes of a network place by place, and say what is wrong with those that are left out."""
    sound: Arrays = {}
    problems = []
    for where in dict.fromkeys(name.rpartition("/")[0] for name in arrays if name.startswith("shape/")):
        try:
            sound |= check_place(arrays, where)
            if f"{where}/hist" in arrays or f"{where}/edges" in arrays:  # older records have none
                sound |= check_histogram(arrays, where)
        except Damaged as error:  # a place without its histogram is still drawn
            problems.append(str(error))
    return sound, problems


PLOT = Plot(
    "each learned activation before and after training, and its inputs in the trained network", draw, ("shape/",), check
)
