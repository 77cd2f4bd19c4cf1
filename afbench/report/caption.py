"""What a table's caption says: what was measured, how sure it is, and what it does not claim."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from ..stats import ALPHA, LEVEL, seeds_needed
from .footnotes import plural
from .rows import Table

NOISE = 0.005
"""From here on the baseline's own step does not print as 1.00x."""


def sentences(table: Table, best: str, significant: str) -> list[str]:
    """Word a table's caption.

    Args:
        table: the table.
        best: how the format marks the best group: ``bold``, ``>``.
        significant: how the format marks a significant difference: ``*``.
    """
    return [
        *measured(table),
        *intervals(table),
        *([marked(best, [table])] if any(row.best for row in table.rows) else []),
        f"Untuned: one learning rate for all. {claim(table, significant)}".strip(),
        *cost(table),
        *([f"Published: numbers of {table.source}, not ours."] if table.source else []),
        *(f"Note: {note}." for note in table.notes),
    ]


def measured(table: Table) -> list[str]:
    """Say the metric's unit and direction, the target, what it can be compared with, and where it ran."""
    unit = f" in {table.unit}" if table.unit else ""
    parts = [f"Metric: {table.metric}{unit}, {'higher' if table.higher_is_better else 'lower'} is better"]
    if table.target is not None:
        parts.append(f"target {quantity(table.target, table.unit)}")
    parts += [f"{name} {quantity(value, table.unit)}" for name, value in table.references.items()]
    place = ", ".join(word for word in (table.group.device, table.group.dtype) if word)
    return ["; ".join(parts) + ".", *([f"Trained on {place}."] if place else [])]


def intervals(table: Table) -> list[str]:
    """Say over how many seeds the means are, and what the intervals are."""
    seeds = f"{len(table.seeds)} {plural('seed', len(table.seeds))}"
    said = [row.mean for row in table.rows] + [row.versus for row in table.rows if row.versus is not None]
    methods = list(dict.fromkeys(one.method for one in said if one.method))
    if methods:
        text = f"Means over {seeds} with {100 * LEVEL:g} % intervals ({' or '.join(methods)} over seeds)."
    else:
        text = f"{seeds}: no interval." if len(table.seeds) == 1 else f"Means over {seeds}."
    if not table.comparisons:
        return [text]
    points = " in percentage points" if table.unit == "%" else ""
    ends = ", with the interval of that mean" if any(row.versus.known for row in table.rows if row.versus) else ""
    return [text, f"Vs {table.baseline}: mean of the differences seed by seed{points}{ends}."]


def marked(best: str, tables: Sequence[Table]) -> str:
    """Say what the mark of the best group means, and why one below an unmarked row may have it."""
    # From the first unmarked row on: does any have the mark?
    uneven = any(any(row.best for row in itertools.dropwhile(lambda row: row.best, table.rows)) for table in tables)
    return (
        f"{best} marks all that cannot be told from the best: no trial failed, and the interval of the paired "
        "difference to it contains 0 (not adjusted for the number of comparisons)"
        f"{'; a lower mean whose differences vary more from seed to seed may still be marked' if uneven else ''}."
    )


def claim(table: Table, significant: str) -> str:
    """Say what is claimed of the differences, or how many seeds it would take to claim anything."""
    count = table.comparisons
    if not count:
        return ""
    head = f"{len(table.seeds)} {plural('seed', len(table.seeds))}, {count} {plural('comparison', count)}"
    if not table.testable:
        return f"{head}: no significance is claimed (it takes {seeds_needed(count)} seeds)."
    return f"{head}: {significant} marks p at most {ALPHA:g} in a two-sided sign-flip test over seeds, Holm-adjusted."


def cost(table: Table) -> Iterable[str]:
    """Say what the cost columns mean."""
    if any(row.parameters is not None for row in table.rows):
        yield "Params: trainable parameters of the activations."
    if table.costs.by_activation:
        place = [table.costs.device] if table.costs.device else []
        if table.costs.threads:
            place.append(f"{table.costs.threads} {plural('thread', table.costs.threads)}")
        where = f" ({', '.join(place)})" if place else ""
        yield (
            f"Step, saved: time of a training step and bytes saved for backward, as ratios to {table.costs.baseline}, "
            f"measured apart from the trials{where}."
        )
        own = table.costs.by_activation.get(table.costs.baseline)
        if own and own.step is not None and abs(own.step - 1) >= NOISE:
            yield noise(table.costs.baseline)


def noise(baseline: str) -> str:
    """Say why the baseline's own step is not 1.00x."""
    return f"The step of {baseline} is beside itself, timed twice: so far off is noise."


def quantity(value: float, unit: str) -> str:
    """Print a number with its unit."""
    return f"{value:.4g} {unit}".strip()
