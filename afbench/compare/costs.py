"""Times and memory of two cost files of one case: which figures changed, which only look so."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..records.cost import STEPS, TEMPERATURES, Cost, Figure, as_number
from ..records.wording import PASSES, shorten
from .change import Change, Verdict, judged
from .intervals import ratio_of_medians
from .pairs import case_text

BYTES = (("saved", "saved for backward"), ("peak", "allocator peak"))
SETTLED = ("error", "diverged")
"""How a cost or a trial fails that would fail again; one that was killed may not."""
SIGNS = {1: Verdict.SLOWER, -1: Verdict.FASTER, 0: Verdict.UNCHANGED}


def changes(a: Cost, b: Cost, threshold: float) -> list[Change]:
    """Compare two costs of one case, figure by figure."""
    failed = status(a, b)
    if failed is not None:
        return [failed]
    if not a.ok or not b.ok:
        return []
    timed_ = [
        one for name, sides, beside in figures(a, b) if (one := time(a, name, sides, beside, threshold)) is not None
    ]
    sizes = [one for part, name in BYTES if (one := size(a, b, part, name, threshold)) is not None]
    return [*timed_, *sizes]


def status(a: Cost, b: Cost) -> Change | None:
    """Say if one side has no figures since it failed; None if both have, or neither has."""
    if a.ok == b.ok:
        return None
    fails = b if a.ok else a
    verdict = Verdict.UNCLEAR if fails.status not in SETTLED else Verdict.BROKEN if fails is b else Verdict.MENDED
    reason = shorten(f"{fails.status} in {'B' if fails is b else 'A'}: {fails.reason}".removesuffix(": "))
    return Change("status", a.activation, case_text(a), "cost", verdict, reason=reason)


Beside = tuple[str, Figure, Figure]
"""Something timed in the same rounds: its name, and the ratios of both to it."""


def figures(a: Cost, b: Cost) -> Iterator[tuple[str, tuple[Figure, Figure], list[Beside]]]:
    """Go through the timed figures: name, seconds of both, and what was timed beside them.

    A copy follows what memory does, GELU (of GELU itself: ReLU) what arithmetic does.
    """
    if a.alone:
        other = "relu" if a.activation == "gelu" else "gelu"
        named = {f"{w}_{t}": f"{words}, {t}" for w, words in PASSES.items() for t in TEMPERATURES}
        beside = {"a copy": "copy", other: other}
    else:
        named, beside = dict(zip(STEPS, ("training step", "inference"), strict=True)), {a.baseline: a.baseline}
    for name, words in named.items():
        first, second = a.time(name), b.time(name)
        ratios = [(what, first.ratio(key), second.ratio(key)) for what, key in beside.items()]
        yield words, (first.seconds, second.seconds), ratios


def time(a: Cost, name: str, seconds: tuple[Figure, Figure], beside: list[Beside], threshold: float) -> Change | None:
    """Judge a time: it has changed if its seconds and its ratios to what was timed in the same rounds all say so.

    Seconds alone also follow the machine's other work; a ratio alone also follows what it is a ratio to. Where they
    differ, nothing is claimed.
    """
    ratio, rounds = ratio_of_medians(*seconds), [ratio_of_medians(before, after) for _, before, after in beside]
    if ratio is None:
        return None
    unstable = [
        f"unstable in {side}: {reason}"
        for side, *held in (("A", seconds[0], beside[0][1]), ("B", seconds[1], beside[0][2]))
        for reason in held[0].unstable or (() if a.alone else held[1].unstable)
    ]
    # Earlier versions kept no spread of the seconds in a network: there the ratio to the baseline decides alone.
    bare = ratio.low is None and rounds[0] is not None
    judge = rounds[0] if bare and rounds[0] is not None else ratio
    sign = judged(judge.value, judge.low, judge.high, threshold)
    verdict, reason = (
        SIGNS[sign],
        f"by its ratio to {beside[0][0]}: its seconds have no spread" if bare and sign else "",
    )
    told = [
        (judged(one.value, one.low, one.high, threshold), f"beside {what} of the same rounds it is {one.value:.2f}x")
        for (what, *_), one in zip(beside, rounds, strict=True)
        if one is not None
    ]
    others = [words for its, words in told if its != sign]
    if sign and unstable:
        verdict, reason = Verdict.UNCLEAR, unstable[0]
    elif sign and others:
        verdict, reason = Verdict.UNCLEAR, others[0]
    elif not sign and unstable:
        reason = unstable[0]
    elif not sign and told and told[0][0] and len({its for its, _ in told}) == 1:
        verdict, reason = Verdict.UNCLEAR, f"its seconds are the same, but {told[0][1]}"
    return Change(
        "time",
        a.activation,
        case_text(a),
        name,
        verdict,
        seconds[0].median,
        seconds[1].median,
        judge.value,
        judge.low,
        judge.high,
        min(one.samples or 0 for one in seconds),
        reason,
        math.log(judge.value),
        bool(unstable),
    )


def size(a: Cost, b: Cost, part: str, name: str, threshold: float) -> Change | None:
    """Judge bytes: they are counted, not sampled, so that any change beyond the threshold is one."""
    before, after = (as_number(getattr(cost, part).get("bytes")) for cost in (a, b))
    if before is None or after is None or before < 0 or after < 0:
        return None
    ratio = after / before if before else 1.0 if not after else math.inf
    more, less = ratio > 1 + threshold, ratio < 1 / (1 + threshold)
    verdict = Verdict.HEAVIER if more else Verdict.LIGHTER if less else Verdict.UNCHANGED
    badness = math.log(ratio) if 0 < ratio < math.inf else math.copysign(math.inf, ratio - 1)
    return Change(
        "memory", a.activation, case_text(a), name, verdict, before, after, ratio, ratio, ratio, badness=badness
    )
