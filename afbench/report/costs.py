"""The costs of a table: of its task and settings, relative to one baseline, from one machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..cost.busy import too_busy
from ..records.cost import Cost, Figure, Timing
from ..records.groups import Group, settings_text


@dataclass(frozen=True)
class Costs:
    """The costs of a table's activations, and what the caption must say about them."""

    by_activation: Mapping[str, Cost] = field(default_factory=dict)
    baseline: str = ""
    device: str = ""
    threads: int | None = None
    notes: tuple[str, ...] = ()
    busy: str = ""
    """Why no step time is shown: the machine was too busy for timing."""


def costs_of(group: Group, costs: Iterable[Cost], baseline: str) -> Costs:
    """Choose from the costs of a store those that fit a table; a store without any gives empty ``Costs``.

    Ratios to different baselines, or from different machines, do not compare: those to ``baseline`` win (else those to
    the most frequent one), then those of the environment that measured the most, then the newest.
    """
    fits = [cost for cost in costs if belongs(cost, group)]
    if not fits:
        return Costs()
    bases = Counter(cost.baseline for cost in fits)
    chosen = baseline if baseline in bases else max(sorted(bases), key=lambda name: bases[name])
    places: dict[str, list[Cost]] = {}
    for cost in fits:
        if cost.baseline == chosen:
            places.setdefault(cost.environment, []).append(cost)
    shown = max(sorted(places), key=lambda place: (len(places[place]), max(cost.measured for cost in places[place])))
    several = f"costs were measured in {len(places)} environments; those of {shown} are shown"
    threads = {cost.threads for cost in places[shown] if cost.threads}
    latest = {cost.activation: cost for cost in sorted(places[shown], key=lambda cost: cost.measured)}
    return Costs(
        {chosen: unit(chosen), **latest},
        chosen,
        group.device,
        threads.pop() if len(threads) == 1 else None,
        (several,) if len(places) > 1 else (),
        too_busy(latest.values()),
    )


def belongs(cost: Cost, group: Group) -> bool:
    """Tell whether a cost was measured for a group: same task, same settings, same kind of device."""
    same = cost.task == group.task and settings_text(cost.settings) == group.settings
    return same and cost.device.partition(":")[0] in ("", group.device.partition(":")[0])


def unit(baseline: str) -> Cost:
    """Return the cost of a baseline that was not measured: its ratios to itself are 1 by definition."""
    step = Timing(ratios={baseline: Figure(1.0)})
    return Cost("", baseline, baseline=baseline, times={"step": step}, saved={"ratio": 1.0})
