"""Records of two folders: metrics paired over the seeds that both hold, trials that began or ceased to fail."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..records.groups import Group, agree, grouped, headings
from ..records.members import members as by_row
from ..records.members import values
from ..records.trial import Record, Status
from ..records.wording import ranges, shorten
from ..statistics.metric import written
from ..statistics.stats import differences, interval
from .change import Change, Verdict, judged
from .costs import SETTLED
from .places import Environments, machine_text, same_machine

Members = Mapping[str, Sequence[Record]]
"""The records of a group by activation."""


@dataclass
class Trials:
    """What two folders' trials say: changes, how many activations one side alone holds, what was refused."""

    changes: list[Change] = field(default_factory=list)
    only_a: int = 0
    only_b: int = 0
    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def compare_trials(a: Sequence[Record], b: Sequence[Record], threshold: float, known: Environments) -> Trials:
    """Compare the trials of two folders, group by group (task, settings, device, dtype)."""
    found, sides = Trials(), [grouped(records) for records in (a, b)]
    common = sorted(sides[0].keys() & sides[1].keys())
    names = headings({*sides[0], *sides[1]})
    for group in common:
        compare_group(found, names[group], members(sides[0][group]), members(sides[1][group]), threshold, known)
    counts = [sum(len(members(side[g])) for g in side if g not in common) for side in sides]
    found.only_a, found.only_b = found.only_a + counts[0], found.only_b + counts[1]
    if a and b and not common:
        told = [", ".join(sorted(whole(group) for group in side)[:4]) for side in sides]
        found.refused.append(f"trials have no common task, settings, device and dtype: {told[0]} in A, {told[1]} in B")
    return found


def whole(group: Group) -> str:
    """Name a group by all that must be shared: ``gmm[epochs=3]@cpu/float32``."""
    settings = f"[{group.settings}]".replace(" ", "") if group.settings else ""
    return f"{group.task}{settings}@{group.device or 'unknown'}/{group.dtype or 'unknown'}"


def members(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Sort records by activation, those of edited code apart."""
    return by_row(records)[0]


def compare_group(found: Trials, name: str, a: Members, b: Members, threshold: float, known: Environments) -> None:
    """Compare the trials of one group into ``found``."""
    abouts = [agree([record for held in side.values() for record in held])[0] for side in (a, b)]
    (metric, higher), other = (
        (str(about.get("metric") or ""), about.get("higher_is_better", True)) for about in abouts
    )
    if (metric, higher) != other and all(abouts):
        found.refused.append(f"trials of {name} have another metric: {written(metric)} in A, {written(other[0])} in B")
        return
    both = sorted(a.keys() & b.keys())
    found.only_a, found.only_b = found.only_a + len(a.keys() - b.keys()), found.only_b + len(b.keys() - a.keys())
    if not both:
        found.refused.append(f"trials of {name} have no common activation")
    hindered: dict[str, int] = {}
    for activation in both:
        pair = seeds_of(a[activation]), seeds_of(b[activation])
        if not pair[0].keys() & pair[1].keys():
            told = [ranges(side) for side in pair]
            found.refused.append(f"trials of {name} {activation} have no common seed: {told[0]} in A, {told[1]} in B")
            continue
        found.changes += [score(activation, name, metric, bool(higher), *pair), *statuses(activation, name, *pair)]
        reason = hindrance(pair[0].values(), pair[1].values(), known)
        if reason:
            hindered[reason] = hindered.get(reason, 0) + 1
        else:
            found.changes += training_time(activation, name, *pair, threshold)
    found.notes += [f"training times of {name} are not compared: {reason}" for reason in hindered]
    found.notes += [text for kind in ("task", "loop") if (text := version_change(name, a, b, both, kind))]


def seeds_of(records: Sequence[Record]) -> dict[int, Record]:
    """Index an activation's records by seed."""
    return {record.trial.seed: record for record in records}


def score(
    activation: str, case: str, metric: str, higher: bool, a: Mapping[int, Record], b: Mapping[int, Record]
) -> Change:
    """Judge a metric by the interval of its paired differences: Student's t below 20 seeds, a bootstrap from there."""
    before, after = (values(list(side.values()), metric) for side in (a, b))
    shared = sorted(before.keys() & after.keys())
    found = interval(differences(after, before))
    verdict, reason, gain = Verdict.UNCHANGED, "", found.mean if higher else -found.mean
    if not found.known:
        verdict, reason = Verdict.UNCLEAR, f"{len(shared)} common seeds with a number: two are needed"
    elif 0.0 not in found:
        verdict = Verdict.BETTER if gain > 0 else Verdict.WORSE
    scale = max(map(abs, before.values()), default=0.0) or 1.0
    known = Change("score", activation, case, written(metric), verdict, n=len(shared), reason=reason)
    if not shared:
        return known
    means = [sum(side[seed] for seed in shared) / len(shared) for side in (before, after)]
    return replace(
        known,
        a=means[0],
        b=means[1],
        effect=found.mean,
        low=found.low if found.known else None,
        high=found.high if found.known else None,
        badness=-gain / scale,
    )


def statuses(activation: str, case: str, a: Mapping[int, Record], b: Mapping[int, Record]) -> Iterator[Change]:
    """Say which seeds began to fail, and which ceased to, where a rerun would end the same way."""
    shared = sorted(a.keys() & b.keys())
    for before, after, verdict, side in ((a, b, Verdict.BROKEN, "B"), (b, a, Verdict.MENDED, "A")):
        failed = [s for s in shared if before[s].status is Status.OK and after[s].status in SETTLED]
        if failed:
            first = after[failed[0]]
            told = (
                f"{len(failed)} of {len(shared)} seeds fail in {side} alone; seed {failed[0]}: {shorten(first.reason)}"
            )
            yield Change("status", activation, case, "trials", verdict, n=len(shared), reason=told, badness=len(failed))


def hindrance(a: Iterable[Record], b: Iterable[Record], known: Environments) -> str:
    """Say why training times may not be compared; empty if they may."""
    left, right = ({(r.environment, r.concurrency, r.stacked) for r in side} for side in (a, b))
    for one, other in itertools.product(sorted(left), sorted(right)):
        same = same_machine(one[0], other[0], known)
        if not same:
            told = "another machine" if same is False else "machines that cannot be told apart"
            return f"{told} ({machine_text(one[0], known)} in A, {machine_text(other[0], known)} in B)"
        if one[1] != other[1]:
            return f"other concurrency ({one[1]} jobs in A, {other[1]} in B)"
        if one[2] != other[2]:
            return "stacked on one side alone"
    return ""


def training_time(
    activation: str, case: str, a: Mapping[int, Record], b: Mapping[int, Record], threshold: float
) -> Iterator[Change]:
    """Compare the seconds of trials, paired over seeds; other jobs ran beside them, so that they judge nothing."""
    pairs = [
        (a[seed].seconds, b[seed].seconds)
        for seed in sorted(a.keys() & b.keys())
        if a[seed].status is b[seed].status is Status.OK and a[seed].seconds > 0 and b[seed].seconds > 0
    ]
    found = interval(math.log(after / before) for before, after in pairs)
    if not found.known:
        return
    effect, low, high = (math.exp(value) for value in (found.mean, found.low, found.high))
    changed = judged(effect, low, high, threshold) != 0
    before, after = (sum(side) / len(pairs) for side in zip(*pairs, strict=True))
    known = Change("trial time", activation, case, "training time", Verdict.UNCHANGED, before, after, effect, low, high)
    reason = "other work ran beside the trials: afbench cost measures times" if changed else ""
    verdict = Verdict.UNCLEAR if changed else Verdict.UNCHANGED
    yield replace(known, verdict=verdict, n=len(pairs), reason=reason, badness=found.mean)


def version_change(name: str, a: Members, b: Members, both: Sequence[str], kind: str) -> str:
    """Say if the task or the loop declares that its results changed in between; empty if not."""
    told = [
        sorted({str(r.versions[kind]) for activation in both for r in side[activation] if kind in r.versions})
        for side in (a, b)
    ]
    if not all(told) or told[0] == told[1]:
        return ""
    before, after = map(", ".join, told)
    return f"{name}: version {before} of the {kind} in A, {after} in B: its results are meant to differ"
