"""One task's table as a grid: its columns with their cells, and each row's numbers for machines."""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ...records.cost import Figure
from ...records.members import spec_of
from ...records.trial import Status
from ...statistics.intervals import LEVEL, Interval
from ...statistics.metric import written
from .caption import RULES, notes, sentences
from .footnotes import Failure
from .grid import UNSTABLE, Cell, Column, Grid, Value
from .rows import Row, Table
from .scale import Scale, certain, scale_of, shown

LEADING = ("task", "settings", "activation", "name")
"""Fields of a row's data that stay, whatever columns are chosen."""


def task_grid(table: Table) -> Grid:
    """Lay a task's table out, with its full caption."""
    laid, wording = columns(table), functools.partial(sentences, table)
    return Grid.of(
        ("task", table.group.task, table.title),
        laid,
        [known(flat(table, row)) for row in table.rows],
        tuple(wording([column.name for column, _ in laid if column.shown])),
        RULES,
        tuple(notes(table)),
        table.footnotes,
        wording,
    )


def columns(table: Table) -> list[tuple[Column, list[Cell]]]:
    """Return all columns with a cell for each row; those without content are not shown unless they are asked for."""
    rows, higher = table.rows, table.higher_is_better
    scale = scale_of(row.mean for row in rows)
    gains = Scale(scale_of((row.versus for row in rows if row.versus), scale.exponent).decimals, scale.exponent)
    low, high = table.counts
    uneven = low != high or any(row.ok != len(table.seeds) for row in rows)
    parted = any(row.modes for row in rows)
    steps = [row.cost.step if row.cost else Figure() for row in rows]
    saved = [row.cost.saved_ratio if row.cost else None for row in rows]
    laid = [
        filled(
            Column("n", "n", shown=uneven, aliases=("seeds",), fields=("trials", "ok")),
            ((count(row), row.ok) for row in rows),
        ),
        (
            Column(
                "mean",
                f"{table.metric_name} {table.unit}".strip(),
                exponent=scale.exponent,
                higher=higher,
                descending=higher,
                aliases=(table.metric, table.metric_name),
                fields=("mean",),
            ),
            [Cell(scale.show(row.mean.mean), row.mean.mean, best=row.best) for row in rows],
        ),
        filled(
            Column("median", "median", "", scale.exponent, descending=higher, shown=parted, fields=("median",)),
            ((scale.show(row.median), row.median) for row in rows),
        ),
        filled(
            Column(
                "interval",
                f"{100 * LEVEL:g} % interval",
                aliases=(f"{100 * LEVEL:g} % interval",),
                fields=("low", "high"),
            ),
            ((scale.ends(row.mean), row.mean.half_width) for row in rows),
        ),
        (
            Column(
                "vs",
                f"vs {table.baseline_name} ({'pp, paired' if table.unit == '%' else 'paired'})",
                descending=higher,
                shown=bool(table.comparisons),
                aliases=(f"vs {table.baseline}",),
                fields=("difference", "difference_low", "difference_high"),
            ),
            [difference(row, gains) for row in rows],
        ),
        filled(
            Column("published", "published", fields=("published", "published_source")),
            ((shown(row.published, "g"), row.published) for row in rows),
        ),
        filled(
            Column("params", "params", aliases=("parameters",), fields=("activation_parameters",)),
            ((shown(row.parameters, ","), row.parameters) for row in rows),
        ),
        filled(
            Column("step", "step", fields=("step_ratio", "step_low_quartile", "step_high_quartile", "step_unstable")),
            zip(step_texts(steps, table.costs.busy), (step.median for step in steps), strict=True),
        ),
        filled(
            Column("saved", "saved", fields=("saved_ratio",)),
            ((shown(ratio, ".2f", "x"), ratio) for ratio in saved),
        ),
    ]
    taken = {alias for column, _ in laid for alias in (column.name, *column.aliases)}
    for name in table.extras:
        intervals, word = [row.extras.get(name, Interval()) for row in rows], written(name)
        scale, aliases = scale_of(intervals), tuple(alias for alias in (name, word) if alias not in taken)
        fields = (name, *(f"{prefix}{word}{end}" for prefix in ("", "metric_") for end in ("", "_low", "_high")))
        column = Column(f"extra {name}", word, "", scale.exponent, optional=True, aliases=aliases, fields=fields)
        laid.append(filled(column, ((scale.show(mean.mean), mean.mean) for mean in intervals)))
    return [(Column("activation", "activation", fields=LEADING), labels(table)), *laid]


def filled(column: Column, cells: Iterable[tuple[str, float | None]]) -> tuple[Column, list[Cell]]:
    """Return a column with its cells from texts and values; it is not shown if all texts are empty."""
    column_cells = [Cell(text, math.nan if value is None else value) for text, value in cells]
    return replace(column, shown=column.shown and any(cell.text for cell in column_cells)), column_cells


def labels(table: Table) -> list[Cell]:
    """Return the cells that name the rows."""
    return [label(row.activation, table.names, row.best, row.marks, badges(row.failures)) for row in table.rows]


def label(
    activation: str,
    names: Mapping[str, str],
    best: bool = False,
    marks: tuple[int, ...] = (),
    failures: tuple[str, ...] = (),
) -> Cell:
    """Name a row: by its spec, or by the name that its activation is given."""
    spec = spec_of(activation)
    suffix, name = activation.removeprefix(spec), names.get(spec, spec)
    role = "name" if spec in names else "code"
    return Cell(name, f"{name}{suffix}".casefold(), "", role, suffix, best, marks=marks, failures=failures)


def badges(failures: Sequence[Failure]) -> tuple[str, ...]:
    """Say in a word or two each which trials failed."""
    return tuple(f"{failure.count} {failure.status}" for failure in failures)


def difference(row: Row, scale: Scale) -> Cell:
    """Return the cell of a paired difference to the baseline."""
    if row.versus is None:
        return Cell("baseline", 0.0, role="word") if row.is_baseline else Cell()
    text = f"{scale.show(row.versus.mean, '+')} {scale.ends(row.versus, '+')}".strip()
    return Cell(text, row.versus.mean, significant=row.significant)


def count(row: Row) -> str:
    """Print over how many seeds a mean is: ``5``, or ``3/4`` where only 3 of 4 trials ended well."""
    return str(row.ok) if row.ok == len(row.seeds) else f"{row.ok}/{len(row.seeds)}"


def step_texts(steps: Sequence[Figure], busy: str = "") -> list[str]:
    """Print step times with one or two decimals, as the median row's quartiles allow; unstable ones are marked.

    They are empty if the machine was too busy for timing.
    """
    widths = [(high - low) / 2 for low, high in (step.quartiles for step in steps if step.quartiles)]
    width = statistics.median(widths) if widths else 0.0
    decimals = min(max(certain(width), 1), 2) if width else 2
    after = [f"x{UNSTABLE}" if step.unstable else "x" for step in steps]
    return ["" if busy else shown(step.median, f".{decimals}f", x) for step, x in zip(steps, after, strict=True)]


def known(line: Mapping[str, Value]) -> dict[str, Value]:
    """Turn each NaN into None."""
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in line.items()}


def flat(table: Table, row: Row) -> dict[str, Value]:
    """Return a row's numbers; ``low`` and ``high`` are the ends of an interval, ``name`` is the printed name."""
    counts = {failure.status: failure.count for failure in row.failures}
    failed = {str(status): counts.pop(str(status), 0) for status in Status if status is not Status.OK}
    versus, cost = row.versus or Interval(), row.cost
    step = cost.step if cost else Figure()
    cells: dict[str, Value] = {
        **vars(table.group),
        "metric": table.metric_name,
        "unit": table.unit,
        "higher_is_better": table.higher_is_better,
        "activation": row.activation,
        **({"name": table.name(row.activation)} if table.names else {}),
        "is_baseline": row.is_baseline,
        "trials": len(row.seeds),
        "ok": row.ok,
        **failed,
        "no_metric": sum(counts.values()),
        "mean": row.mean.mean,
        "low": row.mean.low,
        "high": row.mean.high,
        "median": row.median,
        "level": LEVEL if row.mean.known else None,
        "method": row.mean.method,
        "best": row.best,
        "baseline": table.baseline if row.versus else "",
        "paired_seeds": versus.n if row.versus else None,
        "difference": versus.mean,
        "difference_low": versus.low,
        "difference_high": versus.high,
        "difference_method": versus.method,
        "p": row.p,
        "p_holm": row.p_holm,
        "comparisons": table.comparisons,
        "significant": row.significant if row.versus and table.testable else None,
        "activation_parameters": row.parameters,
        "cost_baseline": table.costs.baseline if cost and cost.ok else "",
        "step_ratio": step.median,
        "step_low_quartile": step.low,
        "step_high_quartile": step.high,
        "step_unstable": "; ".join(step.unstable),
        "saved_ratio": cost.saved_ratio if cost else None,
        "published": row.published,
        "published_source": table.source if row.published is not None else "",
    }
    for name in table.extras:
        extra, field = row.extras.get(name, Interval()), written(name)
        field = f"metric_{field}" if field in cells else field
        cells |= {field: extra.mean, f"{field}_low": extra.low, f"{field}_high": extra.high}
    cells["notes"] = "; ".join([*(table.footnotes[mark - 1] for mark in row.marks), *table.notes])
    return cells
