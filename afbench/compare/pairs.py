"""Which costs of two folders may be compared: the same case, machine and kernels path; and why others may not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..records.groups import settings_text
from ..report.tables.cost_tables import is_alone, place
from .places import Environments, machine_text, same_machine

Cost = Mapping[str, Any]
FIELDS: dict[str, Callable[[Cost], str]] = {
    "kind": lambda cost: "alone" if is_alone(cost) else "in a task's network",
    "task": lambda cost: str(cost.get("task") or ""),
    "settings": lambda cost: settings_text(cost.get("settings") or {}),
    "baseline": lambda cost: str(cost.get("baseline") or ""),
    "shape": lambda cost: "x".join(map(str, cost.get("shape") or ())),
    "dtype": lambda cost: str(cost.get("dtype") or ""),
    "mode": lambda cost: str(cost.get("mode") or ""),
    "device": lambda cost: str(cost.get("device") or ""),
    "threads": lambda cost: str(cost.get("threads") or ""),
    "activation": lambda cost: str(cost.get("activation") or ""),
}
"""What makes two costs the same case: name, and how it is read."""


@dataclass
class Pairs:
    """Costs of A with their partner of B, how many have none, and what was refused."""

    both: list[tuple[Cost, Cost]] = field(default_factory=list)
    only_a: int = 0
    only_b: int = 0
    refused: list[str] = field(default_factory=list)


def identity(cost: Cost) -> tuple[str, ...]:
    """Return what two costs must share to be of one case."""
    return tuple(read(cost) for read in FIELDS.values())


def case_text(cost: Cost) -> str:
    """Say a cost's case in a line, without the activation."""
    if is_alone(cost):
        return f"{FIELDS['shape'](cost)} {cost.get('dtype')}, {cost.get('mode')}, {place(cost)}"
    settings = FIELDS["settings"](cost)
    return f"{cost.get('task')}{f' ({settings})' if settings else ''}, {place(cost)}"


def pair(a: Sequence[Cost], b: Sequence[Cost], known: Environments) -> Pairs:
    """Find the pairs; of several costs of one case the newest that fit each other are taken."""
    left, right = by_case(a), by_case(b)
    found = Pairs(only_a=len(left.keys() - right.keys()), only_b=len(right.keys() - left.keys()))
    why: dict[str, int] = {}
    for case in sorted(left.keys() & right.keys()):
        reasons = []
        for one, other in ((one, other) for other in right[case] for one in left[case]):
            reason = hindrance(one, other, known)
            if not reason:
                found.both.append((one, other))
                break
            reasons.append(reason)
        else:
            why[reasons[0]] = why.get(reasons[0], 0) + 1
    found.refused = [f"{reason} ({count} costs)" for reason, count in why.items()]
    if a and b and not left.keys() & right.keys():
        found.refused.append(f"costs have no common case: {apart(a, b)}")
    return found


def by_case(costs: Sequence[Cost]) -> dict[tuple[str, ...], list[Cost]]:
    """Sort costs by case, the newest first."""
    found: dict[tuple[str, ...], list[Cost]] = {}
    for cost in sorted(costs, key=lambda cost: str(cost.get("measured") or ""), reverse=True):
        found.setdefault(identity(cost), []).append(cost)
    return found


def hindrance(a: Cost, b: Cost, known: Environments) -> str:
    """Say why two costs of one case may not be compared; empty if they may."""
    places = [str(cost.get("environment") or "") for cost in (a, b)]
    same = same_machine(places[0], places[1], known)
    if not same:
        told = "times are of another machine" if same is False else "times are of machines that cannot be told apart"
        return f"{told}: {machine_text(places[0], known)} in A, {machine_text(places[1], known)} in B"
    for name, held in (("concurrency", "concurrency"), ("kernels path", "kernels")):
        read = [value_of(cost, held) for cost in (a, b)]
        if all(read) and read[0] != read[1]:
            return f"times are of another {name}: {read[0]} in A, {read[1]} in B"
    return ""


def value_of(cost: Cost, name: str) -> str:
    """Read the kernels path (empty if a cost that failed has none), or how many jobs ran at a time (if not told, 1)."""
    if name == "concurrency":
        return str(cost.get("concurrency") or 1)
    return str((cost.get("versions") or {}).get(name) or "")


def apart(a: Sequence[Cost], b: Sequence[Cost]) -> str:
    """Say in what two sets of costs differ: the fields in which they share nothing, else how they combine."""
    said = []
    for name, read in FIELDS.items():
        left, right = ({read(cost) for cost in side} for side in (a, b))
        if not left & right:
            said.append(f"{name} {listed(left)} in A, {listed(right)} in B")
    return "; ".join(said) or "each field is held by both, though never together"


def listed(values: set[str]) -> str:
    """Name at most three values."""
    names = sorted(value or "none" for value in values)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
