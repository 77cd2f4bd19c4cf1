"""Make tables of records: means and intervals over seeds, paired differences to a baseline, costs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..records.groups import Group, agree, grouped
from ..records.members import is_older, values
from ..records.members import members as rows_of
from ..records.store import Store
from ..records.trial import Record, Status
from ..registry.spec import BASELINE
from ..statistics.intervals import Interval, differences, intervals
from ..statistics.metric import bounds_of, written
from ..statistics.modes import modes
from ..statistics.significance import ALPHA, can_reach, holm, sign_flips
from .costs import Costs, costs_of
from .tables.arrange import arranged
from .tables.footnotes import failures, mixtures, own_mixtures
from .tables.rows import Published, Row, Table

Scores = Mapping[str, Mapping[int, float]]
"""The main metric by activation and seed, of the trials that gave a finite number."""


def tables(store: Store, baseline: str = BASELINE, published: Mapping[str, Published] | None = None) -> list[Table]:
    """Make the tables of a results folder: one for each task, settings, device and dtype in it.

    Args:
        store: the results folder; ``store.problems`` names the files that could not be read.
        baseline: the canonical spec that all others are compared with.
        published: a paper's numbers by task.

    Raises:
        UsageError: if a later afbench wrote a record.
    """
    groups, costs = grouped(store.records()), store.costs()
    return [
        summarise(group, members, costs_of(group, costs, baseline), baseline, (published or {}).get(group.task))
        for group, members in groups.items()
    ]


def summarise(
    group: Group, records: Sequence[Record], costs: Costs, baseline: str, published: Published | None = None
) -> Table:
    """Make the table of one group of records."""
    about, notes = agree(records)
    metric, higher = str(about.get("metric") or "metric"), bool(about.get("higher_is_better", True))
    by_row, twice = rows_of(records)
    records, notes = [record for same in by_row.values() for record in same], [*notes, *twice]
    scores = {name: values(same, metric) for name, same in by_row.items()}
    extras = tuple(dict.fromkeys(name for r in records for name in r.metrics if name != metric))
    seeds = tuple(sorted({record.trial.seed for record in records}))

    names = list(by_row)
    bounds = bounds_of(about, metric)
    means = intervals((scores[name].values() for name in names), bounds=bounds)
    others = {
        extra: intervals((values(by_row[name], extra).values() for name in names), bounds=bounds_of(about, extra))
        for extra in extras
    }
    rows = [
        row(name, by_row[name], mean, {extra: own[i] for extra, own in others.items()}, metric, scores[name])
        for i, (name, mean) in enumerate(zip(names, means, strict=True))
    ]
    rows = [
        replace(
            r,
            cost=costs.by_activation.get(r.activation),
            published=published.values.get(r.activation) if published else None,
        )
        for r in compared(rows, scores, baseline)
    ]
    if not scores.get(baseline):
        why = "has no number" if baseline in by_row else "is not among the results"
        notes.append(f"no paired differences: the baseline {baseline} {why}")
    counted = [r for name, same in by_row.items() for r in same if r.trial.seed in scores[name]]
    comparisons = [r.versus.n for r in rows if r.versus is not None]
    table = Table(
        group=group,
        headline=str(about.get("headline") or ""),
        metric=metric,
        unit=str(about.get("unit") or ""),
        higher_is_better=higher,
        target=about.get("target"),
        references=about.get("references") or {},
        baseline=baseline,
        rows=tuple(rows),
        seeds=seeds,
        extras=extras,
        comparisons=len(comparisons),
        testable=any(can_reach(n, len(comparisons)) for n in comparisons),
        costs=costs,
        bounds=bounds,
        source=published.source if published else "",
        notes=(*notes, *mixtures(counted), *costs.notes),
    )
    return arranged(table)


def row(
    name: str,
    records: Sequence[Record],
    mean: Interval,
    extras: Mapping[str, Interval],
    metric: str,
    scores: Mapping[int, float],
) -> Row:
    """Make an activation's row from its own records and the means of its metrics."""
    counts = [r.parameters["activation"] for r in records if "activation" in r.parameters]
    return Row(
        activation=name,
        seeds=tuple(sorted(record.trial.seed for record in records)),
        ok=len(scores),
        mean=mean,
        median=statistics.median(scores.values()) if scores else math.nan,
        modes=modes(scores.values()),
        extras=extras,
        parameters=max(counts, default=None),
        scores=scores,
        oddities=tuple(own_mixtures([record for record in records if record.status is Status.OK])),
        failures=failures(records, written(metric), scores),
    )


def compared(rows: Sequence[Row], scores: Scores, baseline: str) -> list[Row]:
    """Compare each row with the baseline over the seeds that both finished; adjust p-values for their number."""
    base = scores.get(baseline, {})
    gains = [
        [] if r.activation == baseline or is_older(r.activation) else differences(scores[r.activation], base)
        for r in rows
    ]
    raw = sign_flips(gains)
    return [
        replace(
            r,
            is_baseline=r.activation == baseline,
            versus=versus if gain else None,
            p=p,
            p_holm=adjusted,
            significant=adjusted <= ALPHA,
        )
        for r, gain, versus, p, adjusted in zip(rows, gains, intervals(gains), raw, holm(raw), strict=True)
    ]
