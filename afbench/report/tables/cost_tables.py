"""The tables of a store's costs: one a case (shape, dtype, mode, device, threads), one a task's network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ...records.cost import STEPS, TEMPERATURES, Cost, Figure
from ...records.store import Store
from .cost_cells import flat_figure, ratio_text, remarks, seconds_text
from .cost_table import UNSTABLE_RULE, CostRow, CostTable
from .footnotes import Footnotes
from .groups import settings_text

PASSES = {"forward": "forward", "training": "forward+backward"}
YARDSTICKS = ("relu", "gelu", "copy")
RULES = f"± is half the distance of the quartiles, in percent of the median. {UNSTABLE_RULE}"


def cost_tables(store: Store, activations: Sequence[str] | None = None, network: bool = True) -> list[CostTable]:
    """Make the tables of a store's costs; a store without any gives none.

    Args:
        store: the results folder.
        activations: canonical specs of those to show; all if None.
        network: whether costs in tasks' networks are shown, beside those measured alone.
    """
    held = [cost for cost in store.costs() if activations is None or cost.activation in activations]
    places = sorted({cost.environment for cost in held})
    groups: dict[tuple[Any, ...], list[Cost]] = {}
    for cost in held:
        if cost.alone or network:
            groups.setdefault(case_of(cost), []).append(cost)
    made = []
    for key in sorted(groups, key=lambda key: tuple(map(str, key))):
        where = f"; environment {key[-1]}" if len(places) > 1 else ""
        made.append((alone_table if groups[key][0].alone else network_table)(groups[key], where))
    return made


def case_of(cost: Cost) -> tuple[Any, ...]:
    """Return what the costs of a table share; its environment comes last."""
    where = (cost.device, cost.threads)
    if cost.alone:
        return (1, f"{math.prod(cost.shape):020}", cost.shape, cost.dtype, cost.mode, *where, cost.environment)
    return (0, cost.task, cost.baseline, *where, settings_text(cost.settings), cost.environment)


def alone_table(costs: Sequence[Cost], where: str) -> CostTable:
    """Make the table of a case."""
    groups: dict[str, tuple[str, ...]] = {}
    readers: list[Callable[[Cost], str]] = []
    for which, words in PASSES.items():
        for temperature in TEMPERATURES:
            name = f"{which}_{temperature}"
            if any(cost.time(name).seconds.median is not None for cost in costs):
                groups[f"{words}, {temperature}"] = ("time", *(f"vs {yard}" for yard in YARDSTICKS))
                readers.append(lambda cost, name=name: seconds_text(cost.time(name).seconds))  # type: ignore[misc]
                for yard in YARDSTICKS:
                    readers.append(lambda cost, name=name, y=yard: ratio_text(cost.time(name).ratio(y)))  # type: ignore[misc]
    groups["memory and parameters"] = ("saved B/element", "params")
    readers += [
        lambda cost: shown(cost.saved.get("per_element"), ".1f"),
        lambda cost: shown(cost.parameters.get("activation"), ",.0f"),
    ]
    if any(cost.peak for cost in costs):
        groups["allocator, above what was held"] = ("peak MiB",)
        readers.append(lambda cost: shown(cost.peak.get("bytes"), ".1f", 2**20))
    one = costs[0]
    shape = "x".join(map(str, one.shape))
    title = f"cost alone: {shape} {one.dtype}, {one.mode}, {place(one)}{where}"
    first = [cost.time("training_cold").ratio("relu").median for cost in costs]
    return assembled(title, groups, readers, costs, first, alone_figures, alone_words(costs))


def alone_figures(cost: Cost) -> dict[str, Figure]:
    """Return all timed figures of a cost measured alone, by name."""
    found: dict[str, Figure] = {}
    for name in (f"{which}_{temperature}" for which in PASSES for temperature in TEMPERATURES):
        timing = cost.time(name)
        found |= {f"{name}_seconds": timing.seconds, **{f"{name}_{yard}": timing.ratio(yard) for yard in YARDSTICKS}}
    return found


def alone_words(costs: Sequence[Cost]) -> list[str]:
    """Word the caption of a case."""
    cache = next((cost.cache_bytes for cost in costs if cost.cache_bytes), None)
    size = f" ({cache / 2**20:g} MiB)" if cache else ""
    dimension = costs[0].channel_dim
    commits = sorted({short(cost.commit) for cost in costs if cost.commit})
    return [
        "Forward: in evaluation under no_grad. Forward+backward: in training, gradients of the input and of the "
        "parameters, penalties left out.",
        "vs relu, gelu, copy: ratios within a round, medians over the rounds; a copy is x.clone(), and with "
        "backward one of the gradient too.",
        f"Cold: inputs in turn that take twice the last-level cache{size}; warm: one input again and again, where it "
        "and its output fit there.",
        RULES,
        "Saved: bytes kept for backward, each storage once, parameters left out, per element of the input. Params: "
        f"trainable ones; the channels are dimension {dimension} (1 of 4-D shapes, else the last).",
        f"Kernels: {', '.join(versions(costs, 'kernels'))}; torch {', '.join(versions(costs, 'torch'))}.",
        *([f"Commit: {', '.join(commits)}."] if commits else []),
    ]


def versions(costs: Iterable[Cost], name: str) -> list[str]:
    """List the versions of one thing that costs were measured with."""
    return sorted({str(cost.versions.get(name, "unknown")) for cost in costs})


def network_table(costs: Sequence[Cost], where: str) -> CostTable:
    """Make the table of a task's network."""
    one = costs[0]
    base = one.baseline
    groups: dict[str, tuple[str, ...]] = {}
    readers: list[Callable[[Cost], str]] = []
    for part, words in (("step", "training step"), ("inference", "inference")):
        if any(part in cost.times for cost in costs):
            groups[words] = ("time", f"vs {base}")
            readers.append(lambda cost, p=part: seconds_text(cost.time(p).seconds))  # type: ignore[misc]
            readers.append(lambda cost, p=part: ratio_text(cost.time(p).ratio(cost.baseline)))  # type: ignore[misc]
    groups["saved for backward"] = (f"vs {base}", "added KiB")
    readers.append(lambda cost: shown(cost.saved.get("ratio"), ".2f") + "x" * bool(cost.saved))
    readers.append(lambda cost: shown(cost.saved.get("added_bytes"), ",.1f", 2**10))
    if any(cost.peak for cost in costs):
        groups["peak"] = (f"MiB above {base}'s",)
        readers.append(lambda cost: shown(cost.peak.get("added_bytes"), ".1f", 2**20))
    groups["params"] = ("activation", "trainable", "all")
    for name in ("activation", "trainable", "total"):
        readers.append(lambda cost, n=name: shown(cost.parameters.get(n), ",.0f"))  # type: ignore[misc]
    settings = settings_text(one.settings)
    title = f"cost in the network of {one.task}{f' ({settings})' if settings else ''}, {place(one)}{where}"
    first = [cost.time("step").ratio(cost.baseline).median for cost in costs]
    told = [
        "Training step: the whole one, on one batch; inference: the same batch, in evaluation under no_grad.",
        f"vs {base}: ratios within a round, medians over the rounds.",
        RULES,
        "Saved: bytes kept for backward by network and loss, each storage once, parameters left out; added: more than "
        "in the same network with the identity.",
    ]
    return assembled(title, groups, readers, costs, first, network_figures, told)


def network_figures(cost: Cost) -> dict[str, Figure]:
    """Return all timed figures of a cost in a network, by name."""
    found: dict[str, Figure] = {}
    for part in STEPS:
        timing = cost.time(part)
        found |= {f"{part}_seconds": timing.seconds, f"{part}_ratio": timing.ratio(cost.baseline)}
    return found


def assembled(
    title: str,
    groups: Mapping[str, tuple[str, ...]],
    readers: Sequence[Callable[[Cost], str]],
    costs: Sequence[Cost],
    first: Sequence[float | None],
    figures: Callable[[Cost], dict[str, Figure]],
    told: Iterable[str],
) -> CostTable:
    """Put a table together, sorted by ``first``; what has none comes last."""
    order = sorted(range(len(costs)), key=lambda i: (first[i] is None, first[i] or 0.0, costs[i].activation))
    footnotes, rows, flats = Footnotes(), [], []
    for cost in (costs[i] for i in order):
        own = figures(cost)
        marks = footnotes.marks(remarks(cost, own.values()))
        learnt = cost.parameters.get("activation")
        cells = tuple(read(cost) for read in readers)
        rows.append(CostRow(cost.activation, cells, marks, learnt))
        flats.append(flat(cost, own))
    return CostTable(title, groups, tuple(rows), tuple(told), tuple(footnotes.texts), tuple(flats), case_of(costs[0]))


def flat(cost: Cost, figures: Mapping[str, Figure]) -> dict[str, Any]:
    """Lay a cost out for machines."""
    names = ("activation", "kind", "task", "dtype", "mode", "device", "threads", "baseline", "environment", "commit")
    line: dict[str, Any] = {name: getattr(cost, name) for name in (*names, "status", "measured")}
    line |= {"shape": "x".join(map(str, cost.shape)), "settings": settings_text(cost.settings)}
    for name, one in figures.items():
        line |= flat_figure(one, name)
    for part, held in (("saved", cost.saved), ("peak", cost.peak), ("parameters", cost.parameters)):
        line |= {f"{part}_{name}": value for name, value in held.items()}
    return line | {"reason": cost.reason}


def shown(value: float | None, form: str, unit: float = 1.0) -> str:
    """Print a number, or nothing."""
    return "" if value is None else f"{value / unit:{form}}"


def short(commit: str) -> str:
    """Shorten a commit; the ``+`` of one whose files were changed since stays."""
    return commit[:12] + "+" * commit.endswith("+")


def place(cost: Cost) -> str:
    """Say the device, and the threads of a CPU."""
    count, device = cost.threads, cost.device
    return f"{device}, {count} thread{'' if count == 1 else 's'}" if device == "cpu" and count else device
