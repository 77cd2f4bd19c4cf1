"""A comparison in plain text: where both sides come from, then a section a verdict, the worst first."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence

from ..records.wording import WIDTH
from ..report.tables.cost_cells import duration
from ..report.tables.cost_tables import short
from .change import Change, Verdict
from .comparison import Comparison
from .folder import Side

MEANING = {
    Verdict.BROKEN: "ended well in A, fail in B",
    Verdict.WORSE: "the interval of the paired differences excludes 0",
    Verdict.SLOWER: "the interval of the ratio excludes 1, beyond the threshold",
    Verdict.HEAVIER: "more bytes, beyond the threshold",
    Verdict.UNCLEAR: "looks changed, and may not be trusted: not counted",
    Verdict.MENDED: "failed in A, end well in B",
}
HEADER = ("activation", "case", "figure", "A", "B", "change", "95 % interval", "n")
RIGHT = (3, 4, 5, 7)
"""Columns that hold numbers."""


def text(comparison: Comparison, everything: bool = False) -> str:
    """Print a comparison.

    Args:
        comparison: what to print.
        everything: list what is unchanged too, instead of counting it.
    """
    blocks = [heading(comparison)]
    for verdict in Verdict:
        held = [change for change in comparison.changes if change.verdict is verdict]
        if held and (everything or verdict is not Verdict.UNCHANGED):
            meaning = f" ({MEANING[verdict]})" if verdict in MEANING else ""
            blocks.append([f"{verdict}: {len(held)}{meaning}", *table(held)])
    return "\n".join("\n".join(block) + "\n" for block in [*blocks, closing(comparison)])


def heading(comparison: Comparison) -> list[str]:
    """Say what is compared, by which commits, where."""
    a, b = comparison.a, comparison.b
    rows = [["", "A", "B"], ["folder", a.path, b.path]]
    for name, left, right in (("commit", commits(a), commits(b)), ("measured", dates(a), dates(b))):
        rows.append([name, left, right])
    rows.append(["holds", holds(a), holds(b)])
    same = a.machines == b.machines
    rows += [] if same else [["machine", "; ".join(a.machines) or "unknown", "; ".join(b.machines) or "unknown"]]
    lines = aligned(rows)
    lines += [f"machine   {'; '.join(a.machines) or 'unknown'}"] if same else []
    for words in (*(f"not compared: {why}" for why in comparison.refused), *comparison.notes):
        lines += textwrap.wrap(words, WIDTH, subsequent_indent="  ")
    return lines


def commits(side: Side) -> str:
    """Name a side's commits."""
    return ", ".join(map(short, side.commits)) or "unknown"


def dates(side: Side) -> str:
    """Say on which days a side was measured."""
    return " to ".join(dict.fromkeys((side.dates[0], side.dates[-1]))) if side.dates else "unknown"


def holds(side: Side) -> str:
    """Count what a side holds."""
    return f"{side.trials} trials, {side.costs} costs"


def table(changes: Sequence[Change]) -> list[str]:
    """Print changes below each other, each with its reason."""
    rows = [list(HEADER)] if any(change.kind != "status" for change in changes) else [list(HEADER[:3])]
    for change in changes:
        cells = [change.activation, change.case, change.figure, value(change, change.a), value(change, change.b)]
        cells += [effect(change, change.effect), ends(change), "" if change.n is None else str(change.n)]
        rows.append(cells[: len(rows[0])])
    lines = aligned(rows, RIGHT)
    said = [lines[0]]
    for line, change in zip(lines[1:], changes, strict=True):
        said.append(line)
        said += [f"    {change.reason}"] if change.reason else []
    return [f"  {line}" for line in said]


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
    """Print an interval; a count has none."""
    if change.low is None or change.high is None:
        return "-"
    if change.kind == "memory":
        return "exact"
    return f"[{effect(change, change.low)}, {effect(change, change.high)}]"


def closing(comparison: Comparison) -> list[str]:
    """Say what is not listed, what chance would do, and the result."""
    counts = comparison.counts
    judged = [c for c in comparison.changes if c.low is not None and c.kind in ("time", "score")]
    said = [f"unchanged: {counts[Verdict.UNCHANGED]}; only in A: {comparison.only_a}; only in B: {comparison.only_b}."]
    noisy = Counter(c.activation for c in comparison.changes if c.unstable and c.verdict is Verdict.UNCHANGED)
    if noisy:
        told = ", ".join(f"{name} ({count})" for name, count in sorted(noisy.items()))
        said.append(f"Unstable figures without a change: {told}.")
    scores = sum(change.kind == "score" for change in judged)
    if scores > 1:
        said.append(
            f"{scores} metrics were compared at 95 % each: if nothing had changed but rounding, about "
            f"{0.05 * scores:.1f} of them would still be called better or worse."
        )
    bad = [f"{counts[verdict]} {verdict}" for verdict in Verdict if verdict.regression and counts[verdict]]
    threshold = f"threshold {100 * comparison.threshold:g} %"
    said_result = f"result: {', '.join(bad) if bad else 'no regression'} ({threshold})"
    return [*wrapped(said), said_result]


def wrapped(sentences: Iterable[str]) -> list[str]:
    """Put sentences into lines of a page's width."""
    return textwrap.wrap(" ".join(sentences), WIDTH)


def aligned(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Put cells below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
