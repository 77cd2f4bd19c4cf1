"""The tables of a store's costs: one a case (shape, dtype, mode, device, threads), one a task's network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ...records.groups import settings_text
from ..costs import number
from .cost_cells import Measure, counted, measure, reading, remarks
from .cost_table import CostRow, CostTable
from .grid import Footnotes

Cost = Mapping[str, Any]
ALONE = "alone"
PASSES = {"forward": "forward", "training": "forward+backward"}
TEMPERATURES = ("cold", "warm")
YARDSTICKS = ("relu", "gelu", "copy")
FIGURES = "Times and ratios are medians over rounds (±: half the distance of the quartiles, in percent; !: unstable)."


def is_alone(cost: Cost) -> bool:
    """Tell whether a cost was measured alone, not in a task's network."""
    return cost.get("kind") == ALONE


def cost_tables(costs: Iterable[Cost], network: bool = True) -> list[CostTable]:
    """Make the tables of costs, one a case.

    Args:
        costs: those of one results folder.
        network: whether costs in tasks' networks are shown, beside those measured alone.
    """
    costs = list(costs)
    places = sorted({str(cost.get("environment", "")) for cost in costs})
    groups: dict[tuple[Any, ...], list[Cost]] = {}
    for cost in costs:
        if is_alone(cost) or network:
            groups.setdefault(case_of(cost), []).append(cost)
    made = []
    for key in sorted(groups, key=lambda key: tuple(map(str, key))):
        where = f"; environment {key[-1]}" if len(places) > 1 else ""
        made.append((alone_table if is_alone(groups[key][0]) else network_table)(groups[key], where))
    return made


def case_of(cost: Cost) -> tuple[Any, ...]:
    """Return what the costs of a table share; its environment comes last."""
    if is_alone(cost):
        shape = tuple(cost.get("shape") or ())
        own = (math.prod(shape), shape, *(cost.get(name) for name in ("dtype", "mode", "device", "threads")))
        return (1, *(f"{own[0]:020}", *own[1:]), str(cost.get("environment", "")))
    named = [cost.get(name) for name in ("task", "baseline", "device", "threads")]
    return (0, *named, settings_text(cost.get("settings") or {}), str(cost.get("environment", "")))


def alone_table(costs: Sequence[Cost], where: str) -> CostTable:
    """Make the table of a case."""
    groups: dict[str, tuple[str, ...]] = {}
    readers: list[Callable[[Cost], str]] = []
    for which, words in PASSES.items():
        for temperature in TEMPERATURES:
            if any(reading(cost, which, temperature, "seconds").median is not None for cost in costs):
                groups[f"{words}, {temperature}"] = ("time", *(f"vs {yard}" for yard in YARDSTICKS))
                readers.append(lambda cost, w=which, t=temperature: reading(cost, w, t, "seconds").seconds())  # type: ignore[misc]
                for yard in YARDSTICKS:
                    readers.append(lambda cost, w=which, t=temperature, y=yard: reading(cost, w, t, y).ratio())  # type: ignore[misc]
    groups["memory and parameters"] = ("saved B/element", "params")
    readers += [
        lambda cost: shown(counted(cost, "saved", "per_element"), ".1f"),
        lambda cost: shown(counted(cost, "parameters", "activation"), ",.0f"),
    ]
    if any(cost.get("peak") for cost in costs):
        groups["allocator, above what was held"] = ("peak MiB",)
        readers.append(lambda cost: shown(counted(cost, "peak", "bytes"), ".1f", 2**20))
    one = costs[0]
    shape = "x".join(map(str, one.get("shape") or ()))
    title = f"cost alone: {shape} {one.get('dtype')}, {one.get('mode')}, {place(one)}{where}"
    first = [reading(cost, "training", "cold", "relu").median for cost in costs]
    return assembled(title, groups, readers, costs, first, alone_figures, alone_words(costs))


def alone_figures(cost: Cost) -> dict[str, Measure]:
    """Return all timed figures of a cost measured alone, by name."""
    parts = [(which, temperature) for which in PASSES for temperature in TEMPERATURES]
    return {f"{w}_{t}_{name}": reading(cost, w, t, name) for w, t in parts for name in ("seconds", *YARDSTICKS)}


def alone_words(costs: Sequence[Cost]) -> list[str]:
    """Word the caption of a case."""
    cache = next((number(cost.get("cache_bytes")) for cost in costs if cost.get("cache_bytes")), None)
    size = f" ({cache / 2**20:g} MiB)" if cache else ""
    commits = sorted({short(str(cost.get("commit"))) for cost in costs if cost.get("commit")})
    return [
        FIGURES,
        f"Cold: inputs that exceed the last-level cache{size}; warm: one input that fits into it; saved: bytes kept "
        "for backward.",
        f"Measured with kernels {', '.join(versions(costs, 'kernels'))}, torch {', '.join(versions(costs, 'torch'))}"
        f"{', commit ' * bool(commits)}{', '.join(commits)}.",
    ]


def versions(costs: Iterable[Cost], name: str) -> list[str]:
    """List the versions of one thing that costs were measured with."""
    return sorted({str((cost.get("versions") or {}).get(name, "unknown")) for cost in costs})


def network_table(costs: Sequence[Cost], where: str) -> CostTable:
    """Make the table of a task's network."""
    one = costs[0]
    base = str(one.get("baseline", ""))
    groups: dict[str, tuple[str, ...]] = {}
    readers: list[Callable[[Cost], str]] = []
    for part, words in (("step", "training step"), ("inference", "inference")):
        if any(cost.get(part) for cost in costs):
            groups[words] = ("time", f"vs {base}")
            readers.append(lambda cost, p=part: timed(cost, p)[0].seconds())  # type: ignore[misc]
            readers.append(lambda cost, p=part: timed(cost, p)[1].ratio())  # type: ignore[misc]
    groups["saved for backward"] = (f"vs {base}", "added KiB")
    readers.append(lambda cost: shown(counted(cost, "saved", "ratio"), ".2f") + "x" * bool(cost.get("saved")))
    readers.append(lambda cost: shown(counted(cost, "saved", "added_bytes"), ",.1f", 2**10))
    if any(cost.get("peak") for cost in costs):
        groups["peak"] = (f"MiB above {base}'s",)
        readers.append(lambda cost: shown(counted(cost, "peak", "added_bytes"), ".1f", 2**20))
    groups["params"] = ("activation", "trainable", "all")
    for name in ("activation", "trainable", "total"):
        readers.append(lambda cost, n=name: shown(counted(cost, "parameters", n), ",.0f"))  # type: ignore[misc]
    settings = settings_text(one.get("settings") or {})
    title = f"cost in the network of {one.get('task')}{f' ({settings})' if settings else ''}, {place(one)}{where}"
    first = [timed(cost, "step")[1].median for cost in costs]
    told = [
        FIGURES,
        "Saved: bytes that network and loss keep for backward; added: more than with the identity.",
    ]
    return assembled(title, groups, readers, costs, first, network_figures, told)


def timed(cost: Cost, part: str) -> tuple[Measure, Measure]:
    """Read seconds and ratio of a step or an inference."""
    held = cost.get(part) or {}
    ratio = measure(held, "ratio", "quartiles", "rounds")
    return measure({**held, "unstable": held.get("seconds_unstable")}, "seconds", "seconds_quartiles", "rounds"), ratio


def network_figures(cost: Cost) -> dict[str, Measure]:
    """Return all timed figures of a cost in a network, by name."""
    held = {part: timed(cost, part) for part in ("step", "inference")}
    return {f"{part}_{name}": held[part][i] for part in held for i, name in enumerate(("seconds", "ratio"))}


def assembled(
    title: str,
    groups: Mapping[str, tuple[str, ...]],
    readers: Sequence[Callable[[Cost], str]],
    costs: Sequence[Cost],
    first: Sequence[float | None],
    figures: Callable[[Cost], dict[str, Measure]],
    told: Iterable[str],
) -> CostTable:
    """Put a table together, sorted by ``first``; what has none comes last."""
    order = sorted(range(len(costs)), key=lambda i: (first[i] is None, first[i] or 0.0, str(costs[i]["activation"])))
    footnotes, rows, flats = Footnotes(), [], []
    for cost in (costs[i] for i in order):
        own = figures(cost)
        marks = footnotes.marks(remarks(cost, own.values()))
        learnt = counted(cost, "parameters", "activation")
        cells = tuple(read(cost) for read in readers)
        rows.append(CostRow(str(cost["activation"]), cells, marks, None if learnt is None else int(learnt)))
        flats.append(flat(cost, own))
    return CostTable(title, groups, tuple(rows), tuple(told), tuple(footnotes.texts), tuple(flats), case_of(costs[0]))


def flat(cost: Cost, figures: Mapping[str, Measure]) -> dict[str, Any]:
    """Lay a cost out for machines."""
    names = ("activation", "kind", "task", "dtype", "mode", "device", "threads", "baseline", "environment", "commit")
    line: dict[str, Any] = {name: cost.get(name) for name in (*names, "status", "measured")}
    line["kind"] = cost.get("kind") or "network"
    line["shape"] = "x".join(map(str, cost.get("shape") or ()))
    line["settings"] = settings_text(cost.get("settings") or {})
    for name, one in figures.items():
        line |= one.flat(name)
    for part in ("saved", "peak", "parameters"):
        held = cost.get(part)
        line |= {f"{part}_{name}": value for name, value in held.items()} if isinstance(held, Mapping) else {}
    return line | {"reason": (cost.get("error") or {}).get("message", "")}


def shown(value: float | None, form: str, unit: float = 1.0) -> str:
    """Print a number, or nothing."""
    return "" if value is None else f"{value / unit:{form}}"


def short(commit: str) -> str:
    """Shorten a commit; the ``+`` of one whose files were changed since stays."""
    return commit[:12] + "+" * commit.endswith("+")


def place(cost: Cost) -> str:
    """Say the device, and the threads of a CPU."""
    count, device = cost.get("threads"), str(cost.get("device") or "")
    return f"{device}, {count} thread{'' if count == 1 else 's'}" if device == "cpu" and count else device
