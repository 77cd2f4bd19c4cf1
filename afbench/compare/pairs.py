"""Pairs of costs of the same case, machine and kernels path in two folders, and why others cannot be compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..records.cost import Cost
from ..records.groups import settings_text
from ..records.wording import place, plural
from .places import Environments, machine_text, same_machine

FIELDS: dict[str, Callable[[Cost], str]] = {
    "kind": lambda cost: "alone" if cost.alone else "in a task's network",
    "task": lambda cost: cost.task,
    "settings": lambda cost: settings_text(cost.settings),
    "baseline": lambda cost: cost.baseline,
    "shape": lambda cost: "x".join(map(str, cost.shape)),
    "dtype": lambda cost: cost.dtype,
    "mode": lambda cost: cost.mode,
    "device": lambda cost: cost.device,
    "threads": lambda cost: str(cost.threads or ""),
    "activation": lambda cost: cost.activation,
}
"""The fields that two costs of the same case share: the name of each, and how to read it."""


@dataclass
class Pairs:
    """Pairs of a cost of A and a cost of B, the numbers without a partner, and what was refused."""

    both: list[tuple[Cost, Cost]] = field(default_factory=list)
    only_a: int = 0
    only_b: int = 0
    refused: list[str] = field(default_factory=list)


def identity(cost: Cost) -> tuple[str, ...]:
    """Return the values that two costs of the same case share."""
    return tuple(read(cost) for read in FIELDS.values())


def case_text(cost: Cost) -> str:
    """Describe a cost's case in a line, without the activation."""
    if cost.alone:
        return f"{FIELDS['shape'](cost)} {cost.dtype}, {cost.mode}, {place(cost)}"
    settings = FIELDS["settings"](cost)
    return f"{cost.task}{f' ({settings})' if settings else ''}, {place(cost)}"


def pair(a: Sequence[Cost], b: Sequence[Cost], known: Environments) -> Pairs:
    """Find the pairs: of several costs of one case, the newest ones that can be compared."""
    left, right = by_case(a), by_case(b)
    pairs = Pairs(only_a=len(left.keys() - right.keys()), only_b=len(right.keys() - left.keys()))
    count_by_reason: dict[str, int] = {}
    for case in sorted(left.keys() & right.keys()):
        reasons = []
        for one, other in ((one, other) for other in right[case] for one in left[case]):
            reason = hindrance(one, other, known)
            if not reason:
                pairs.both.append((one, other))
                break
            reasons.append(reason)
        else:
            count_by_reason[reasons[0]] = count_by_reason.get(reasons[0], 0) + 1
    pairs.refused = [f"{reason} ({count} {plural('cost', count)})" for reason, count in count_by_reason.items()]
    if a and b and not left.keys() & right.keys():
        pairs.refused.append(f"no cost of A has the same case as one of B: {apart(a, b)}")
    return pairs


def by_case(costs: Sequence[Cost]) -> dict[tuple[str, ...], list[Cost]]:
    """Group costs by case, the newest first."""
    costs_by_case: dict[tuple[str, ...], list[Cost]] = {}
    for cost in sorted(costs, key=lambda cost: cost.measured, reverse=True):
        costs_by_case.setdefault(identity(cost), []).append(cost)
    return costs_by_case


def hindrance(a: Cost, b: Cost, known: Environments) -> str:
    """Explain why two costs of one case cannot be compared; empty if they can."""
    places = [cost.environment for cost in (a, b)]
    same = same_machine(places[0], places[1], known)
    if not same:
        why = "the machines differ" if same is False else "the machines may differ"
        return f"{why}: {machine_text(places[0], known)} in A, {machine_text(places[1], known)} in B"
    for name, key in (("number of jobs", "concurrency"), ("kernels path", "kernels")):
        read = [value_of(cost, key) for cost in (a, b)]
        if all(read) and read[0] != read[1]:
            return f"the {name} differs: {read[0]} in A, {read[1]} in B"
    return ""


def value_of(cost: Cost, name: str) -> str:
    """Read the kernels path (a failed cost may have none: empty) or the number of concurrent jobs (1 by default)."""
    if name == "concurrency":
        return str(cost.concurrency)
    return str(cost.versions.get(name) or "")


def apart(a: Sequence[Cost], b: Sequence[Cost]) -> str:
    """Explain how two sets of costs differ: the fields without a common value."""
    differences = []
    for name, read in FIELDS.items():
        left, right = ({read(cost) for cost in side} for side in (a, b))
        if not left & right:
            differences.append(f"{name} {listed(left)} in A, {listed(right)} in B")
    return "; ".join(differences) or "each value is in both folders, but no combination of values is"


def listed(values: set[str]) -> str:
    """Name at most three values."""
    names = sorted(value or "none" for value in values)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
