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
    return Group(*_parts(record))


def _parts(record: Record) -> tuple[str, str, str, str]:
    own, known = record.trial.settings, record.resolved.get("task", {})
    device, dtype = own.get("device", known.get("device", "")), own.get("dtype", known.get("dtype", ""))
    return record.trial.task, settings_text(own) if own else "", str(device), str(dtype)


def grouped(records: Iterable[Record]) -> dict[Group, list[Record]]:
    """Sort records into groups; one that does not know its device joins those of its task and settings that do."""
    by_parts: dict[tuple[str, str, str, str], list[Record]] = {}  # tuples: a dataclass is hashed and compared in Python
    for record in records:
        by_parts.setdefault(_parts(record), []).append(record)
    found = {Group(*parts): held for parts, held in by_parts.items()}
    # A trial that ended well knows where it ran: if its record does not say so, it stands alone.
    lost = [
        g for g, held in found.items() if not (g.device and g.dtype) and not any(r.status is Status.OK for r in held)
    ]
    for vague in lost:
        same = [g for g in found if (g.task, g.settings) == (vague.task, vague.settings) and g.device and g.dtype]
        if same:
            found[min(same)] += found.pop(vague)
    return dict(sorted(found.items()))


def headings(groups: Iterable[Group]) -> dict[Group, str]:
    """Name groups: ``gmm``, ``gmm[epochs=3]``, and ``gmm@cuda/float32`` where only the device tells them apart."""
    names = {group: f"{group.task}[{group.settings}]".replace(" ", "").removesuffix("[]") for group in groups}
    held = list(names.values())
    return {
        group: f"{name}@{group.device}/{group.dtype}" if held.count(name) > 1 else name for group, name in names.items()
    }


def agree(records: Iterable[Record]) -> tuple[Mapping[str, Any], list[str]]:
    """Return what the newest record says about the task, and where the others disagree."""
    told = [r.about for r in sorted(records, key=lambda r: (r.started, r.trial.seed)) if r.about]
    if not told:
        return {}, ["no trial came far enough to tell its metric"]
    if all(about == told[-1] for about in told):  # nearly always, and quick: the rest would print every one of them
        return told[-1], []
    notes = []
    for name in told[-1]:
        values = Counter(json.dumps(about.get(name), sort_keys=True) for about in told)
        if len(values) > 1 and name != "plots":
            said = " or ".join(values)
            notes.append(f"the trials disagree on the task's {name} ({shorten(said)}); the newest one's is used")
    return told[-1], notes
