"""Which records share a row of a table: one activation and one source each, where a user edited their own code."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from .trial import Record, Status

OLDER = " (older code "
"""Follows the spec in the name of a row of older code; the source follows it."""


def members(records: Iterable[Record]) -> tuple[dict[str, list[Record]], list[str]]:
    """Sort the records of a group by row, in the order of the rows' names; returns them with notes for the reader.

    Records of two sources never share a row. The newest source of an activation and of the task has the row named like
    the spec; rows of older sources are named ``snake (older code 9f3c)``. A record without a source (its process died
    before it could tell) counts among the newest. Of two records of one seed the newest counts.
    """
    by_activation: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda r: (r.started, r.key)):
        by_activation.setdefault(record.trial.activation, []).append(record)
    sourced = [record for same in by_activation.values() for record in same if record.source and parts(record)]
    task = parts(max(sourced, key=lambda r: r.started, default=None)).get("task", "")
    rows: dict[str, dict[int, Record]] = {}
    twice: dict[str, set[int]] = {}
    for name, same in by_activation.items():
        sources = [(record, parts(record)) for record in same]
        current = [
            source.get("activation", "")
            for record, source in sources
            if (source or record.versions) and source.get("task", "") == task
        ]
        newest = (task, current[-1] if current else "")
        for record, source in sources:
            untold = not (source or record.versions)
            label = name
            if not untold and (source.get("task", ""), source.get("activation", "")) != newest:
                label += f"{OLDER}{' '.join(part[:4] for part in source.values()) or 'unknown'})"
            row = rows.setdefault(label, {})
            if record.trial.seed in row:
                twice.setdefault(label, set()).add(record.trial.seed)
            row[record.trial.seed] = record
    notes = [
        f"{label} has several records of seed {', '.join(map(str, sorted(seeds)))}; the newest counts"
        for label, seeds in sorted(twice.items())
    ]
    return {label: list(rows[label].values()) for label in sorted(rows)}, notes


def parts(record: Record | None) -> Mapping[str, str]:
    """Read a record's sources by kind: ``activation=9f3c task=1a2b``; empty if all its code comes with afbench."""
    pieces = [piece.partition("=") for piece in record.source.split()] if record and record.source else []
    return {kind: source for kind, equals, source in pieces if equals}


def is_older(label: str) -> bool:
    """Tell whether a row is one of older code."""
    return OLDER in label


def spec_of(label: str) -> str:
    """Return a row's spec."""
    return label.partition(OLDER)[0]


def values(records: Sequence[Record], metric: str) -> dict[int, float]:
    """Return a metric by seed, of the trials that ended well with a finite number."""
    by_seed = {r.trial.seed: r.metrics[metric] for r in records if r.status is Status.OK and metric in r.metrics}
    return {seed: float(by_seed[seed]) for seed in sorted(by_seed) if math.isfinite(by_seed[seed])}
