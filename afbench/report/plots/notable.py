"""Which activations and which seed a plot shows that has no room for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ...errors import UsageError
from ...records.wording import ranges
from .trials import Trials


def roles(trials: Trials) -> dict[str, str]:
    """Say what the notable activations are by their means over seeds: best, runner-up, baseline, worst."""
    ranked = list(trials.ok)
    baseline = [trials.baseline] if trials.baseline else []
    held = {"best": ranked[:1], "runner-up": ranked[1:2], "baseline": baseline, "worst": ranked[2:][-1:]}
    found: dict[str, list[str]] = {}
    for role, names in held.items():
        for name in names:
            found.setdefault(name, []).append(role)
    return {name: ", ".join(its) for name, its in found.items()}


def notable(trials: Trials, among: Iterable[str], count: int = 4) -> tuple[str, ...]:
    """Choose up to four activations by importance: best, baseline, runner-up, worst; the best mean comes first."""
    known, among = roles(trials), list(among)
    important = ("best", "baseline", "runner-up", "worst")
    by_role = [name for role in important for name in known if role in known[name] and name in among]
    chosen = list(dict.fromkeys([*by_role, *among[:1]]))[:count]
    return tuple(name for name in trials.ok if name in chosen)


def chosen(trials: Trials, holding: Mapping[str, Sequence[int]], count: int = 4) -> tuple[str, ...]:
    """List the activations to show: those that were asked for, else the notable ones; as many as share a seed."""
    asked = tuple(name for name in trials.named if name in holding)
    if asked and trials.explicit.issuperset(asked):
        return asked
    return together(holding, asked or notable(trials, holding, count))


def together(holding: Mapping[str, Sequence[int]], names: Sequence[str]) -> tuple[str, ...]:
    """Keep of the chosen activations as many as share a seed; those before others in the list are kept first."""
    kept: dict[str, set[int]] = {}
    for name in names:
        if not kept or set.intersection(*kept.values(), set(holding[name])):
            kept[name] = set(holding[name])
    return tuple(kept)


def one_seed(trials: Trials, holding: Mapping[str, Sequence[int]], seed: int | None) -> tuple[int, str]:
    """Choose a seed that all activations have, and say how.

    Args:
        trials: the trials.
        holding: the activations to show, with their seeds.
        seed: the seed asked for; if None the median one, by the mean metric of the activations.

    Raises:
        UsageError: if the activations do not have such a seed in common.
    """
    common = sorted(set.intersection(*(set(seeds) for seeds in holding.values())))
    names = ", ".join(holding)
    if not common:
        raise UsageError(f"no seed of {names} in {trials.label} ended well for all of them: name fewer activations")
    if seed is not None and seed not in common:
        raise UsageError(f"no seed {seed} of {names} in {trials.label} (in common: {ranges(common)})")
    if seed is not None or len(common) == 1:
        return common[0] if seed is None else seed, f"Seed {common[0] if seed is None else seed}."
    by_mean = sorted(common, key=lambda one: (np.mean([trials.score(name, one) for name in holding]), one))
    median = by_mean[(len(common) - 1) // 2]
    return median, f"Seed {median}, the median of {len(common)} by the mean {trials.metric} of the activations shown."
