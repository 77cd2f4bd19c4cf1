"""A table's records by row: one activation each, and one source each, where code of a user's was edited in between."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from .trial import Record, Status

OLDER = " (older code "
"""Stands between an activation's spec and the source of a row whose code was edited since."""


def members(records: Iterable[Record]) -> tuple[dict[str, list[Record]], list[str]]:
    """Sort the records of a group by row, in the order of their names; returns them with what a reader must know.

    Records of two sources never share a row. The row of the newest source of an activation and of the task has the
    spec for its name, others are called ``snake (older code 9f3c)``. A record that does not say its source, since its
    process died before, counts among the newest. Of two records of one seed the newest counts.
    """
    by_activation: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda r: (r.started, r.key)):
        by_activation.setdefault(record.trial.activation, []).append(record)
    told = [record for held in by_activation.values() for record in held if record.source and parts(record)]
    task = parts(max(told, key=lambda r: r.started, default=None)).get("task", "")
    rows: dict[str, dict[int, Record]] = {}
    twice: dict[str, set[int]] = {}
    for name, held in by_activation.items():
        sources = [parts(record) for record in held]
        ours = [
            own.get("activation", "")
            for record, own in zip(held, sources, strict=True)
            if (own or record.versions) and own.get("task", "") == task
        ]
        newest = ours[-1] if ours else ""
        for record, own in zip(held, sources, strict=True):
            same = (own.get("task", ""), own.get("activation", "")) == (task, newest) or not (own or record.versions)
            label = name if same else f"{name}{OLDER}{' '.join(one[:4] for one in own.values()) or 'unknown'})"
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
    """Tell whether a row's code was edited since."""
    return OLDER in label


def spec_of(label: str) -> str:
    """Return a row's spec."""
    return label.partition(OLDER)[0]


def values(records: Sequence[Record], metric: str) -> dict[int, float]:
    """Return a metric by seed, of the trials that ended well with a finite number."""
    held = {r.trial.seed: r.metrics[metric] for r in records if r.status is Status.OK and metric in r.metrics}
    return {seed: float(held[seed]) for seed in sorted(held) if math.isfinite(held[seed])}
