"""Which records may stand in one table: those of one task under the same settings, device and dtype."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...records.trial import Record, Status
from ...registry.spec import show


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
