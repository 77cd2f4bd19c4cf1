"""The comparison of two results folders: what changed, on what evidence, and what could not be compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..statistics.stats import LEVEL
from .change import Change, Verdict
from .costs import changes
from .folder import Folder, Side
from .pairs import pair
from .places import changed_between
from .trials import compare_trials

THRESHOLD = 0.05
"""Share below which a time or a number of bytes counts as unchanged."""
ORDER = {verdict: index for index, verdict in enumerate(Verdict)}


@dataclass(frozen=True)
class Comparison:
    """What changed from A to B, the worst first.

    Attributes:
        a: the folder that things changed from.
        b: the folder that they changed to.
        threshold: the share below which times and bytes count as unchanged.
        changes: every figure that both hold, unchanged ones too.
        only_a: how many costs and tables' rows A alone holds.
        only_b: the same of B.
        refused: what was not compared, and why.
        notes: what else a reader must know.
        problems: files of the folders that could not be read, and were left alone.
    """

    a: Side
    b: Side
    threshold: float
    changes: tuple[Change, ...]
    only_a: int = 0
    only_b: int = 0
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def regressions(self) -> tuple[Change, ...]:
        """What broke or became significantly worse, slower or heavier."""
        return tuple(change for change in self.changes if change.verdict.regression)

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many figures each verdict has."""
        held = Counter(change.verdict for change in self.changes)
        return {verdict: held[verdict] for verdict in Verdict}

    def to_json(self) -> dict[str, Any]:
        """Lay it out for machines."""
        return {
            "a": asdict(self.a),
            "b": asdict(self.b),
            "threshold": self.threshold,
            "level": LEVEL,
            "regression": bool(self.regressions),
            "counts": {str(verdict): count for verdict, count in self.counts.items()},
            "changes": [change.to_json() for change in self.changes],
            "only_in_a": self.only_a,
            "only_in_b": self.only_b,
            "refused": list(self.refused),
            "notes": list(self.notes),
            "problems": list(self.problems),
        }


def compare(a: str | Path, b: str | Path, threshold: float = THRESHOLD) -> Comparison:
    """Compare two results folders; nothing in them is imported or executed.

    A time has changed if the 95 % interval of the ratio of medians excludes 1 and the ratio is beyond the threshold, in
    seconds and beside what was timed in the same rounds; a metric if the interval of its paired differences excludes 0.

    Args:
        a: the folder to compare with.
        b: the folder that is judged.
        threshold: the share below which times and bytes count as unchanged, from 0 on.

    Raises:
        UsageError: if a folder is none, they are one, or nothing in them can be compared; it says why.

    Example::

        for change in compare("results/before", "results/after").regressions:
            print(change.activation, change.case, change.figure, change.effect)
    """
    if not 0 <= threshold < float("inf"):
        raise UsageError(f"the threshold must be at least 0, not {threshold}")
    left, right = Folder.read(a), Folder.read(b)
    if left.store.path.resolve() == right.store.path.resolve():
        raise UsageError(f"{a} and {b} are the same folder; compare takes two")
    known = {**left.described, **right.described}
    pairs = pair(left.costs, right.costs, known)
    trials = compare_trials(left.records, right.records, threshold, known)
    found = [change for one, other in pairs.both for change in changes(one, other, threshold)] + trials.changes
    refused = [*pairs.refused, *trials.refused]
    if not found:
        raise UsageError(f"{a} and {b} cannot be compared: {'; '.join(refused) or lacking(left, right)}. {WOULD}")
    differ = changed_between(left.places, right.places, known)
    notes = [f"changed in between: {', '.join(differ)}"] if differ else []
    found.sort(key=lambda change: (ORDER[change.verdict], -change.badness, change.case, change.activation))
    return Comparison(
        left.side(),
        right.side(),
        threshold,
        tuple(found),
        pairs.only_a + trials.only_a,
        pairs.only_b + trials.only_b,
        tuple(refused),
        (*notes, *trials.notes),
        (*left.store.problems.values(), *right.store.problems.values()),
    )


WOULD = (
    "Comparable are costs of one case on one machine, with one kernels path; and trials of one task, settings, device "
    "and dtype, whose metrics (not times) may come from different machines"
)


def lacking(a: Folder, b: Folder) -> str:
    """Say what two folders lack whose results are of different kinds."""
    if a.kinds != b.kinds:
        return f"A holds {a.kinds}, B {b.kinds}"
    return f"both hold {a.kinds} without a common figure"
