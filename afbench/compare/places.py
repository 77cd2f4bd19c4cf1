"""Where results come from: the machines and commits that a folder's environments describe."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..records.store import content

Environments = Mapping[str, Mapping[str, Any]]
SAME = ("system", "architecture", "processor", "cores", "cuda")
"""What two descriptions of one machine share. The kernel's release may change on it."""
MEMORY = 0.05
"""Share by which the memory of one machine may differ: the system keeps more or less of it for itself."""


def environments(path: Path) -> dict[str, Mapping[str, Any]]:
    """Read the environments of a results folder by id; what is no environment is left out."""
    found: dict[str, Mapping[str, Any]] = {}
    for file in sorted((path / "environments").glob("*.json")):
        try:
            held = json.loads(content(file))
        except (ValueError, OSError, RecursionError):
            continue
        if isinstance(held, dict) and isinstance(held.get("machine"), dict):
            found[file.stem] = held
    return found


def same_machine(a: str, b: str, known: Environments) -> bool | None:
    """Tell whether two environments are of one machine; None if that cannot be known."""
    if a == b and a:
        return True
    if a not in known or b not in known:
        return None
    one, other = known[a]["machine"], known[b]["machine"]
    if any(one.get(name) != other.get(name) for name in SAME):
        return False
    sizes = [machine.get("memory_bytes") for machine in (one, other)]
    if not all(isinstance(size, int) and size > 0 for size in sizes):
        return True
    return bool(max(sizes) <= (1 + MEMORY) * min(sizes))


def machine_text(environment: str, known: Environments) -> str:
    """Name a machine: processor, cores, memory, GPUs."""
    if environment not in known:
        return f"environment {environment or 'unknown'}, which is not described"
    held = known[environment]["machine"]
    memory = held.get("memory_bytes")
    parts = [str(held.get("processor") or "unknown processor"), f"{held.get('cores')} cores"]
    parts += [f"{memory / 2**30:.0f} GiB"] if isinstance(memory, int) else []
    parts += [str(name) for name in held.get("cuda") or []]
    return ", ".join(parts)


def changed_between(a: Iterable[str], b: Iterable[str], known: Environments) -> list[str]:
    """Say what software and settings differ between the environments of two sides: ``torch 2.11.0 -> 2.13.0``."""
    before, after = ([described(known[name]) for name in sorted(set(names)) if name in known] for names in (a, b))
    said = []
    for name in dict.fromkeys(name for held in (*before, *after) for name in held):
        left, right = (" | ".join(sorted({held.get(name, "none") for held in side})) for side in (before, after))
        if before and after and left != right:
            said.append(f"{name} {left} -> {right}")
    return said


def described(held: Mapping[str, Any]) -> dict[str, str]:
    """List what may change on one machine, as text."""
    found = {"python": str(held.get("python"))}
    for part in ("packages", "variables"):
        inner = held.get(part)
        found |= {str(k): str(v or "none") for k, v in inner.items()} if isinstance(inner, Mapping) else {}
    return found | {"kernel release": str(held["machine"].get("release"))}
