"""Tables for machines: one line an activation, the same names for all tables, nothing rounded."""

from __future__ import annotations

import csv as writer
import io
import math
from collections.abc import Sequence

from ...errors import UsageError
from ...records.cost import Figure
from ...records.trial import Status
from ...statistics.intervals import LEVEL, Interval
from ...statistics.metric import written
from .cost_table import CostTable
from .rows import Row, Table
from .view import PLAIN, View
from .wide import Wide

Cell = str | int | float | None
COUNTS = ("best", "trials", "ok")


def csv(tables: Sequence[Table | Wide | CostTable], view: View = PLAIN) -> str:
    """Print tables as CSV with one header. Empty is what was not measured; truths are ``true`` and ``false``.

    Raises:
        UsageError: for a wide table or costs beside others, whose columns are others.
    """
    single = [table for table in tables if isinstance(table, Table)]
    wide = [table for table in tables if isinstance(table, Wide)]
    costs = [table for table in tables if isinstance(table, CostTable)]
    if wide and len(tables) > 1:
        raise UsageError("a CSV has one header: print a wide table alone")
    if costs and single:
        raise UsageError("a CSV has one header: print costs alone (--costs)")
    held, out = wide_lines(wide[0]) if wide else cost_lines(costs) if costs else lines(single), io.StringIO()
    held = picked(held, view.columns) if not costs else held
    if held:
        rows = writer.DictWriter(out, list(held[0]), lineterminator="\n")
        rows.writeheader()
        rows.writerows({n: str(c).lower() if isinstance(c, bool) else c for n, c in line.items()} for line in held)
    return out.getvalue()


FIELDS = {
    "n": ("trials", "ok"),
    "interval": ("low", "high"),
    "vs": ("difference", "difference_low", "difference_high"),
    "params": ("activation_parameters",),
    "step": ("step_ratio", "step_low_quartile", "step_high_quartile", "step_unstable"),
    "saved": ("saved_ratio",),
    "published": ("published", "published_source"),
    "rank": ("mean_rank",),
}
"""What stands in a CSV for the columns that other formats show."""


def picked(held: list[dict[str, Cell]], columns: Sequence[str]) -> list[dict[str, Cell]]:
    """Choose fields by the names of other formats' columns, or by their own; task and activation stay in front."""
    if not columns or not held:
        return held
    fields = ["task", "settings", "activation", "name"]
    for column in columns:
        metric = written(column.removeprefix("extra "))
        own = FIELDS.get(column, (column, metric, f"{metric}_low", f"{metric}_high", f"metric_{metric}"))
        fields += [*own, *(name for name in held[0] if name.startswith(f"{column} "))]
    return [{name: line[name] for name in dict.fromkeys(fields) if name in line} for line in held]


def lines(tables: Sequence[Table]) -> list[dict[str, Cell]]:
    """Lay tables out as one dict an activation, ready for JSON: what was not measured is None, never NaN."""
    extras = list(dict.fromkeys(name for table in tables for name in table.extras))
    called = any(table.names for table in tables)
    return [known(flat(table, row, extras, called)) for table in tables for row in table.rows]


def cost_lines(tables: Sequence[CostTable]) -> list[dict[str, Cell]]:
    """Lay tables of costs out as one dict an activation, with the columns of all of them."""
    names = list(dict.fromkeys(name for table in tables for row in table.flat for name in row))
    return [{name: row.get(name) for name in names} for table in tables for row in table.flat]


def wide_lines(wide: Wide) -> list[dict[str, Cell]]:
    """Lay a wide table out as one dict an activation; a task's columns begin with its name: ``gmm mean``."""
    held = []
    for row in wide.rows:
        line: dict[str, Cell] = {"activation": row.activation}
        line |= {"name": wide.name(row.activation)} if wide.labels else {}
        line["mean_rank"] = row.mean_rank
        line |= {"ranked_activations": wide.ranked, "ranked_tasks": len(wide.tables)}
        ranked = row.ranks or (None,) * len(wide.tables)
        for name, table, cell, rank in zip(wide.names, wide.tables, row.cells, ranked, strict=True):
            mean = cell.mean if cell else Interval()
            own: dict[str, Cell] = {"metric": table.metric_name, "unit": table.unit}
            own |= {"higher_is_better": table.higher_is_better, "mean": mean.mean, "low": mean.low, "high": mean.high}
            own |= {"level": LEVEL if mean.known else None, "method": mean.method, "rank": rank}
            own |= {"best": cell.best, "trials": len(cell.seeds), "ok": cell.ok} if cell else dict.fromkeys(COUNTS)
            line |= {f"{name} {field}": value for field, value in own.items()}
        marks = sorted({*row.rank_marks, *(mark for marks in row.cell_marks for mark in marks)})
        line["notes"] = "; ".join(wide.footnotes[mark - 1] for mark in marks)
        held.append(known(line))
    return held


def known(line: dict[str, Cell]) -> dict[str, Cell]:
    """Turn each NaN into None."""
    return {name: None if isinstance(cell, float) and math.isnan(cell) else cell for name, cell in line.items()}


def flat(table: Table, row: Row, extras: Sequence[str], called: bool = False) -> dict[str, Cell]:
    """Lay a row out; ``low`` and ``high`` are the ends of an interval; ``name`` is what an activation is called."""
    counts = {failure.status: failure.count for failure in row.failures}
    failed = {str(status): counts.pop(str(status), 0) for status in Status if status is not Status.OK}
    versus, cost = row.versus or Interval(), row.cost
    step = cost.step if cost else Figure()
    cells: dict[str, Cell] = {
        **vars(table.group),
        "metric": table.metric_name,
        "unit": table.unit,
        "higher_is_better": table.higher_is_better,
        "activation": row.activation,
        **({"name": table.name(row.activation)} if called else {}),
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
    for name in extras:
        one = row.extras.get(name, Interval())
        label = written(name)
        label = f"metric_{label}" if label in cells else label
        cells |= {label: one.mean, f"{label}_low": one.low, f"{label}_high": one.high}
    cells["notes"] = "; ".join([*(table.footnotes[mark - 1] for mark in row.marks), *table.notes])
    return cells
