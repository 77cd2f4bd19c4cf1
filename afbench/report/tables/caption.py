"""What a table's caption says: what was measured, how sure it is, and what it does not claim."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from ...statistics.intervals import BOUNDED, LEVEL
from ...statistics.significance import ALPHA, seeds_needed
from .cost_table import UNSTABLE_RULE
from .footnotes import plural
from .rows import Table

CAPTIONS = ("short", "full", "none")
"""How much a caption says: what is needed to read the table; all that it rests on; nothing."""
NOISE = 0.005
"""From here on the baseline's own step does not print as 1.00x."""
RULES = "Rules: docs/numbers.md."


def sentences(table: Table, best: str, significant: str, detail: str = "full") -> list[str]:
    """Word a table's caption.

    Args:
        table: the table.
        best: how the format marks the best rows: ``Bold``, ``>``.
        significant: how the format marks a significant difference: ``*``.
        detail: ``short``, ``full`` or ``none``.
    """
    if detail == "none":
        return []
    bold = [marked(best, [table])] if any(row.best for row in table.rows) else []
    untuned = f"Untuned: one learning rate for all. {claim(table, significant)}".strip()
    if detail == "short":
        return [measured(table)[0], intervals(table)[0], *bold, untuned]
    return [
        *measured(table),
        *intervals(table),
        *bold,
        untuned,
        *([f"{len(table.rows)} of {len(table.rows) + table.hidden} activations are shown."] if table.hidden else []),
        *cost(table),
        *([f"Published: numbers of {table.source}, not ours."] if table.source else []),
        *(f"Note: {note}." for note in table.notes),
        RULES,
    ]


def measured(table: Table) -> list[str]:
    """Say the metric's unit and direction, the target, what it can be compared with, and where it ran."""
    unit = f" in {table.unit}" if table.unit else ""
    parts = [f"Metric: {table.metric_name}{unit}, {'higher' if table.higher_is_better else 'lower'} is better"]
    if table.target is not None:
        parts.append(f"target {quantity(table.target, table.unit)}")
    parts += [f"{name} {quantity(value, table.unit)}" for name, value in table.references.items()]
    place = ", ".join(word for word in (table.group.device, table.group.dtype) if word)
    return ["; ".join(parts) + ".", *([f"Trained on {place}."] if place else [])]


def intervals(table: Table) -> list[str]:
    """Say over how many seeds the means are, and what the intervals are."""
    over = seeds(table)
    if methods := methods_of([table]):
        text = f"Means over {over} with {100 * LEVEL:g} % intervals ({methods})."
    else:
        text = f"{over}: no interval." if table.counts == (1, 1) else f"Means over {over}."
    if not table.comparisons:
        return [text]
    points = " in percentage points" if table.unit == "%" else ""
    ends = ", with its interval" if any(row.versus.known for row in table.rows if row.versus) else ""
    ways = " or ".join(dict.fromkeys(row.versus.method for row in table.rows if row.versus and row.versus.method))
    how = f" ({ways})" if ways and ways != methods else ""
    return [text, f"Vs {table.baseline_name}: mean difference over shared seeds{points}{ends}{how}."]


def seeds(table: Table) -> str:
    """Say over how many seeds a table's means are: ``5 seeds``, ``5 to 30 seeds (column n)``."""
    low, high = table.counts
    return f"{high} {plural('seed', high)}" if low == high else f"{low} to {high} seeds (column n)"


def methods_of(tables: Sequence[Table]) -> str:
    """Say how the intervals of the means were made, each way once."""
    said = []
    for table in tables:
        for method in dict.fromkeys(row.mean.method for row in table.rows if row.mean.method):
            within = f"Student's t on a log scale, within the range {table.bounds}"
            said.append(within if method == BOUNDED else method)
    return " or ".join(dict.fromkeys(said))


def marked(best: str, tables: Sequence[Table]) -> str:
    """Say what the mark of the best rows means, and why one below an unmarked row may have it."""
    # From the first unmarked row on: does any have the mark?
    uneven = any(any(row.best for row in itertools.dropwhile(lambda row: row.best, table.rows)) for table in tables)
    failed = any(row.failures for table in tables for row in table.rows)
    shared = any(len({row.seeds for row in table.rows}) > 1 for table in tables)
    return (
        f"{best}: not distinguishable from the best row ({100 * LEVEL:g} % interval of the paired difference"
        f"{' over the seeds that both have' if shared else ''} contains 0)"
        f"{'; never a row with failed trials' if failed else ''}"
        f"{'; a row whose differences vary more between seeds may be marked below one that is not' if uneven else ''}."
    )


def claim(table: Table, significant: str) -> str:
    """Say what is claimed of the differences, or how many seeds it would take to claim anything."""
    count = table.comparisons
    if not count:
        return ""
    shared = [row.versus.n for row in table.rows if row.versus] or [0]
    low, high = min(shared), max(shared)
    head = f"{high} {plural('seed', high)}" if low == high else f"{low} to {high} shared seeds"
    head += f", {count} {plural('comparison', count)}"
    if not table.testable:
        return f"{head}: no significance is claimed (it takes {seeds_needed(count)} seeds)."
    return f"{head}: {significant} marks p at most {ALPHA:g} in a two-sided sign-flip test over seeds, Holm-adjusted."


def cost(table: Table) -> Iterable[str]:
    """Say what the cost columns mean."""
    if any(row.parameters is not None for row in table.rows):
        yield "Params: trainable parameters of the activations."
    costs = table.costs
    if costs.by_activation:
        place = [costs.device] if costs.device else []
        if costs.threads:
            place.append(f"{costs.threads} {plural('thread', costs.threads)}")
        where = f" ({', '.join(place)})" if place else ""
        beside = table.baseline_name if costs.baseline == table.baseline else costs.baseline
        ratios = f"relative to {beside}, measured apart from the trials{where}."
        if costs.busy:
            yield f"Saved: bytes saved for backward {ratios}"
            yield f"Step times are left out: the machine was too busy to time on ({costs.busy})."
            return
        yield f"Step, saved: training-step time and bytes saved for backward, {ratios}"
        if any(one.step.unstable for one in costs.by_activation.values()):
            yield UNSTABLE_RULE
        own = costs.by_activation.get(costs.baseline)
        if own and own.step.median is not None and abs(own.step.median - 1) >= NOISE:
            yield noise(beside)


def noise(baseline: str) -> str:
    """Say why the baseline's own step is not 1.00x."""
    return f"{baseline} was timed twice; its ratio's distance from 1.00 is the timing noise."


def quantity(value: float, unit: str) -> str:
    """Print a number with its unit."""
    return f"{value:.4g} {unit}".strip()
