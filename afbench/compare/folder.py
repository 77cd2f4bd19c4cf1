"""One of the two folders: its results, and their machines, software and commits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..records.store import Store, content

Environments = Mapping[str, Mapping[str, Any]]
SAME = ("system", "architecture", "processor", "cores", "cuda")
"""Fields that are equal in all descriptions of one machine. Its kernel release may change."""
MEMORY = 0.05
"""The reported memory of one machine may differ by this share: the system reserves a varying part."""


@dataclass(frozen=True)
class Side:
    """A folder in the report: its path, commits, machines, dates, and numbers of trials and costs."""

    path: str
    commits: tuple[str, ...]
    machines: tuple[str, ...]
    dates: tuple[str, ...]
    trials: int
    costs: int


def kinds_in(store: Store) -> str:
    """Name what a folder holds: ``trials``, ``costs``, ``trials and costs``, or ``nothing readable``."""
    kinds = [word for word, content in (("trials", store.records()), ("costs", store.costs())) if content]
    return " and ".join(kinds) or "nothing readable"


def environment_ids(store: Store) -> set[str]:
    """Return the environments of a folder's results."""
    return {record.environment for record in store.records()} | {cost.environment for cost in store.costs()}


def side_of(store: Store, known: Environments) -> Side:
    """Describe a folder. A cost has its own commit; a trial has the commit of the last run in its environment."""
    records, costs = store.records(), store.costs()
    ran = {record.environment for record in records} & known.keys()
    commits = {str(known[place].get("commit") or "") for place in ran} | {cost.commit for cost in costs}
    dates = {cost.measured[:10] for cost in costs} | {record.started[:10] for record in records}
    machines = {machine_text(place, known) for place in environment_ids(store) if place}
    first, second, third = (tuple(sorted(values - {""})) for values in (commits, machines, dates))
    return Side(str(store.path), first, second, third, len(records), len(costs))


def environments(path: Path) -> dict[str, Mapping[str, Any]]:
    """Read the environments of a results folder by id; other files are left out."""
    environment_by_id: dict[str, Mapping[str, Any]] = {}
    for file in sorted((path / "environments").glob("*.json")):
        try:
            environment = json.loads(content(file))
        except (ValueError, OSError, RecursionError):
            continue
        if isinstance(environment, dict) and isinstance(environment.get("machine"), dict):
            environment_by_id[file.stem] = environment
    return environment_by_id


def same_machine(a: str, b: str, known: Environments) -> bool | None:
    """Tell whether two environments are of one machine; None if it is unknown."""
    if a == b and a:
        return True
    if a not in known or b not in known:
        return None
    machines = known[a]["machine"], known[b]["machine"]
    if any(machines[0].get(name) != machines[1].get(name) for name in SAME):
        return False
    sizes = [machine.get("memory_bytes") for machine in machines]
    if not all(isinstance(size, int) and size > 0 for size in sizes):
        return True
    return bool(max(sizes) <= (1 + MEMORY) * min(sizes))


def machines_differ(a: str, b: str, known: Environments) -> str:
    """Explain why the results of two environments cannot be compared; empty if both are of one machine."""
    same = same_machine(a, b, known)
    verb = "" if same else "differ" if same is False else "may differ"
    return f"the machines {verb}: {machine_text(a, known)} in A, {machine_text(b, known)} in B" if verb else ""


def machine_text(environment: str, known: Environments) -> str:
    """Name a machine: processor, cores, memory, GPUs."""
    if environment not in known:
        return f"environment {environment or 'unknown'} without a description"
    machine = known[environment]["machine"]
    memory = machine.get("memory_bytes")
    parts = [str(machine.get("processor") or "unknown processor"), f"{machine.get('cores')} cores"]
    parts += [f"{memory / 2**30:.0f} GiB"] if isinstance(memory, int) else []
    parts += [str(name) for name in machine.get("cuda") or []]
    return ", ".join(parts)


def changed_between(a: Iterable[str], b: Iterable[str], known: Environments) -> list[str]:
    """List the software and settings that differ between the environments of A and B: ``torch 2.11.0 -> 2.13.0``."""
    before, after = ([described(known[name]) for name in sorted(set(names)) if name in known] for names in (a, b))
    changes = []
    for name in dict.fromkeys(name for values in (*before, *after) for name in values):
        left, right = (" | ".join(sorted({values.get(name, "none") for values in side})) for side in (before, after))
        if before and after and left != right:
            changes.append(f"{name} {left} -> {right}")
    return changes


def described(environment: Mapping[str, Any]) -> dict[str, str]:
    """Return as text what may change on one machine."""
    texts = {"python": str(environment.get("python"))}
    for part in ("packages", "variables"):
        inner = environment.get(part)
        texts |= {str(k): str(v or "none") for k, v in inner.items()} if isinstance(inner, Mapping) else {}
    return texts | {"kernel release": str(environment["machine"].get("release"))}
