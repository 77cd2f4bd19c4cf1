"""The comparison of two results folders: what changed, how certain that is, and what could not be compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..records.store import Snapshot, Store
from ..statistics.intervals import LEVEL
from .change import Change, Verdict
from .costs import changes
from .folder import Side, changed_between, environment_ids, environments, kinds_in, side_of
from .pairs import pair
from .trials import compare_trials

THRESHOLD = 0.05
"""A time or a number of bytes that changes by at most this share counts as unchanged."""
ORDER = {verdict: index for index, verdict in enumerate(Verdict)}


@dataclass(frozen=True)
class Comparison:
    """What changed from A to B, the worst first.

    Attributes:
        a: the folder before.
        b: the folder after.
        threshold: times and bytes that change by at most this share count as unchanged.
        changes: every figure of both folders, unchanged ones too.
        only_a: the number of costs and of rows of tables that only A has.
        only_b: the same for B.
        refused: what was not compared, and why.
        notes: further information for the reader.
        problems: files that could not be read and were left out.
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
        """What broke or became worse, slower or heavier."""
        return tuple(change for change in self.changes if change.verdict.regression)

    @property
    def counts(self) -> dict[Verdict, int]:
        """The number of figures with each verdict."""
        counts = Counter(change.verdict for change in self.changes)
        return {verdict: counts[verdict] for verdict in Verdict}

    def to_json(self) -> dict[str, Any]:
        """Return it for JSON."""
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

    A time has changed if the 95 % interval of the ratio of medians excludes 1 and the ratio is beyond the threshold,
    both for the seconds and relative to what was timed in the same rounds. A metric has changed if the interval of its
    paired differences excludes 0.

    Args:
        a: the folder before.
        b: the folder after.
        threshold: times and bytes that change by at most this share count as unchanged; at least 0.

    Raises:
        UsageError: if a path is not a results folder, both are the same folder, or nothing in them can be compared.

    Example::

        for change in compare("results/before", "results/after").regressions:
            print(change.activation, change.case, change.figure, change.effect)
    """
    if not 0 <= threshold < float("inf"):
        raise UsageError(f"the threshold must be at least 0, not {threshold}")
    left, right = Snapshot.open(a), Snapshot.open(b)
    if left.path.resolve() == right.path.resolve():
        raise UsageError(f"{a} and {b} are the same folder; compare needs two different folders")
    described = environments(left.path), environments(right.path)
    known = {**described[0], **described[1]}
    trials = compare_trials(left.records(), right.records(), threshold, known)
    pairs = pair(left.costs(), right.costs(), known)
    every = [change for before, after in pairs.both for change in changes(before, after, threshold)] + trials.changes
    refused = [*pairs.refused, *trials.refused]
    if not every:
        raise UsageError(f"{a} and {b} cannot be compared: {'; '.join(refused) or lacking(left, right)}. {COMPARABLE}")
    differ = changed_between(environment_ids(left), environment_ids(right), known)
    notes = [f"changed from A to B: {', '.join(differ)}"] if differ else []
    every.sort(key=lambda change: (ORDER[change.verdict], -change.badness, change.case, change.activation))
    return Comparison(
        side_of(left, described[0]),
        side_of(right, described[1]),
        threshold,
        tuple(every),
        pairs.only_a + trials.only_a,
        pairs.only_b + trials.only_b,
        tuple(refused),
        (*notes, *trials.notes),
        (*left.problems.values(), *right.problems.values()),
    )


COMPARABLE = (
    "Both folders need costs of the same case, machine and kernels path, or trials of the same task, settings, device "
    "and dtype (their metrics may come from different machines, their times may not)"
)


def lacking(a: Store, b: Store) -> str:
    """Explain why two folders have no figure in common."""
    kinds = kinds_in(a), kinds_in(b)
    if kinds[0] != kinds[1]:
        return f"A holds {kinds[0]}, B holds {kinds[1]}"
    return f"both hold {kinds[0]}, but no figure is in both"
