"""A comparison in plain text: the two folders, then a section for each verdict, the worst first."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence

from ..records.wording import WIDTH, duration, plural, short
from .change import Change, Verdict
from .comparison import Comparison
from .folder import Side

MEANING = {
    Verdict.BROKEN: "ended well in A, failed in B",
    Verdict.WORSE: "the interval of the paired differences excludes 0",
    Verdict.SLOWER: "the interval of the ratio excludes 1, beyond the threshold",
    Verdict.HEAVIER: "more bytes, beyond the threshold",
    Verdict.UNCLEAR: "seems changed, but the evidence is not reliable; not counted",
    Verdict.MENDED: "failed in A, ended well in B",
}
HEADER = ("activation", "case", "figure", "A", "B", "change", "95 % interval", "n")
RIGHT = (3, 4, 5, 7)
"""Columns that hold numbers."""


def text(comparison: Comparison, everything: bool = False) -> str:
    """Print a comparison.

    Args:
        comparison: what to print.
        everything: also list unchanged figures, instead of only counting them.
    """
    blocks = [heading(comparison)]
    for verdict in Verdict:
        listed = [change for change in comparison.changes if change.verdict is verdict]
        if listed and (everything or verdict is not Verdict.UNCHANGED):
            meaning = f" ({MEANING[verdict]})" if verdict in MEANING else ""
            blocks.append([f"{verdict}: {len(listed)}{meaning}", *table(listed)])
    return "\n".join("\n".join(block) + "\n" for block in [*blocks, closing(comparison)])


def heading(comparison: Comparison) -> list[str]:
    """List the folders, commits, dates and machines, and what was not compared."""
    names = ("", "folder", "commit", "measured", "holds", "machine")
    *rows, (machine, a, b) = zip(names, facts("A", comparison.a), facts("B", comparison.b), strict=True)
    lines = [*aligned(rows), f"{machine}   {a}"] if a == b else aligned([*rows, (machine, a, b)])
    for words in (*(f"not compared: {why}" for why in comparison.refused), *comparison.notes):
        lines += textwrap.wrap(words, WIDTH, subsequent_indent="  ")
    return lines


def facts(name: str, side: Side) -> list[str]:
    """Return a folder's name, path, commits, first and last day, numbers of trials and costs, and machines."""
    days = " to ".join(dict.fromkeys((*side.dates[:1], *side.dates[-1:])))
    counts = f"{side.trials} {plural('trial', side.trials)}, {side.costs} {plural('cost', side.costs)}"
    words = [side.path, ", ".join(map(short, side.commits)), days, counts, "; ".join(side.machines)]
    return [name, *(word or "unknown" for word in words)]


def table(changes: Sequence[Change]) -> list[str]:
    """Print a table of changes, with the reason of each below it."""
    rows = [list(HEADER)] if any(change.kind != "status" for change in changes) else [list(HEADER[:3])]
    for change in changes:
        cells = [change.activation, change.case, change.figure, value(change, change.a), value(change, change.b)]
        cells += [effect(change, change.effect), ends(change), "" if change.n is None else str(change.n)]
        rows.append(cells[: len(rows[0])])
    lines = aligned(rows, RIGHT)
    with_reasons = [lines[0]]
    for line, change in zip(lines[1:], changes, strict=True):
        with_reasons += [line, f"    {change.reason}"] if change.reason else [line]
    return [f"  {line}" for line in with_reasons]


def value(change: Change, number: float | None) -> str:
    """Print a figure in its unit."""
    if number is None:
        return "-"
    if change.kind in ("time", "trial time"):
        return duration(number)
    return f"{number:,.0f} B" if change.kind == "memory" else f"{number:.5g}"


def effect(change: Change, number: float | None) -> str:
    """Print a ratio or a difference."""
    if number is None:
        return "-"
    return f"{number:+.4g}" if change.kind == "score" else f"{number:.3f}x"


def ends(change: Change) -> str:
    """Print an interval; bytes are counted, so theirs is ``exact``."""
    if change.low is None or change.high is None:
        return "-"
    if change.kind == "memory":
        return "exact"
    return f"[{effect(change, change.low)}, {effect(change, change.high)}]"


def closing(comparison: Comparison) -> list[str]:
    """Count what is not listed, say how many changes chance alone would give, and give the result."""
    counts = comparison.counts
    judged = [c for c in comparison.changes if c.low is not None and c.kind in ("time", "score")]
    sentences = [
        f"unchanged: {counts[Verdict.UNCHANGED]}; only in A: {comparison.only_a}; only in B: {comparison.only_b}."
    ]
    noisy = Counter(c.activation for c in comparison.changes if c.unstable and c.verdict is Verdict.UNCHANGED)
    if noisy:
        names = ", ".join(f"{name} ({count})" for name, count in sorted(noisy.items()))
        sentences.append(f"Unstable and unchanged figures: {names}.")
    scores = sum(change.kind == "score" for change in judged)
    if scores > 1:
        sentences.append(
            f"{scores} metrics were compared, each with a 95 % interval: if only rounding had changed, about "
            f"{0.05 * scores:.1f} of them would still be called better or worse."
        )
    bad = [f"{counts[verdict]} {verdict}" for verdict in Verdict if verdict.regression and counts[verdict]]
    threshold = f"threshold {100 * comparison.threshold:g} %"
    result = f"result: {', '.join(bad) if bad else 'no regression'} ({threshold})"
    return [*textwrap.wrap(" ".join(sentences), WIDTH), result]


def aligned(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Align the cells of each column."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
