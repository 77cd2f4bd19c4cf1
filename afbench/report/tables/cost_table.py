"""Tables of costs: one a case (shape, dtype, mode, device, threads), one a task's network; a row an activation."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...records.cost import STEPS, TEMPERATURES, Cost, Figure
from ...records.groups import settings_text
from ...records.wording import PASSES, duration, place, short, shorten, three_digits
from .grid import UNSTABLE, Cell, Column, Footnotes, Grid, Value
from .scale import shown
from .task_grid import label

RULES = "docs/cost.md"
YARDSTICKS = ("relu", "gelu", "copy")
FIGURES = (
    "Compare activations by the ratios; the times come from different moments (medians over rounds; ±: half the "
    f"interquartile range, in percent; {UNSTABLE}: unreliable)."
)


@dataclass(frozen=True)
class CostTable:
    """Costs of one case, or in one task's network, on one machine.

    Attributes:
        costs: the cheapest first, failures last.
        where: the environment, if there are several.
        names: what activations are called where it is not their spec.
    """

    costs: tuple[Cost, ...]
    where: str = ""
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def case(self) -> tuple[Any, ...]:
        """What the costs share."""
        return case_of(self.costs[0])

    @property
    def title(self) -> str:
        """What was measured, and where."""
        first = self.costs[0]
        settings = f" ({settings_text(first.settings)})" if first.settings else ""
        alone = f"cost alone: {'x'.join(map(str, first.shape))} {first.dtype}, {first.mode}"
        what = alone if first.alone else f"cost in the network of {first.task}{settings}"
        return f"{what}, {place(first)}{self.where}"

    def restricted(self, keep: Collection[str]) -> CostTable:
        """Leave out activations that are not among ``keep``."""
        return replace(self, costs=tuple(cost for cost in self.costs if cost.activation in keep))

    def named(self, names: Mapping[str, str]) -> CostTable:
        """Give activations other names than their specs."""
        return replace(self, names={**self.names, **names})


def cost_tables(costs: Iterable[Cost], network: bool = True) -> list[CostTable]:
    """Make the tables of costs.

    Args:
        costs: those of one results folder.
        network: whether costs in tasks' networks are shown, beside those measured alone.
    """
    costs = list(costs)
    several = len({cost.environment for cost in costs}) > 1
    cases: dict[tuple[Any, ...], list[Cost]] = {}
    for cost in costs:
        if cost.alone or network:
            cases.setdefault(case_of(cost), []).append(cost)
    made = []
    for case in sorted(cases, key=lambda case: tuple(map(str, case))):
        where = f"; environment {case[-1]}" if several else ""
        made.append(CostTable(tuple(sorted(cases[case], key=cheapest_first)), where))
    return made


def case_of(cost: Cost) -> tuple[Any, ...]:
    """Return what the costs of a table share; its environment comes last."""
    where = (cost.device, cost.threads)
    if cost.alone:
        return (1, f"{math.prod(cost.shape):020}", cost.shape, cost.dtype, cost.mode, *where, cost.environment)
    return (0, cost.task, cost.baseline, *where, settings_text(cost.settings), cost.environment)


def cheapest_first(cost: Cost) -> tuple[bool, float, str]:
    """Return what costs are sorted by: the ratio of training with a cold cache, or of a training step; none is last."""
    timing = cost.time("training_cold").ratio("relu") if cost.alone else cost.time("step").ratio(cost.baseline)
    return timing.median is None, timing.median or 0.0, cost.activation


def cost_grid(table: CostTable) -> Grid:
    """Lay a table of costs out, with its full caption."""
    costs, footnotes = table.costs, Footnotes()
    names = [
        label(cost.activation, table.names, marks=footnotes.marks(remarks(cost, figures_of(cost).values())))
        for cost in costs
    ]
    laid = [(Column("activation", "activation"), names)]
    for group, header, text in (alone_columns if costs[0].alone else network_columns)(costs):
        laid.append((Column(f"{group} {header}", header, group), [Cell(text(cost)) for cost in costs]))
    data = [flat(cost) for cost in costs]
    return Grid.of(
        ("cost", "cost", table.title), laid, data, tuple(sentences(costs)), RULES, (), tuple(footnotes.texts)
    )


Columns = list[tuple[str, str, Callable[[Cost], str]]]
"""The columns of a table: their group, their header, and how the text of a cell is read from a cost."""


def timed(group: str, name: str, beside: Sequence[str]) -> Columns:
    """Return the columns of a timing: its seconds, and its ratios to what was timed in the same rounds."""

    def ratio(other: str) -> Callable[[Cost], str]:
        return lambda cost: figure_text(cost.time(name).ratio(other), lambda value: f"{three_digits(value)}x")

    seconds = lambda cost: figure_text(cost.time(name).seconds, duration)  # noqa: E731
    return [(group, "time", seconds), *((group, f"vs {other}", ratio(other)) for other in beside)]


def alone_columns(costs: Sequence[Cost]) -> Columns:
    """Return the columns of costs measured alone."""
    columns: Columns = []
    for which, words in PASSES.items():
        for temperature in TEMPERATURES:
            name = f"{which}_{temperature}"
            if any(cost.time(name).seconds.median is not None for cost in costs):
                columns += timed(f"{words}, {temperature}", name, YARDSTICKS)
    memory = "memory and parameters"
    columns.append((memory, "saved B/element", lambda cost: shown(cost.saved.get("per_element"), ".1f")))
    columns.append((memory, "params", lambda cost: shown(cost.parameters.get("activation"), ",.0f")))
    if any(cost.peak for cost in costs):
        group = "allocator, above what was held"
        columns.append((group, "peak MiB", lambda cost: shown(per(cost.peak.get("bytes"), 2**20), ".1f")))
    return columns


def network_columns(costs: Sequence[Cost]) -> Columns:
    """Return the columns of costs in a task's network."""
    base, columns, saved = costs[0].baseline, Columns(), "saved for backward"
    for step, words in zip(STEPS, ("training step", "inference"), strict=True):
        if any(step in cost.times for cost in costs):
            columns += timed(words, step, (base,))
    columns.append((saved, f"vs {base}", lambda cost: shown(cost.saved.get("ratio"), ".2f", "x")))
    columns.append((saved, "added KiB", lambda cost: shown(per(cost.saved.get("added_bytes"), 2**10), ",.1f")))
    if any(cost.peak for cost in costs):
        above = f"MiB above {base}'s"
        columns.append(("peak", above, lambda cost: shown(per(cost.peak.get("added_bytes"), 2**20), ".1f")))
    columns.append(("params", "activation", lambda cost: shown(cost.parameters.get("activation"), ",.0f")))
    columns.append(("params", "trainable", lambda cost: shown(cost.parameters.get("trainable"), ",.0f")))
    columns.append(("params", "all", lambda cost: shown(cost.parameters.get("total"), ",.0f")))
    return columns


def per(value: float | None, unit: int) -> float | None:
    """Return a number in a unit."""
    return None if value is None else value / unit


def figure_text(figure: Figure, text: Callable[[float], str]) -> str:
    """Print a figure: its median, half the distance of its quartiles in percent, the mark of the unstable."""
    if figure.median is None:
        return ""
    around = "" if figure.spread is None else f" ±{50 * figure.spread:.0f}%"
    return f"{text(figure.median)}{around}{UNSTABLE if figure.unstable else ''}"


def figures_of(cost: Cost) -> dict[str, Figure]:
    """Return all timed figures of a cost by the names that a CSV has for them."""
    figures: dict[str, Figure] = {}
    names = [f"{which}_{temperature}" for which in PASSES for temperature in TEMPERATURES] if cost.alone else STEPS
    for name in names:
        timing = cost.time(name)
        ratios = {yardstick: yardstick for yardstick in YARDSTICKS} if cost.alone else {"ratio": cost.baseline}
        figures[f"{name}_seconds"] = timing.seconds
        figures |= {f"{name}_{field}": timing.ratio(other) for field, other in ratios.items()}
    return figures


def flat(cost: Cost) -> dict[str, Value]:
    """Return a cost's numbers, unrounded."""
    names = ("activation", "kind", "task", "dtype", "mode", "device", "threads", "baseline", "environment", "commit")
    line: dict[str, Value] = {name: getattr(cost, name) for name in (*names, "status", "measured")}
    line |= {"shape": "x".join(map(str, cost.shape)), "settings": settings_text(cost.settings)}
    for name, figure in figures_of(cost).items():
        line |= {name: figure.median, f"{name}_low_quartile": figure.low, f"{name}_high_quartile": figure.high}
        line |= {f"{name}_samples": figure.samples, f"{name}_unstable": "; ".join(figure.unstable)}
    for part, counts in (("saved", cost.saved), ("peak", cost.peak), ("parameters", cost.parameters)):
        line |= {f"{part}_{name}": value for name, value in counts.items()}
    return line | {"reason": cost.reason}


def sentences(costs: Sequence[Cost]) -> list[str]:
    """Write the caption."""
    if not costs[0].alone:
        saved = "Saved: bytes that the network and the loss keep for backward; added: those beyond the identity's."
        return [FIGURES, saved]
    cache = next((cost.cache_bytes for cost in costs if cost.cache_bytes), None)
    size = f" ({cache / 2**20:g} MiB)" if cache else ""
    kernels, torch = (
        ", ".join(sorted({str(cost.versions.get(name, "unknown")) for cost in costs})) for name in ("kernels", "torch")
    )
    commits = ", ".join(sorted({short(cost.commit) for cost in costs if cost.commit}))
    return [
        FIGURES,
        f"Cold: different inputs, together larger than the last-level cache{size}; warm: the same input each time; "
        "saved: bytes kept for backward.",
        f"Measured with kernels {kernels}, torch {torch}{', commit ' * bool(commits)}{commits}.",
    ]


def remarks(cost: Cost, figures: Iterable[Figure]) -> list[str]:
    """Say why a row has no figures, or which of its figures are unstable and why."""
    if not cost.ok:
        return [shorten(f"no figures: {cost.status} {cost.reason}")]
    kinds: dict[str, list[str]] = {}
    for reason in (reason for figure in figures for reason in figure.unstable):
        kinds.setdefault(re.sub(r"[\d.e+-]+", "", reason), []).append(reason)
    words = [f"{worst(alike)} ({len(alike)} cell{'s' * (len(alike) > 1)})" for alike in kinds.values()]
    return [f"{UNSTABLE} unreliable: {'; '.join(words)}"] if words else []


def worst(reasons: Sequence[str]) -> str:
    """Choose among reasons of one kind: the widest quartiles, the shortest sample, the fewest samples."""
    sized = {reason: float(re.findall(r"\d+(?:\.\d+)?", reason)[0]) for reason in reasons if re.search(r"\d", reason)}
    if not sized:
        return reasons[0]
    wide = reasons[0].startswith("quartiles")
    chosen = max(sized, key=lambda r: sized[r]) if wide else min(sized, key=lambda r: sized[r])
    limit = "up" if wide else "down"
    return chosen if len(set(reasons)) == 1 else re.sub(r"([\d.]+)", rf"{limit} to \1", chosen, count=1)
