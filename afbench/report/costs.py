"""The costs that belong beside a table: measured for its task and settings, beside one baseline, on one machine."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..cost.busy import too_busy
from ..records.groups import Group, settings_text


@dataclass(frozen=True)
class Cost:
    """What a training step takes, as ratios to the baseline's: time (median, quartiles), bytes saved for backward."""

    step: float | None = None
    quartiles: tuple[float, float] | None = None
    saved: float | None = None
    failure: str = ""
    unstable: tuple[str, ...] = ()
    """Why the step's time is unstable; empty if it is not."""


@dataclass(frozen=True)
class Costs:
    """The costs of a table's activations, and what their caption must say."""

    by_activation: Mapping[str, Cost] = field(default_factory=dict)
    baseline: str = ""
    device: str = ""
    threads: int | None = None
    notes: tuple[str, ...] = ()
    busy: str = ""
    """Why no step time is shown: the machine was too busy to time on."""


def costs_of(group: Group, held: Iterable[Mapping[str, Any]], baseline: str) -> Costs:
    """Choose from the costs of a store those that fit a table; a store without any gives empty ``Costs``.

    Ratios to different baselines, or from different machines, do not compare: those to ``baseline`` win (else those to
    the most frequent one), then those of the environment that measured the most, then the newest.
    """
    fits = [cost for cost in held if belongs(cost, group)]
    if not fits:
        return Costs()
    bases = Counter(str(cost.get("baseline", "")) for cost in fits)
    chosen = baseline if baseline in bases else max(sorted(bases), key=lambda name: bases[name])
    fits = [cost for cost in fits if str(cost.get("baseline", "")) == chosen]
    places: dict[str, list[Mapping[str, Any]]] = {}
    for cost in fits:
        places.setdefault(str(cost.get("environment", "")), []).append(cost)
    shown = max(sorted(places), key=lambda e: (len(places[e]), max(str(c.get("measured", "")) for c in places[e])))
    several = f"costs were measured in {len(places)} environments; those of {shown} are shown"
    threads = {cost.get("threads") for cost in places[shown] if cost.get("threads")}
    found = {chosen: Cost(1.0, None, 1.0)}  # the baseline beside itself: so by definition, measured or not
    newest_last = sorted(places[shown], key=lambda cost: str(cost.get("measured", "")))
    latest = {str(cost.get("activation", "")): cost for cost in newest_last}
    found |= {name: read(cost) for name, cost in latest.items()}
    return Costs(
        found,
        chosen,
        group.device,
        threads.pop() if len(threads) == 1 else None,
        (several,) if len(places) > 1 else (),
        too_busy(latest.values()),
    )


def belongs(cost: Mapping[str, Any], group: Group) -> bool:
    """Tell whether a cost was measured for a group: same task, same settings, same kind of device."""
    settings, device = cost.get("settings") or {}, str(cost.get("device") or "")
    same = cost.get("task") == group.task and settings_text(settings) == group.settings
    return same and device.partition(":")[0] in ("", group.device.partition(":")[0])


def read(cost: Mapping[str, Any]) -> Cost:
    """Read a cost file; what it lacks stays None."""
    if cost.get("status", "ok") != "ok":
        message = str((cost.get("error") or {}).get("message", ""))
        return Cost(failure=" ".join(f"{cost['status']} {message}".split()))
    step, saved = cost.get("step") or {}, cost.get("saved") or {}
    ends = [number(end) for end in step.get("quartiles") or ()]
    quartiles = (ends[0], ends[1]) if len(ends) == 2 and ends[0] is not None and ends[1] is not None else None
    why = step.get("unstable")
    unstable = tuple(str(reason) for reason in why) if isinstance(why, list) else ()
    return Cost(number(step.get("ratio")), quartiles, number(saved.get("ratio")), unstable=unstable)


def number(value: object) -> float | None:
    """Return a finite number, or None."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return None
