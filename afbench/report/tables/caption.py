"""A table's caption: what a reader needs to read the numbers. The rules are in docs/numbers.md."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ...records.wording import counted, plural
from ...statistics.intervals import BOUNDED, LEVEL
from ...statistics.significance import ALPHA, seeds_needed
from .grid import BOLD, UNSTABLE
from .rows import Table

RULES = "docs/numbers.md"
UNTUNED = "one recipe for all activations (untuned)"
TRANSFORMED = "Student's t, transformed to stay within the metric's range"


def sentences(table: Table, columns: Collection[str]) -> list[str]:
    """Word the caption of one task's table: what was measured, what is bold, what is relative to the baseline.

    Args:
        table: the table.
        columns: the names of the columns that are shown; the caption describes no others.
    """
    yardsticks = [f"{name} {quantity(value, table.unit)}" for name, value in table.references.items()]
    if table.target is not None:
        yardsticks.insert(0, f"target {quantity(table.target, table.unit)}")
    beside = f" ({', '.join(yardsticks)})" if yardsticks else ""
    low, high = table.counts
    means = f"means over {seeds(table)}"
    if methods := methods_of([table]):
        means += f" with {100 * LEVEL:g} % confidence intervals ({methods})" if "interval" in columns else ""
    elif low == high == 1:
        means = "1 seed, so no interval"
    return [
        f"Metric: {measured(table)}{beside}; {means}; {UNTUNED}{place([table])}.",
        *marked([table]),
        *relative(table, columns),
    ]


def wide_sentences(names: Sequence[str], tables: Sequence[Table], brackets: bool) -> list[str]:
    """Write the caption of a table of several tasks: their metrics, the intervals, what is bold.

    Args:
        names: the tasks' names.
        tables: their tables.
        brackets: whether any cell has the ends of an interval instead of half its width.
    """
    metrics = [f"{name}: {measured(table)}, {seeds(table)}" for name, table in zip(names, tables, strict=True)]
    methods = methods_of(tables)
    ends = f" ± half the {100 * LEVEL:g} % confidence interval ({methods})" if methods else ""
    ends += ", or its ends in brackets where ± would leave the metric's range" if brackets else ""
    return [f"{'; '.join(metrics)}.", f"Means over seeds{ends}; {UNTUNED}{place(tables)}.", *marked(tables)]


def measured(table: Table) -> str:
    """Say the metric, its unit and its direction: ``accuracy in %, higher is better``."""
    unit = f" in {table.unit}" if table.unit else ""
    return f"{table.metric_name}{unit}, {'higher' if table.higher_is_better else 'lower'} is better"


def seeds(table: Table) -> str:
    """Say over how many seeds a table's means are: ``5 seeds``, ``5 to 30 seeds (column n)``."""
    low, high = table.counts
    return counted("seed", high) if low == high else f"{low} to {high} seeds (column n)"


def methods_of(tables: Sequence[Table]) -> str:
    """Name the methods of the intervals of the means."""
    methods = [row.mean.method for table in tables for row in table.rows if row.mean.method]
    return " or ".join(dict.fromkeys(TRANSFORMED if method == BOUNDED else method for method in methods))


def place(tables: Sequence[Table]) -> str:
    """Name the device and dtype of the training, if all tables share them."""
    places = {(table.group.device, table.group.dtype) for table in tables}
    words = [word for word in places.pop() if word] if len(places) == 1 else []
    return f"; trained on {', '.join(words)}" if words else ""


def marked(tables: Sequence[Table]) -> Iterable[str]:
    """Explain bold, if anything is bold."""
    if any(row.best for table in tables for row in table.rows):
        shared = any(len({row.seeds for row in table.rows}) > 1 for table in tables)
        over = " over shared seeds" if shared else ""
        yield (
            f"{BOLD} the best row, and rows whose paired difference to the best row{over} (not in the table) "
            f"has a {100 * LEVEL:g} % interval that contains 0."
        )


def relative(table: Table, columns: Collection[str]) -> Iterable[str]:
    """Say which of the columns are relative to the baseline, and what is claimed of the differences."""
    by_baseline = {table.baseline: [f"vs {table.baseline_name}"]} if table.comparisons and "vs" in columns else {}
    if timed := [name for name in ("step", "saved") if name in columns and table.costs.by_activation]:
        by_baseline.setdefault(table.costs.baseline, []).extend(timed)
    parts = []
    for baseline, names in by_baseline.items():
        verb = "are" if len(names) > 1 else "is"
        parts.append(f"{plural('column', len(names))} {listed(names)} {verb} relative to {table.name(baseline)}")
    if "step" in timed and not table.costs.busy and any(row.cost and row.cost.step.unstable for row in table.rows):
        parts.append(f"{UNSTABLE} marks an unreliable time")
    if table.comparisons and "vs" in columns:
        parts.append(claim(table))
    if parts:
        words = "; ".join(parts)
        yield f"{words[:1].upper()}{words[1:]}."


def listed(words: Sequence[str]) -> str:
    """List words: ``step``, ``step and saved``, ``differences, step and saved``."""
    return " and ".join([", ".join(words[:-1])] * bool(words[1:]) + [*words[-1:]])


def claim(table: Table) -> str:
    """Say what is claimed of the differences, or how many seeds a claim needs; comparisons of hidden rows count."""
    shown = sum(row.versus is not None for row in table.rows)
    comparisons = counted("comparison", table.comparisons)
    comparisons += f", {shown} of them shown," if shown < table.comparisons else ""
    if not table.testable:
        verb = "needs" if table.comparisons == 1 else "need"
        seeds = seeds_needed(table.comparisons)
        return f"no significance is claimed, as {comparisons} {verb} at least {seeds} seeds"
    return f"* marks p at most {ALPHA:g} (sign-flip test over seeds, Holm-adjusted for {comparisons.rstrip(',')})"


def notes(table: Table) -> list[str]:
    """Say what is odd about the whole table."""
    hidden, busy = table.hidden, table.costs.busy
    return [
        *([f"{len(table.rows)} of {len(table.rows) + hidden} activations are shown"] if hidden else []),
        *([f"the column step is left out: the machine was too busy for timing ({busy})"] if busy else []),
        *([f"published numbers are from {table.source}, not from these trials"] if table.source else []),
        *table.notes,
    ]


def quantity(value: float, unit: str) -> str:
    """Print a number with its unit."""
    return f"{value:.4g} {unit}".strip()
