"""The pages of a plot: the activations on each, and the pictures of one seed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import UsageError
from ...records.wording import ranges
from .arrays import holding
from .kind import Plot
from .trials import Arrays, Trials


@dataclass(frozen=True)
class Page:
    """The pictures of one seed that a page shows.

    Attributes:
        trials: the trials.
        seed: the seed.
        arrays: the pictures by activation, in the order in which they are drawn.
        sentence: names the seed, and the page if there are several.
    """

    trials: Trials
    seed: int
    arrays: Mapping[str, Arrays]
    sentence: str

    def caption(self, shows: str, names: Iterable[str] | None = None) -> Iterator[str]:
        """Yield the caption's sentences; ``shows`` says what is drawn, ``names`` are the activations if not all are."""
        yield self.trials.title
        yield shows
        yield self.sentence
        yield self.trials.compared
        yield self.trials.left_out(self.arrays if names is None else names)

    def score(self, name: str) -> str:
        """Return the metric of the seed, and whether the activation is best, runner-up, baseline or worst."""
        role = roles(self.trials).get(name, "")
        return f"{self.trials.show(self.trials.score(name, self.seed))}{role and f', {role}'}"


def pages(trials: Trials, plot: Plot, most: int, each: int, seed: int | None, page: int | None) -> Iterator[Page]:
    """Go through the pages of a plot that shows pictures of one seed.

    Args:
        trials: what to draw.
        plot: the kind of plot.
        most: how many activations it shows if none was named.
        each: how many a page holds.
        seed: the seed; None for the median one, by the mean metric of the activations shown.
        page: the number of a page; None for all.

    Raises:
        UsageError: if there are no arrays, none of that seed, or no such page.
    """
    seeds_of = holding(trials, plot)
    shown = chosen(trials, seeds_of, most)
    seed, sentence = one_seed(trials, {name: seeds_of[name] for name in shown}, seed)
    for names, turned in turn(trials, plot, shown, each, page):
        yield Page(trials, seed, {name: trials.arrays(name, seed) for name in names}, f"{sentence} {turned}".strip())


def turn(
    trials: Trials, plot: Plot, names: Sequence[str], each: int, page: int | None
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Go through the pages: the activations on each, and a sentence with its number; empty if there is one page.

    Raises:
        UsageError: if there is no such page.
    """
    count = -(-len(names) // each)
    if page is not None and not 1 <= page <= count:
        pages = f"{count} page{'s' * (count > 1)}"
        raise UsageError(f"plot {plot.name!r} of {trials.label} has {pages}; there is no page {page}")
    for number in range(1, count + 1) if page is None else [page]:
        sentence = f"Page {number} of {count}, of {len(names)} activations." if count > 1 else ""
        yield tuple(names[(number - 1) * each : number * each]), sentence


def roles(trials: Trials) -> dict[str, str]:
    """Return the roles of the notable activations, by their means over seeds: best, runner-up, baseline, worst."""
    ranked = list(trials.ok)
    baseline = [trials.baseline] if trials.baseline else []
    names_by_role = {"best": ranked[:1], "runner-up": ranked[1:2], "baseline": baseline, "worst": ranked[2:][-1:]}
    roles_by_name: dict[str, list[str]] = {}
    for role, names in names_by_role.items():
        for name in names:
            roles_by_name.setdefault(name, []).append(role)
    return {name: ", ".join(names_of_roles) for name, names_of_roles in roles_by_name.items()}


def notable(trials: Trials, among: Iterable[str], count: int) -> tuple[str, ...]:
    """Choose up to four activations by importance: best, baseline, runner-up, worst; the best mean comes first."""
    known, among = roles(trials), list(among)
    important = ("best", "baseline", "runner-up", "worst")
    by_role = [name for role in important for name in known if role in known[name] and name in among]
    chosen = list(dict.fromkeys([*by_role, *among[:1]]))[:count]
    return tuple(name for name in trials.ok if name in chosen)


def chosen(trials: Trials, seeds_of: Mapping[str, Sequence[int]], most: int) -> tuple[str, ...]:
    """List the activations to show: those that were asked for, else the notable ones; as many as share a seed."""
    asked = tuple(name for name in trials.named if name in seeds_of)
    if asked and trials.explicit.issuperset(asked):
        return asked
    return together(seeds_of, asked or notable(trials, seeds_of, most))


def together(seeds_of: Mapping[str, Sequence[int]], names: Sequence[str]) -> tuple[str, ...]:
    """Keep as many of the activations as share a seed; the first of the list are kept first."""
    kept: dict[str, set[int]] = {}
    for name in names:
        if not kept or set.intersection(*kept.values(), set(seeds_of[name])):
            kept[name] = set(seeds_of[name])
    return tuple(kept)


def one_seed(trials: Trials, seeds_of: Mapping[str, Sequence[int]], seed: int | None) -> tuple[int, str]:
    """Choose a seed that all activations have; returns it and a sentence that names it.

    Args:
        trials: the trials.
        seeds_of: the activations to show, with their seeds.
        seed: the seed asked for; if None the median one, by the mean metric of the activations.

    Raises:
        UsageError: if the activations do not have such a seed in common.
    """
    common = sorted(set.intersection(*(set(seeds) for seeds in seeds_of.values())))
    names = ", ".join(seeds_of)
    if not common:
        raise UsageError(f"no seed ended well for all of {names} in {trials.label}; choose fewer activations (--acts)")
    if seed is not None and seed not in common:
        raise UsageError(f"no seed {seed} of {names} in {trials.label} (in common: {ranges(common)})")
    median = ""
    if seed is None:
        by_mean = sorted(common, key=lambda seed: (np.mean([trials.score(name, seed) for name in seeds_of]), seed))
        seed = by_mean[(len(common) - 1) // 2]
        median = f", the median of {len(common)}" if len(common) > 1 else ""
    return seed, f"Seed {seed}{median}; numbers: its test {trials.metric}."
