"""Which records may stand in one table: those of one task under the same settings, device and dtype."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..registry.spec import show
from .trial import Record, Status
from .wording import shorten


@dataclass(frozen=True, order=True)
class Group:
    """What a table's records share. ``settings`` is the text of those that differ from the task's defaults."""

    task: str
    settings: str = ""
    device: str = ""
    dtype: str = ""


def settings_text(settings: Mapping[str, Any]) -> str:
    """Print settings in their canonical form.

    >>> settings_text({"lr": 0.01, "epochs": 3})
    'epochs=3, lr=0.01'
    """
    return ", ".join(f"{name}={show(value)}" for name, value in sorted(settings.items()))


def group_of(record: Record) -> Group:
    """Read a record's group; device and dtype are empty if the trial died before it could tell."""
    return Group(*parts_of(record))


def parts_of(record: Record) -> tuple[str, str, str, str]:
    """Return the fields of a record's group: tuples are hashed and compared faster than dataclasses."""
    own, resolved = record.trial.settings, record.resolved.get("task", {})
    device, dtype = own.get("device", resolved.get("device", "")), own.get("dtype", resolved.get("dtype", ""))
    return record.trial.task, settings_text(own) if own else "", str(device), str(dtype)


def grouped(records: Iterable[Record]) -> dict[Group, list[Record]]:
    """Sort records into groups; one that does not know its device joins those of its task and settings that do."""
    by_parts: dict[tuple[str, str, str, str], list[Record]] = {}
    for record in records:
        by_parts.setdefault(parts_of(record), []).append(record)
    groups = {Group(*parts): members for parts, members in by_parts.items()}
    # A trial that ended well knows where it ran: if its record does not say so, it has a group of its own.
    unplaced = [
        group
        for group, members in groups.items()
        if not (group.device and group.dtype) and not any(r.status is Status.OK for r in members)
    ]
    for lost in unplaced:
        same = [g for g in groups if (g.task, g.settings) == (lost.task, lost.settings) and g.device and g.dtype]
        if same:
            groups[min(same)] += groups.pop(lost)
    return dict(sorted(groups.items()))


def headings(groups: Iterable[Group]) -> dict[Group, str]:
    """Name groups: ``gmm``, ``gmm[epochs=3]``, and ``gmm@cuda/float32`` where only the device tells them apart."""
    names = {group: f"{group.task}[{group.settings}]".replace(" ", "").removesuffix("[]") for group in groups}
    words = list(names.values())
    return {
        group: f"{name}@{group.device}/{group.dtype}" if words.count(name) > 1 else name
        for group, name in names.items()
    }


def agree(records: Iterable[Record]) -> tuple[Mapping[str, Any], list[str]]:
    """Return what the newest record says about the task, and where the others disagree."""
    descriptions = [r.about for r in sorted(records, key=lambda r: (r.started, r.trial.seed)) if r.about]
    if not descriptions:
        return {}, ["every trial failed before its metric was known"]
    newest = descriptions[-1]
    if all(about == newest for about in descriptions):  # nearly always, and quick: the rest prints every one of them
        return newest, []
    notes = []
    for name in newest:
        values = Counter(json.dumps(about.get(name), sort_keys=True) for about in descriptions)
        if len(values) > 1 and name != "plots":
            words = shorten(" or ".join(values))
            notes.append(f"the trials disagree on the task's {name} ({words}); the newest record's is used")
    return newest, notes
