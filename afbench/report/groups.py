"""Which records may stand in one table: those of one task under the same settings, device and dtype."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..spec import show
from ..trial import Record


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
    trial = record.trial
    known = {**record.resolved.get("task", {}), **trial.settings}
    return Group(trial.task, settings_text(trial.settings), str(known.get("device", "")), str(known.get("dtype", "")))


def grouped(records: Iterable[Record]) -> dict[Group, list[Record]]:
    """Sort records into groups; one that does not know its device joins those of its task and settings that do."""
    found: dict[Group, list[Record]] = {}
    for record in records:
        found.setdefault(group_of(record), []).append(record)
    for vague in [group for group in found if not (group.device and group.dtype)]:
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
