"""Tables for machines: one line an activation, the same names for all tables, nothing rounded."""

from __future__ import annotations

import csv as writer
import io
import math
from collections.abc import Sequence

from ..stats import LEVEL, Interval
from ..trial import Status
from .rows import Row, Table

Cell = str | int | float | None


def csv(tables: Sequence[Table]) -> str:
    """Print tables as CSV with one header. Empty is what was not measured; truths are ``true`` and ``false``."""
    held, out = lines(tables), io.StringIO()
    if held:
        rows = writer.DictWriter(out, list(held[0]), lineterminator="\n")
        rows.writeheader()
        rows.writerows({n: str(c).lower() if isinstance(c, bool) else c for n, c in line.items()} for line in held)
    return out.getvalue()


def lines(tables: Sequence[Table]) -> list[dict[str, Cell]]:
    """Lay tables out as one dict an activation, ready for JSON: what was not measured is None, never NaN."""
    extras = list(dict.fromkeys(name for table in tables for name in table.extras))
    held = [flat(table, row, extras) for table in tables for row in table.rows]
    return [{n: None if isinstance(c, float) and math.isnan(c) else c for n, c in line.items()} for line in held]


def flat(table: Table, row: Row, extras: Sequence[str]) -> dict[str, Cell]:
    """Lay a row out; ``low`` and ``high`` are the ends of an interval."""
    counts = {failure.status: failure.count for failure in row.failures}
    failed = {str(status): counts.pop(str(status), 0) for status in Status if status is not Status.OK}
    versus, step = row.versus or Interval(), row.cost
    quartiles = (step.quartiles if step else None) or (None, None)
    cells: dict[str, Cell] = {
        **vars(table.group),
        "metric": table.metric,
        "unit": table.unit,
        "higher_is_better": table.higher_is_better,
        "activation": row.activation,
        "is_baseline": row.is_baseline,
        "trials": len(row.seeds),
        "ok": row.ok,
        **failed,
        "no_metric": sum(counts.values()),
        "mean": row.mean.mean,
        "low": row.mean.low,
        "high": row.mean.high,
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
        "cost_baseline": table.costs.baseline if step and not step.failure else "",
        "step_ratio": step.step if step else None,
        "step_low_quartile": quartiles[0],
        "step_high_quartile": quartiles[1],
        "saved_ratio": step.saved if step else None,
        "published": row.published,
        "published_source": table.source if row.published is not None else "",
    }
    for name in extras:
        one = row.extras.get(name, Interval())
        label = f"metric_{name}" if name in cells else name
        cells |= {label: one.mean, f"{label}_low": one.low, f"{label}_high": one.high}
    cells["notes"] = "; ".join([*(table.footnotes[mark - 1] for mark in row.marks), *table.notes])
    return cells
