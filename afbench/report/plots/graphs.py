"""The graph of an activation in a small panel: before and after training, and its inputs in the trained network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from .style import GREY, INK, LOOKS, PALE
from .trials import Array, Arrays

AFTER: dict[str, Any] = {"color": LOOKS[0].colour, "linestyle": "solid", "linewidth": 1.0}
BEFORE: dict[str, Any] = {"color": GREY, "linestyle": (0, (1, 0.8)), "linewidth": 0.9}
INPUTS: dict[str, Any] = {"color": PALE, "linestyle": "solid", "linewidth": 4.0, "solid_capstyle": "butt"}
FIXED: dict[str, Any] = {"color": INK, "linestyle": (0, (5, 2)), "linewidth": 0.7}
MANY = 6
"""More lines than this, and lines of channels, are drawn as median, quartiles and some of the lines."""
SOME = 4
"""How many of these lines are drawn."""
TALL = 0.24
"""Height of the histogram of inputs in units of the panel's."""


@dataclass(frozen=True)
class Inputs:
    """A histogram: counts [B + 2] between the edges [B + 1], the ends for what lies below and above them."""

    counts: Array
    edges: Array

    @property
    def density(self) -> Array:
        """Share of all inputs for each unit of the axis, by bin."""
        return np.asarray(self.counts[1:-1] / self.counts.sum() / np.diff(self.edges))

    @property
    def beyond(self) -> float:
        """Share of the inputs beyond the edges."""
        return float((self.counts[0] + self.counts[-1]) / self.counts.sum())


@dataclass(frozen=True)
class Graph:
    """An activation at one place: inputs [P], outputs before and after training [P, C].

    Attributes:
        x: the inputs.
        before: the outputs before training.
        after: the outputs after it.
        fed: its inputs in the trained network; None in older records.
    """

    x: Array
    before: Array
    after: Array
    fed: Inputs | None = None

    @property
    def changed(self) -> bool:
        """Whether training changed it."""
        before, after = np.broadcast_arrays(self.before, self.after)
        return not np.array_equal(before, after)


def graphs_of(arrays: Arrays) -> dict[str, Graph]:
    """Read a trial's graphs by place; a shape without channels has one column."""
    places = [name[len("shape/") : -len("/x")] for name in arrays if name.startswith("shape/") and name.endswith("/x")]
    graphs = {}
    for place in places:
        x, before, after = (arrays[f"shape/{place}/{part}"] for part in ("x", "before", "after"))
        counts, edges = (arrays.get(f"shape/{place}/{part}") for part in ("hist", "edges"))
        fed = None if counts is None or edges is None else Inputs(counts, edges)
        graphs[place] = Graph(x, before.reshape(len(x), -1), after.reshape(len(x), -1), fed)
    return graphs


def draw_graphs(panel: Axes, graphs: Sequence[Graph], fixed: Graph | None, trained: bool) -> None:
    """Draw an activation at one place: a line for each seed or, of many, median and quartiles; the fixed baseline."""
    draw_inputs(panel, graphs)
    if not trained:
        fixed = graphs[0] if graphs else None
    if fixed is not None:
        panel.plot(fixed.x, fixed.after, zorder=1, **FIXED)
    if not trained or not graphs:
        return
    if is_mass(graphs):
        for part, line, order in (("before", BEFORE, 2), ("after", AFTER, 4)):
            draw_summary(panel, graphs[0].x, lines_of(graphs, part), line, order)
        return
    for graph in graphs:
        panel.plot(graph.x, graph.before, zorder=2, alpha=1.0 if len(graphs) == 1 else 0.6, **BEFORE)
        panel.plot(graph.x, graph.after, zorder=3, alpha=1.0 if len(graphs) == 1 else 0.6, **AFTER)


def is_mass(graphs: Sequence[Graph]) -> bool:
    """Tell whether there are more lines than can be told apart: those of channels, or of many seeds."""
    return any(graph.after.shape[1] > 1 for graph in graphs) or len(graphs) > MANY


def lines_of(graphs: Sequence[Graph], part: str) -> Array:
    """Return the lines [P, L] of all seeds and channels, at the inputs of the first; NaN where they have poles."""
    x = graphs[0].x
    columns = []
    for graph in graphs:
        lines = np.where(np.isfinite(getattr(graph, part)), getattr(graph, part), np.nan)
        same = np.array_equal(graph.x, x)
        columns += [column if same else np.interp(x, graph.x, column) for column in lines.T]
    return np.stack(columns, axis=1)


def draw_summary(panel: Axes, x: Array, lines: Array, line: Mapping[str, Any], order: int) -> None:
    """Draw the median of lines [P, L], a band between their quartiles, and a few of them, evenly chosen."""
    lines = lines[:, np.isfinite(lines).any(axis=0)]
    known = np.isfinite(lines).any(axis=1)
    quartiles = np.full((3, len(x)), np.nan)
    quartiles[:, known] = np.nanpercentile(lines[known], [25, 50, 75], axis=1)
    low, median, high = quartiles
    panel.plot(x, median, zorder=order + 0.5, **line)
    if (high > low).any():
        panel.fill_between(x, low, high, color=line["color"], alpha=0.25, linewidth=0, zorder=order)
        ranked = np.argsort(np.nanmean(lines, axis=0), kind="stable")
        some = ranked[np.linspace(0, len(ranked) - 1, min(SOME, len(ranked))).round().astype(int)]
        panel.plot(x, lines[:, some], zorder=order, alpha=0.7, **{**line, "linewidth": 0.4})


def draw_inputs(panel: Axes, graphs: Sequence[Graph]) -> None:
    """Draw the distribution of the inputs along the bottom: the mean over seeds, its highest bin a quarter high."""
    fed = [graph.fed for graph in graphs if graph.fed is not None]
    fed = [histogram for histogram in fed if np.array_equal(histogram.edges, fed[0].edges)]
    if not fed:
        return
    density = np.mean([histogram.density for histogram in fed], axis=0)
    heights = TALL * density / (density.max() or 1.0)
    style: dict[str, Any] = {"color": PALE, "linewidth": 0, "alpha": 0.7, "step": "post", "zorder": 0, "gid": "inputs"}
    along = np.append(heights, heights[-1])
    panel.fill_between(fed[0].edges, 0, along, transform=panel.get_xaxis_transform(), **style)
