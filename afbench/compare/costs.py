"""Compare the times and memory of two costs of one case: which figures changed, and which only seem to."""

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
"""Failures that a rerun would repeat; a trial or cost that was killed may end well."""
SIGNS = {1: Verdict.SLOWER, -1: Verdict.FASTER, 0: Verdict.UNCHANGED}


def changes(a: Cost, b: Cost, threshold: float) -> list[Change]:
    """Compare two costs of one case, figure by figure."""
    failed = status(a, b)
    if failed is not None:
        return [failed]
    if not a.ok or not b.ok:
        return []
    times = [time(a, name, seconds, references, threshold) for name, seconds, references in figures(a, b)]
    sizes = [size(a, b, part, name, threshold) for part, name in BYTES]
    return [change for change in (*times, *sizes) if change is not None]


def status(a: Cost, b: Cost) -> Change | None:
    """Return a change if exactly one of both failed; else None."""
    if a.ok == b.ok:
        return None
    fails = b if a.ok else a
    verdict = Verdict.UNCLEAR if fails.status not in SETTLED else Verdict.BROKEN if fails is b else Verdict.MENDED
    reason = shorten(f"{fails.status} in {'B' if fails is b else 'A'}: {fails.reason}".removesuffix(": "))
    return Change("status", a.activation, case_text(a), "cost", verdict, reason=reason)


Reference = tuple[str, Figure, Figure]
"""Something timed in the same rounds: its name, and the ratios of A and B to it."""


def figures(a: Cost, b: Cost) -> Iterator[tuple[str, tuple[Figure, Figure], list[Reference]]]:
    """Yield the timed figures: the name, the seconds of A and B, and the references of the same rounds.

    A copy depends on the memory's speed, GELU (for GELU itself: ReLU) on the arithmetic's.
    """
    if a.alone:
        other = "relu" if a.activation == "gelu" else "gelu"
        named = {f"{w}_{t}": f"{words}, {t}" for w, words in PASSES.items() for t in TEMPERATURES}
        keys = {"a copy": "copy", other: other}
    else:
        named, keys = dict(zip(STEPS, ("training step", "inference"), strict=True)), {a.baseline: a.baseline}
    for name, words in named.items():
        first, second = a.time(name), b.time(name)
        ratios = [(what, first.ratio(key), second.ratio(key)) for what, key in keys.items()]
        yield words, (first.seconds, second.seconds), ratios


def time(
    a: Cost, name: str, seconds: tuple[Figure, Figure], references: list[Reference], threshold: float
) -> Change | None:
    """Judge a time: it has changed if its seconds and its ratios to all references have changed.

    Seconds also depend on the machine's other work; a ratio also depends on its reference. If they disagree, the
    verdict is unclear.
    """
    ratio, relative = ratio_of_medians(*seconds), [ratio_of_medians(before, after) for _, before, after in references]
    if ratio is None:
        return None
    unstable = [
        f"unstable in {side}: {reason}"
        for side, own, to_first in zip("AB", seconds, references[0][1:], strict=True)
        for reason in own.unstable or (() if a.alone else to_first.unstable)
    ]
    # Files of earlier versions have no spread of the seconds in a network: then only the ratio to the baseline decides.
    bare = ratio.low is None and relative[0] is not None
    judge = relative[0] if bare and relative[0] is not None else ratio
    sign = judged(judge.value, judge.low, judge.high, threshold)
    verdict, reason = SIGNS[sign], ""
    if bare and sign:
        reason = f"judged by its ratio to {references[0][0]}, because the file keeps no spread of its seconds"
    signs = {
        f"relative to {what} in the same rounds it is {to.value:.2f}x": judged(to.value, to.low, to.high, threshold)
        for (what, *_), to in zip(references, relative, strict=True)
        if to is not None
    }
    others = [words for words, its in signs.items() if its != sign]
    if sign and unstable:
        verdict, reason = Verdict.UNCLEAR, unstable[0]
    elif sign and others:
        verdict, reason = Verdict.UNCLEAR, others[0]
    elif not sign and unstable:
        reason = unstable[0]
    elif not sign and others and len({*signs.values()}) == 1:
        verdict, reason = Verdict.UNCLEAR, f"its seconds did not change, but {others[0]}"
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
        min(figure.samples or 0 for figure in seconds),
        reason,
        math.log(judge.value),
        bool(unstable),
    )


def size(a: Cost, b: Cost, part: str, name: str, threshold: float) -> Change | None:
    """Judge bytes. They are counted, not sampled, so each change beyond the threshold counts."""
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
