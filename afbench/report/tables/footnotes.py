"""Footnotes and notes on what is unusual: failed trials, two groups of seeds, mixed versions."""

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
        """Describe the failure in one line: ``2 of 5 seeds diverged; seed 3: at step 212 (loss inf)``."""
        known = self.status in list(Status)
        what = WORDS[Status(self.status)] if known else f"ended with {self.status}"
        reason = shorten(self.reason.removeprefix(f"{self.status} "))
        return f"{self.count} of {trials} seeds {what}" + (f"; seed {self.seed}: {reason}" if reason else "")


def failures(records: Iterable[Record], metric: str, ok: Iterable[int]) -> tuple[Failure, ...]:
    """Count the trials of an activation that gave no number, by status."""
    by_status: dict[str, list[Record]] = {}
    ended = set(ok)
    for record in sorted(records, key=lambda r: r.trial.seed):
        if record.trial.seed not in ended:
            status = f"no finite {metric}" if record.status is Status.OK else str(record.status)
            by_status.setdefault(status, []).append(record)
    return tuple(Failure(s, len(same), same[0].trial.seed, same[0].reason) for s, same in by_status.items())


def two_groups(modes: Modes) -> str:
    """Say into which groups seeds fall: ``two groups: 3 seeds near 91, 2 near 5; ...``."""
    (many, few), (high, low) = modes.counts, modes.medians
    return (
        f"two groups: {many} {plural('seed', many)} near {high:.3g}, {few} near {low:.3g}; "
        "the median says more than the mean"
    )


def mixtures(records: Sequence[Record]) -> list[str]:
    """Say which versions and environments differ between the trials of a table."""
    notes = [f"mixed versions of {text}" for name in SHARED_VERSIONS if (text := mixture(records, name))]
    places = Counter(record.environment for record in records)
    if len(places) > 1:
        counts = " + ".join(str(count) for _, count in places.most_common())
        notes.append(f"trials from {len(places)} environments ({counts})")
    return notes


def own_mixtures(records: Sequence[Record]) -> list[str]:
    """Say which versions and counts differ between the seeds of one activation."""
    notes = [
        f"seeds of this row ran with different versions of {text}"
        for name in OWN_VERSIONS
        if (text := mixture(records, name))
    ]
    if len({record.parameters.get("activation") for record in records}) > 1:
        notes.append("seeds of this row have different numbers of activation parameters; the largest is shown")
    return notes


def mixture(records: Iterable[Record], name: str) -> str:
    """Say which versions of one thing occur, and how often: ``torch: 2.13.0 (4 trials), 2.11.0 (1 trial)``."""
    all_versions = [record.versions for record in records]
    if all(versions == all_versions[0] for versions in all_versions):  # nearly always, and quick
        return ""
    counts = Counter(str(versions[name]) for versions in all_versions if name in versions)
    words = [f"{version} ({count} {plural('trial', count)})" for version, count in counts.most_common()]
    return f"{name}: {', '.join(words)}" if len(words) > 1 else ""
