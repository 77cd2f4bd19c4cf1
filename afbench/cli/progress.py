"""Progress on a terminal: a bar with the time left; without a terminal, a line now and then."""

from __future__ import annotations

import statistics
import sys
import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from ..campaign.plan import Pending, Plan
from ..campaign.run import RunListener
from ..cost.listening import CostListener
from ..records.cost import Cost
from ..records.store import Store
from ..records.trial import Record
from ..records.wording import counted

if TYPE_CHECKING:
    from rich.progress import Progress

LINE_EVERY = 15.0
"""Seconds between two lines if there is no terminal."""


class Forecast:
    """The time left, estimated from the times of each activation's trials."""

    def __init__(self, waiting: list[str], jobs: int) -> None:
        """Start with the activations of all trials that wait."""
        self.waiting, self.jobs = Counter(waiting), jobs
        self.seconds: dict[str, list[float]] = defaultdict(list)

    def learn(self, record: Record) -> None:
        """Add the time of a trial."""
        if record.seconds > 0:
            self.seconds[record.trial.activation].append(record.seconds)

    def left(self) -> float | None:
        """Return the seconds left; None until a trial has ended."""
        if not self.seconds:
            return None
        known = {name: statistics.fmean(values) for name, values in self.seconds.items()}
        typical = statistics.fmean(known.values())
        return sum(count * known.get(name, typical) for name, count in self.waiting.items()) / self.jobs


class Terminal(RunListener):
    """Prints the plan and the progress of a run."""

    def __init__(self) -> None:
        """Print progress to standard error and all else to standard output."""
        from rich.console import Console

        self.console = Console(stderr=True)
        self.bar: Progress | None = None
        self.last = time.monotonic()

    def planned(self, plan: Plan, pending: Pending, jobs: int, store: Store) -> None:
        """Print the plan: the task, how many trials there are and are done, and how long the rest takes."""
        task = plan.task
        references = ", ".join(f"{name} {value:.4g} {task.unit}" for name, value in task.references().items())
        print(f"{task.name}: {task.headline}" + (f"; {references}" if references else ""))
        self.forecast = Forecast([trial.activation for trial, _ in pending.todo], min(jobs, len(pending.todo) or 1))
        for record in pending.done:
            self.forecast.learn(record)
        seeds = f"{plan.seeds} seed{'s' * (plan.seeds != 1)}"
        trials, activations = len(plan.trials), len(plan.choices)
        counts = f"{trials} trial{'s' * (trials != 1)} = {activations} activation{'s' * (activations != 1)} x {seeds}"
        left = self.forecast.left()
        about = f"; about {minutes(left)}" if left is not None and pending.todo else ""
        stale = f"; {len(pending.stale)} stale, run again" if pending.stale else ""
        running = f"; running {jobs} process{'es' * (jobs != 1)}" if pending.todo else ""
        print(f"{counts}; {len(pending.done)} of {trials} done{stale}{about}{running}")
        for line in staleness(plan, pending):
            print(line)
        added = ", added to the plan" if plan.added_baseline else ""
        print(f"baseline: {plan.baseline.spec}{added}; results: {store.path}", flush=True)
        self.total, self.count = len(pending.todo), 0
        self.seeds = Counter(record.trial.activation for record in pending.done)
        self.wanted = plan.seeds
        if self.total and self.console.is_terminal:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            self.bar = Progress(
                TextColumn("{task.fields[stage]}"),
                BarColumn(32),
                MofNCompleteColumn(),
                TextColumn("{task.fields[left]}"),
                TextColumn("{task.fields[now]}"),
                console=self.console,
                transient=True,
            )
            self.task = self.bar.add_task("", total=self.total, stage="trials", left="", now="")
            self.bar.start()

    def finished(self, record: Record) -> None:
        """Move on by a trial."""
        self.count += 1
        name = record.trial.activation
        self.forecast.waiting[name] -= 1
        self.forecast.learn(record)
        self.seeds[name] += 1
        left = self.forecast.left()
        rest = f"about {minutes(left)} left" if left is not None and self.count < self.total else ""
        self.show("trials", self.count, self.total, rest, f"{name}: {self.seeds[name]} of {self.wanted} seeds done")

    def measured(self, cost: Cost, count: int, total: int, left: float) -> None:
        """Move on by a cost."""
        rest = f"{minutes(left)} left" if count < total else ""
        self.show("cost", count, total, rest, "measuring step time and memory; nothing else runs")

    def show(self, stage: str, done: int, total: int, left: str, now: str) -> None:
        """Update the bar, or print a line if it is time for one."""
        if self.bar is not None:
            self.bar.update(self.task, completed=done, total=total, stage=stage, left=left, now=now)
        elif time.monotonic() - self.last > LINE_EVERY or done == total:
            self.last = time.monotonic()
            print("  ".join(filter(None, [f"{stage} {done}/{total}", left, now])), file=sys.stderr, flush=True)

    def warned(self, message: str) -> None:
        """Print a warning."""
        (self.bar.console if self.bar else self.console).print(
            f"afbench: warning: {message}", markup=False, highlight=False, soft_wrap=True
        )

    def close(self) -> None:
        """Remove the bar."""
        if self.bar is not None:
            self.bar.stop()


class Lines(CostListener):
    """Prints the plan, and how far the run is now and then."""

    def __init__(self) -> None:
        """Start the clock that keeps lines apart."""
        self.last = time.monotonic()

    def costs_planned(self, total: int, done: int, what: str, store: Store) -> None:
        """Print the plan."""
        print(f"{counted('cost', total)} = {what}; {done} done; results: {store.path}", file=sys.stderr, flush=True)

    def measured(self, cost: Cost, count: int, total: int, left: float) -> None:
        """Print how many costs are measured, and the time left."""
        if time.monotonic() - self.last > LINE_EVERY or count == total:
            self.last = time.monotonic()
            rest = f"  {minutes(left)} left" if count < total else ""
            print(f"cost {count}/{total}{rest}  {cost.activation}", file=sys.stderr, flush=True)


def staleness(plan: Plan, pending: Pending) -> list[str]:
    """List the code that changed since records were made, and what happens to those records."""
    lines = []
    for records, fate in (
        (pending.stale, "run again"),
        (pending.kept, "kept by --keep-stale, although the current code may give other results"),
    ):
        names = {record.trial.activation: record.source != plan.sources[record.trial.activation] for record in records}
        edited, raised = ([name for name, how in names.items() if how is want] for want in (True, False))
        for changed, what in ((edited, "source"), (raised, "version")):
            if changed:
                count = sum(record.trial.activation in changed for record in records)
                listed = ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")
                lines.append(f"stale: the {what} of {listed} or of its task changed; {count} trials {fate}")
    return lines


def minutes(seconds: float) -> str:
    """Print seconds for a person.

    >>> minutes(72)
    '1:12'
    """
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
