"""What is odd about a table: failed trials, uneven seeds, mixed versions. A number that needs a word gets one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...records.trial import Record, Status
from ...records.wording import plural, shorten
from ...statistics.modes import Modes

WORDS = {
    Status.DIVERGED: "diverged",
    Status.OOM: "ran out of memory",
    Status.TIMEOUT: "timed out",
    Status.ERROR: "raised an error",
    Status.UNAVAILABLE: "could not run here",
    Status.LOST: "lost",
}
SHARED_VERSIONS = ("afbench", "task", "loop", "torch")
OWN_VERSIONS = ("activation", "kernels")


@dataclass(frozen=True)
class Failure:
    """The trials of an activation that ended alike, with the first one's seed and reason.

    ``status`` is a trial's, or ``no finite METRIC`` for one that ended well without one.
    """

    status: str
    count: int
    seed: int
    reason: str = ""

    def words(self, trials: int) -> str:
        """Say it in a line: ``2 of 5 seeds diverged; seed 3: at step 212 (loss inf)``."""
        known = self.status in list(Status)
        what = WORDS[Status(self.status)] if known else f"ended with {self.status}"
        reason = shorten(self.reason.removeprefix(f"{self.status} "))
        return f"{self.count} of {trials} seeds {what}" + (f"; seed {self.seed}: {reason}" if reason else "")


def failures(records: Iterable[Record], metric: str, ok: Iterable[int]) -> tuple[Failure, ...]:
    """Count the trials of an activation that gave no number, by status."""
    kinds: dict[str, list[Record]] = {}
    ended = set(ok)
    for record in sorted(records, key=lambda r: r.trial.seed):
        if record.trial.seed not in ended:
            status = f"no finite {metric}" if record.status is Status.OK else str(record.status)
            kinds.setdefault(status, []).append(record)
    return tuple(Failure(s, len(held), held[0].trial.seed, held[0].reason) for s, held in kinds.items())


def two_groups(found: Modes) -> str:
    """Say into which groups seeds fall: ``two groups: 3 seeds near 91, 2 near 5; ...``."""
    (many, few), (high, low) = found.counts, found.medians
    return (
        f"two groups: {many} {plural('seed', many)} near {high:.3g}, {few} near {low:.3g}; "
        "the median says more than the mean"
    )


def mixtures(records: Sequence[Record]) -> list[str]:
    """Say what differs among the trials of a table and should not: versions, environments."""
    notes = [f"mixed versions of {text}" for name in SHARED_VERSIONS if (text := mixture(records, name))]
    places = Counter(record.environment for record in records)
    if len(places) > 1:
        counts = " + ".join(str(count) for _, count in places.most_common())
        notes.append(f"trials from {len(places)} environments ({counts})")
    return notes


def own_mixtures(records: Sequence[Record]) -> list[str]:
    """Say what differs among the seeds of one activation and should not."""
    notes = [f"its seeds mix versions of {text}" for name in OWN_VERSIONS if (text := mixture(records, name))]
    if len({record.parameters.get("activation") for record in records}) > 1:
        notes.append("its seeds differ in the number of activation parameters; the largest is shown")
    return notes


def mixture(records: Iterable[Record], name: str) -> str:
    """Say which versions of one thing occur, and how often: ``torch: 2.13.0 (4 trials), 2.11.0 (1 trial)``."""
    held = [record.versions for record in records]
    if all(versions == held[0] for versions in held):  # nearly always, and quick
        return ""
    counts = Counter(str(versions[name]) for versions in held if name in versions)
    told = [f"{version} ({count} {plural('trial', count)})" for version, count in counts.most_common()]
    return f"{name}: {', '.join(told)}" if len(told) > 1 else ""
