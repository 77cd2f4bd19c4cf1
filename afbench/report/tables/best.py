"""Which rows are bold: the best one, and those that are not distinguishably worse on the seeds that both have."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...records.members import is_older
from ...records.wording import plural
from ...statistics.intervals import BOOTSTRAP_FROM, differences, intervals
from .rows import Row

SHARED = 2
"""Seeds that two rows share at least to be compared: the difference of one has no interval."""


@dataclass(frozen=True)
class Best:
    """The activations that are bold, and a footnote for those that could not be compared with the best."""

    marked: frozenset[str] = frozenset()
    remarks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def best_of(rows: Sequence[Row], higher: bool, names: Mapping[str, str]) -> Best:
    """Mark the best row and all that are not distinguishable from it.

    The best is the best mean of all rows in which no trial failed. A row is distinguishable if it shares at least two
    seeds with the best and the 95 % interval of the paired difference over them lies wholly on the worse side. With
    fewer shared seeds it is not compared, hence not marked, and a footnote says so. A row of one seed is never marked.

    A row with a failed trial is never marked. One with a better mean than the best still judges: who is
    distinguishably worse than it, even with its failed seeds counted as the worst value of the table, is not marked.
    A row whose code was edited since is neither marked nor compared.
    """
    known = [r for r in rows if not math.isnan(r.mean.mean) and not is_older(r.activation)]
    whole = [r for r in known if not r.failures]
    if len(rows) < 2 or not whole:
        return Best()
    sign = 1.0 if higher else -1.0
    top = max(whole, key=lambda r: sign * r.mean.mean)
    judges = [(top, top.scores)]
    failed = [r for r in known if r.failures and sign * r.mean.mean > sign * top.mean.mean]
    if failed:
        above = max(failed, key=lambda r: sign * r.mean.mean)
        lowest = min((sign * value for r in known for value in r.scores.values()), default=0.0) * sign
        judges.append((above, {**dict.fromkeys(above.seeds, lowest), **above.scores}))
    marked = {r.activation for r in whole if r.ok >= SHARED}
    remarks: dict[str, tuple[str, ...]] = {}
    for judge, its in judges:
        gaps = {r.activation: [sign * gap for gap in differences(r.scores, its)] for r in whole if r is not judge}
        if judge is top:
            remarks = {
                name: (uncompared(len(gap), names.get(top.activation, top.activation)),)
                for name, gap in gaps.items()
                if len(gap) < SHARED
            }
        marked -= remarks.keys()
        marked -= worse({name: gap for name, gap in gaps.items() if len(gap) >= SHARED})
    one_seed = all(r.ok < SHARED for r in known)  # then the caption says that there is no interval
    return Best(frozenset(marked), {} if one_seed else remarks)


def uncompared(shared: int, top: str) -> str:
    """Say why a row cannot be bold."""
    count = f"{shared} {plural('seed', shared)}" if shared else "no seeds"
    return f"not compared with {top}, the best, and so not bold: they share {count}"


def worse(gaps: Mapping[str, Sequence[float]]) -> set[str]:
    """Name those whose differences have an interval below 0."""
    # A bootstrap's means lie among the values: where all are above or at 0, so is the interval's upper end.
    few = {name: gap for name, gap in gaps.items() if len(gap) < BOOTSTRAP_FROM or min(gap) < 0 <= max(gap)}
    found = {name for name, gap in gaps.items() if name not in few and max(gap) < 0}
    return found | {name for name, one in zip(few, intervals(few.values()), strict=True) if one.high < 0}
