"""Trials of two folders: metrics paired over common seeds, trials that began or stopped failing, training times."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..records.groups import Group, agree, grouped, headings
from ..records.members import members as by_row
from ..records.members import values
from ..records.trial import Record, Status
from ..records.wording import plural, ranges, shorten
from ..statistics.intervals import differences, interval
from ..statistics.metric import written
from .change import Change, Verdict, judged
from .costs import SETTLED
from .folder import Environments, machines_differ

Members = Mapping[str, Sequence[Record]]
"""The records of a group by activation."""


@dataclass
class Trials:
    """The comparison of trials: changes, the numbers of activations in one folder only, what was refused."""

    changes: list[Change] = field(default_factory=list)
    only_a: int = 0
    only_b: int = 0
    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def compare_trials(a: Sequence[Record], b: Sequence[Record], threshold: float, known: Environments) -> Trials:
    """Compare the trials of two folders, group by group (task, settings, device, dtype)."""
    trials, sides = Trials(), [grouped(records) for records in (a, b)]
    common = sorted(sides[0].keys() & sides[1].keys())
    names = headings({*sides[0], *sides[1]})
    for group in common:
        compare_group(trials, names[group], members(sides[0][group]), members(sides[1][group]), threshold, known)
    counts = [sum(len(members(side[g])) for g in side if g not in common) for side in sides]
    trials.only_a, trials.only_b = trials.only_a + counts[0], trials.only_b + counts[1]
    if a and b and not common:
        first, second = (", ".join(sorted(full_name(group) for group in side)[:4]) for side in sides)
        trials.refused.append(f"trials have no common task, settings, device and dtype: {first} in A, {second} in B")
    return trials


def full_name(group: Group) -> str:
    """Name a group by task, settings, device and dtype: ``gmm[epochs=3]@cpu/float32``."""
    settings = f"[{group.settings}]".replace(" ", "") if group.settings else ""
    return f"{group.task}{settings}@{group.device or 'unknown'}/{group.dtype or 'unknown'}"


def members(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Group records by activation; those of older code are groups of their own."""
    return by_row(records)[0]


def compare_group(trials: Trials, name: str, a: Members, b: Members, threshold: float, known: Environments) -> None:
    """Compare the trials of one group and add the results to ``trials``."""
    abouts = [agree([record for records in side.values() for record in records])[0] for side in (a, b)]
    (metric, higher), other = (
        (str(about.get("metric") or ""), about.get("higher_is_better", True)) for about in abouts
    )
    if (metric, higher) != other and all(abouts):
        trials.refused.append(f"the metric of {name} differs: {written(metric)} in A, {written(other[0])} in B")
        return
    both = sorted(a.keys() & b.keys())
    trials.only_a, trials.only_b = trials.only_a + len(a.keys() - b.keys()), trials.only_b + len(b.keys() - a.keys())
    if not both:
        trials.refused.append(f"trials of {name} have no common activation")
    reasons: list[str] = []
    for activation in both:
        pair = seeds_of(a[activation]), seeds_of(b[activation])
        if not pair[0].keys() & pair[1].keys():
            first, second = (ranges(side) for side in pair)
            trials.refused.append(f"trials of {name} {activation} have no common seed: {first} in A, {second} in B")
            continue
        trials.changes += [score(activation, name, metric, bool(higher), *pair), *statuses(activation, name, *pair)]
        reason = hindrance(pair[0].values(), pair[1].values(), known)
        if reason:
            reasons.append(reason)
        else:
            trials.changes += training_time(activation, name, *pair, threshold)
    trials.notes += [f"training times of {name} are not compared: {reason}" for reason in dict.fromkeys(reasons)]
    trials.notes += [text for kind in ("task", "loop") if (text := version_change(name, a, b, both, kind))]


def seeds_of(records: Sequence[Record]) -> dict[int, Record]:
    """Index an activation's records by seed."""
    return {record.trial.seed: record for record in records}


def score(
    activation: str, case: str, metric: str, higher: bool, a: Mapping[int, Record], b: Mapping[int, Record]
) -> Change:
    """Judge a metric by the interval of its paired differences: Student's t below 20 seeds, else the bootstrap."""
    before, after = (values(list(side.values()), metric) for side in (a, b))
    shared = sorted(before.keys() & after.keys())
    gap = interval(differences(after, before))
    verdict, reason, gain = Verdict.UNCHANGED, "", gap.mean if higher else -gap.mean
    if not gap.known:
        count = f"{len(shared)} common {plural('seed', len(shared))}"
        verdict, reason = Verdict.UNCLEAR, f"{count} with a number, 2 are needed"
    elif 0.0 not in gap:
        verdict = Verdict.BETTER if gain > 0 else Verdict.WORSE
    scale = max(map(abs, before.values()), default=0.0) or 1.0
    change = Change("score", activation, case, written(metric), verdict, n=len(shared), reason=reason)
    if not shared:
        return change
    means = [sum(side[seed] for seed in shared) / len(shared) for side in (before, after)]
    return replace(
        change,
        a=means[0],
        b=means[1],
        effect=gap.mean,
        low=gap.low if gap.known else None,
        high=gap.high if gap.known else None,
        badness=-gain / scale,
    )


def statuses(activation: str, case: str, a: Mapping[int, Record], b: Mapping[int, Record]) -> Iterator[Change]:
    """List the seeds that fail in one folder only, if a rerun would fail too."""
    shared = sorted(a.keys() & b.keys())
    for before, after, verdict, side in ((a, b, Verdict.BROKEN, "B"), (b, a, Verdict.MENDED, "A")):
        failed = [s for s in shared if before[s].status is Status.OK and after[s].status in SETTLED]
        if failed:
            first = after[failed[0]]
            count = f"{len(failed)} of {len(shared)} seeds failed in {side} only"
            reason = f"{count}; seed {failed[0]}: {shorten(first.reason)}"
            yield Change(
                "status", activation, case, "trials", verdict, n=len(shared), reason=reason, badness=len(failed)
            )


def hindrance(a: Iterable[Record], b: Iterable[Record], known: Environments) -> str:
    """Explain why training times cannot be compared; empty if they can."""
    left, right = ({(r.environment, r.concurrency, r.stacked) for r in side} for side in (a, b))
    for before, after in itertools.product(sorted(left), sorted(right)):
        if why := machines_differ(before[0], after[0], known):
            return why
        if before[1] != after[1]:
            return f"the number of jobs differs: {before[1]} in A, {after[1]} in B"
        if before[2] != after[2]:
            return "the trials were stacked in one folder only"
    return ""


def training_time(
    activation: str, case: str, a: Mapping[int, Record], b: Mapping[int, Record], threshold: float
) -> Iterator[Change]:
    """Compare the seconds of trials, paired over seeds. Other trials ran at the same time, so a change is unclear."""
    pairs = [
        (a[seed].seconds, b[seed].seconds)
        for seed in sorted(a.keys() & b.keys())
        if a[seed].status is b[seed].status is Status.OK and a[seed].seconds > 0 and b[seed].seconds > 0
    ]
    ratio = interval(math.log(after / before) for before, after in pairs)
    if not ratio.known:
        return
    effect, low, high = (math.exp(value) for value in (ratio.mean, ratio.low, ratio.high))
    changed = judged(effect, low, high, threshold) != 0
    before, after = (sum(side) / len(pairs) for side in zip(*pairs, strict=True))
    verdict = Verdict.UNCLEAR if changed else Verdict.UNCHANGED
    change = Change("trial time", activation, case, "training time", verdict, before, after, effect, low, high)
    reason = "other trials ran at the same time; afbench cost measures times" if changed else ""
    yield replace(change, n=len(pairs), reason=reason, badness=ratio.mean)


def version_change(name: str, a: Members, b: Members, both: Sequence[str], kind: str) -> str:
    """Say whether the task or the loop declares another version in B; empty if not."""
    versions = [
        sorted({str(r.versions[kind]) for activation in both for r in side[activation] if kind in r.versions})
        for side in (a, b)
    ]
    if not all(versions) or versions[0] == versions[1]:
        return ""
    before, after = map(", ".join, versions)
    return f"{name}: the version of the {kind} is {before} in A, {after} in B, so its results are expected to differ"
