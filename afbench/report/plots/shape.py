"""The shapes of activations before and after training, a small panel for each activation and place in the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ...errors import UsageError
from .captions import left_out, title
from .graphs import AFTER, BEFORE, FIXED, INPUTS, SOME, Graph, is_mass, read, trace
from .kind import Plot, check_page
from .sheet import LINE, Grid, Sheet, head, key, sides
from .trials import Trials

ROWS = 6
"""Rows of a page: with their titles, they leave room for a caption on a printed page."""
PLACES = 3
"""How many places of a network are shown; of more, the first, the middle one and the last."""
CUT = (2.0, 98.0)
"""Percentiles of its outputs that an activation needs on the vertical axis. The needs of half of the activations are
met: one rational near a pole, or channels with steep slopes, would flatten the shapes of all others."""
Seeds = Sequence[Mapping[str, Graph]]
"""The graphs of an activation, seed by seed, by place."""


@dataclass(frozen=True)
class Layout:
    """What is drawn, on how many pages: graphs of all activations, those shown, those that training changed."""

    every: Mapping[str, Seeds]
    names: Sequence[str]
    trained: Sequence[str]
    held: Sequence[str]
    places: Sequence[str]
    beside: int

    @property
    def each(self) -> int:
        """How many activations a page holds."""
        return self.beside * ROWS

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return -(-len(self.names) // self.each)


def lay_out(trials: Trials, sheet: Sheet) -> Layout:
    """Read the shapes, and choose what is drawn.

    Raises:
        UsageError: if there are no shapes, or none that training changed.
    """
    holding = trials.holding(PLOT.name)
    every = {name: [read(trials.arrays(name, seed)) for seed in seeds] for name, seeds in holding.items()}
    trained = [name for name in every if changed(every[name])]
    names = [name for name in trials.named if name in every] or trained
    if not names:
        raise UsageError(f"training changed no activation in {trials.label}: run trainable ones, or name those to draw")
    held = sorted({place for name in names for one in every[name] for place in one}, key=order)
    places = [held[0], held[len(held) // 2], held[-1]] if len(held) > PLACES else held
    return Layout(every, names, trained, held, places, max(1, (6 if sheet.wide else 3) // len(places)))


def pages(trials: Trials, sheet: Sheet) -> int:
    """Say how many pages ``draw`` fills."""
    return lay_out(trials, sheet).pages


def draw(trials: Trials, sheet: Sheet, *, page: int = 1) -> Figure:
    """Draw the activations that training changed, the best first, or those that were named; all seeds and channels.

    Args:
        trials: what to draw.
        sheet: what to draw on.
        page: which one, of more activations than fit on one.

    Raises:
        UsageError: if there are no shapes, none that training changed, or no such page.
    """
    layout = lay_out(trials, sheet)
    every, names, trained, places, beside = layout.every, layout.names, layout.trained, layout.places, layout.beside
    check_page(f"the shapes of {trials.label} fill", page, layout.pages)
    here = names[(page - 1) * layout.each : page * layout.each]
    base = trials.baseline or ""
    fixed = every[base][0] if base in every and base not in trained else {}

    ratio = 0.75 if beside * len(places) > 2 else 0.6  # of two beside each other, six rows would pass a page's end
    grid = Grid(len(here) * len(places), beside * len(places), ratio, left=0.32, bottom=0.32, top=LINE)
    turned = f"Page {page} of {layout.pages}, of {len(names)} activations." if layout.pages > 1 else ""
    figure, cells = sheet.grid(grid, caption(trials, here, every, layout.held, turned))
    xlim, ylim = limits([[graph for one in every[name] for graph in one.values()] for name in names])
    for index, (panel,) in enumerate(cells):
        name, place = here[index // len(places)], places[index % len(places)]
        words = [trials.show(trials.mean(name))] if place == places[0] else []
        words += [label(place, len(layout.held))] if len(places) > 1 else []
        head(
            panel,
            trials.called(name) if place == places[0] else "",
            ", ".join(words),
            span=len(places),
            among=trials.all_called(names),
        )
        trace(panel, [one[place] for one in every[name] if place in one], fixed.get(place), name in trained)
        panel.set(xlim=xlim, ylim=ylim)
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_locator(MaxNLocator(3, steps=[1, 2, 4, 5, 10]))
        panel.tick_params(labelleft=index % grid.across == 0, labelbottom=index + grid.across >= len(cells))
    sides(figure, grid, "input", "output")
    lines = {"before training": BEFORE, "after": AFTER} if set(here) & set(trained) else {}
    others = "fixed" if set(here) - set(trained) else trials.called(base) if fixed else None
    any_fed = any(patch.get_gid() == "inputs" for panel in figure.axes for patch in panel.collections)
    key(figure, lines | ({others: FIXED} if others else {}) | ({"inputs": INPUTS} if any_fed else {}))
    return figure


def changed(seeds: Seeds) -> bool:
    """Tell whether training changed an activation anywhere."""
    return any(graph.changed for one in seeds for graph in one.values())


def order(place: str) -> tuple[int, str]:
    """Sort numbered places by their numbers."""
    return (int(place), "") if numbered(place) else (-1, place)


def label(place: str, places: int) -> str:
    """Name a place; numbered ones are counted from 1."""
    return f"place {int(place) + 1} of {places}" if numbered(place) else place


def numbered(place: str) -> bool:
    """Tell whether a place goes by a number, as those of a run do."""
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
    trials: Trials, names: Sequence[str], every: Mapping[str, Seeds], held: Sequence[str], turned: str
) -> Iterator[str]:
    """Say what is shown."""
    yield title(trials)
    places = len(held)
    drawn = [[one[place] for one in every[name] if place in one] for name in names for place in held]
    mass = [is_mass(graphs) for graphs in drawn if graphs and any(graph.changed for graph in graphs)]
    yield "Activations before (dotted) and after training."
    if not all(mass):
        yield f"A line for each seed{', where there are at most 6' if any(mass) else ''}."
    if any(mass):
        which = "Per-channel activations and more than 6 seeds" if not all(mass) else "Lines of all seeds and channels"
        yield f"{which}: median, quartiles (band) and {SOME} of them (thin lines); of at most 8 channels."
    fed = [graph.fed for graphs in drawn for graph in graphs if graph.fed is not None]
    if fed:
        share = max(its.beyond for its in fed)
        outside = f"; up to {100 * share:.0f} % of them lie outside the axis" if share >= 0.005 else ""
        yield f"Grey areas: inputs of the activation in the trained network, on validation data{outside}."
    yield "Shown: those that training changed, the best mean first." if not trials.named else ""
    yield f"Numbers: mean test {trials.metric} over seeds."
    yield f"Of {places} places the first, the middle one and the last." if places > PLACES else ""
    yield "All panels have the same axes; curves are cut off at their ends."
    yield turned
    yield left_out(trials, names)


PLOT = Plot("shape", "activations before and after training, by place in the network", draw, pages=pages)
