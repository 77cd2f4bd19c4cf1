"""Which rows are bold: the best one, and every row that is not distinguishable from it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...records.members import is_older
from ...records.wording import plural
from ...statistics.intervals import BOOTSTRAP_FROM, differences, intervals
from .rows import Row

SHARED = 2
"""Two rows are compared if they share this many seeds: a single difference has no interval."""


@dataclass(frozen=True)
class Best:
    """The activations that are bold, and footnotes for those that were not compared with the best row."""

    marked: frozenset[str] = frozenset()
    remarks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def best_of(rows: Sequence[Row], higher: bool, names: Mapping[str, str]) -> Best:
    """Mark the best row and every row that is not distinguishable from it.

    The best row has the best mean of all rows without a failed trial. Another row is distinguishable from it if both
    share at least two seeds and the 95 % interval of their paired difference lies entirely on the worse side of 0. A
    row that shares fewer seeds is not compared and not marked, and a footnote says so. A row of one seed is never
    marked.

    A row with a failed trial is never marked. If its mean is better than that of the best row, the other rows are also
    compared with it; its failed seeds then count as the worst value of the table. A row of older code is neither
    marked nor compared.
    """
    numbered = [r for r in rows if not math.isnan(r.mean.mean) and not is_older(r.activation)]
    whole = [r for r in numbered if not r.failures]
    if len(rows) < 2 or not whole:
        return Best()
    sign = 1.0 if higher else -1.0
    top = max(whole, key=lambda r: sign * r.mean.mean)
    judges = [(top, top.scores)]
    failed = [r for r in numbered if r.failures and sign * r.mean.mean > sign * top.mean.mean]
    if failed:
        above = max(failed, key=lambda r: sign * r.mean.mean)
        lowest = min((sign * value for r in numbered for value in r.scores.values()), default=0.0) * sign
        judges.append((above, {**dict.fromkeys(above.seeds, lowest), **above.scores}))
    marked = {r.activation for r in whole if r.ok >= SHARED}
    remarks: dict[str, tuple[str, ...]] = {}
    for judge, scores in judges:
        gaps = {r.activation: [sign * gap for gap in differences(r.scores, scores)] for r in whole if r is not judge}
        if judge is top:
            remarks = {
                name: (uncompared(len(gap), names.get(top.activation, top.activation)),)
                for name, gap in gaps.items()
                if len(gap) < SHARED
            }
        marked -= remarks.keys()
        marked -= worse({name: gap for name, gap in gaps.items() if len(gap) >= SHARED})
    one_seed = all(r.ok < SHARED for r in numbered)  # then the caption says that there is no interval
    return Best(frozenset(marked), {} if one_seed else remarks)


def uncompared(shared: int, top: str) -> str:
    """Say why a row cannot be bold."""
    count = f"{shared} {plural('seed', shared)}" if shared else "no seeds"
    return f"not compared with the best row ({top}) and so not bold: they share {count}"


def worse(gaps: Mapping[str, Sequence[float]]) -> set[str]:
    """Return the activations whose differences have an interval below 0."""
    # A bootstrap's means lie among the values: where all are above or at 0, so is the interval's upper end.
    few = {name: gap for name, gap in gaps.items() if len(gap) < BOOTSTRAP_FROM or min(gap) < 0 <= max(gap)}
    below = {name for name, gap in gaps.items() if name not in few and max(gap) < 0}
    return below | {name for name, gap in zip(few, intervals(few.values()), strict=True) if gap.high < 0}
