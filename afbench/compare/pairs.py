"""Pairs of costs of the same case, machine and kernels path in two folders, and why others cannot be compared."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..records.cost import Cost
from ..records.groups import settings_text
from ..records.wording import place, plural
from .folder import Environments, machines_differ

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
        for after, before in itertools.product(right[case], left[case]):
            reason = hindrance(before, after, known)
            if not reason:
                pairs.both.append((before, after))
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
    if why := machines_differ(a.environment, b.environment, known):
        return why
    if a.concurrency != b.concurrency:
        return f"the number of jobs differs: {a.concurrency} in A, {b.concurrency} in B"
    kernels = [cost.versions.get("kernels") for cost in (a, b)]  # a failed cost may have none
    if all(kernels) and kernels[0] != kernels[1]:
        return f"the kernels path differs: {kernels[0]} in A, {kernels[1]} in B"
    return ""


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
