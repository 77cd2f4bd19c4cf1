"""A run, as the command ``run`` does it: plan, trials in an engine, records in the store, then the cost pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

from ..cost.busy import too_busy
from ..cost.listening import CostListener, Measured
from ..cost.work import by_key, carry_out, plan_network
from ..data import roots
from ..device import resolve_device
from ..engines import ENGINES, Failure, Setup
from ..engines.ambient import pinned
from ..engines.signals import terminable
from ..errors import UsageError, did_you_mean
from ..records import environment
from ..records.store import Conflict, Store
from ..records.trial import Record, Status
from ..registry import discovery
from ..registry.entries import load_plugins
from ..registry.numerals import count
from ..tasks.base import Arrays, changed, create_task
from ..training.attempt import Attempt, attempt, blank, describe
from . import plan
from .plan import Pending, Plan

MOST_JOBS = 1_000_000
LONGEST = 365 * 24 * 3600.0
"""Seconds that ``--timeout`` takes at most."""


class RunListener(CostListener):
    """Hears how a run goes. Each method does nothing: override those that you want to hear."""

    def planned(self, plan: Plan, pending: Pending, jobs: int, store: Store) -> None:
        """Hear the plan before the first trial."""

    def finished(self, record: Record) -> None:
        """Hear of a trial that ended and is in the store."""

    def warned(self, message: str) -> None:
        """Hear of something odd that does not stop the run."""


@dataclass
class Summary:
    """What a run did: records of this call, records that the store held, and the folder."""

    store: Store
    plan: Plan
    new: list[Record] = field(default_factory=list)
    skipped: list[Record] = field(default_factory=list)
    interrupted: bool = False

    @property
    def failed(self) -> list[Record]:
        """All records of the plan that are not ok, whenever they were made."""
        return [record for record in [*self.new, *self.skipped] if record.status is not Status.OK]

    @property
    def ok(self) -> list[Record]:
        """The records that this call made and that are ok."""
        return [record for record in self.new if record.status is Status.OK]


def run(
    task: str,
    acts: str | Iterable[str] = "all",
    *,
    seeds: int = 5,
    out: str | Path | None = None,
    jobs: int | None = None,
    settings: Mapping[str, object] | None = None,
    budget: str = "default",
    baseline: str = "relu",
    device: str = "auto",
    engine: str = "process",
    timeout: float | None = None,
    retry: bool = False,
    keep_stale: bool = False,
    cost: bool = True,
    plugins: Iterable[str | Path] = (),
    data_root: str | Path | None = None,
    listener: RunListener | None = None,
) -> Summary:
    """Train a task's network with each activation over seeds, and keep what comes out.

    What the store already holds is not run again. Interrupting loses at most the trials in flight.

    Args:
        task: the task's name.
        acts: what ``--acts`` takes: ``"all"``, ``"trainable,-pau"``, specs.
        seeds: seeds 0 to ``seeds - 1``.
        out: the results folder; ``results/TASK`` if not given.
        jobs: how many processes; as many as the cores (over the task's threads) if not given.
        settings: the task's settings that are to differ.
        budget: ``smoke``, ``default``, ``paper``, or a fraction of the epochs.
        baseline: what the others are compared with; always part of the plan.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``.
        engine: ``process``, or ``inline`` to debug.
        timeout: seconds a trial may take.
        retry: whether failed trials are tried again.
        keep_stale: whether records of other versions count.
        cost: whether to measure step time and memory after the trials.
        plugins: Python files that register activations or tasks.
        data_root: a folder to look for data sets in first, as ``--data-root``; for this call only.
        listener: hears how the run goes.

    Raises:
        UsageError: if the call is wrong; nothing is written then.
        Unavailable: if the task's data is missing; nothing is written then either.

    >>> import afbench, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = run("digits", "prelu", seeds=1, out=folder, budget="smoke", engine="inline", cost=False)
    ...     len(afbench.load(folder))
    2
    """
    if data_root is not None:
        with roots.using(data_root):
            return run(**{**locals(), "data_root": None})
    listener = listener or RunListener()
    if discovery.loading:
        raise UsageError(
            f"afbench.run was called while {discovery.loading[-1]} is imported; "
            "put the call under: if __name__ == '__main__':"
        )
    files = load_plugins(plugins)
    if engine not in ENGINES:
        raise UsageError(f"unknown engine {engine!r}{did_you_mean(engine, ENGINES)} (engines: {', '.join(ENGINES)})")
    chosen = {"device": device, **(settings or {})}
    created = create_task(task, chosen | {"device": resolve_device(str(chosen["device"]))}, budget)
    planned = plan.make_plan(created, acts, seeds, baseline)
    cores = environment.cores()
    asked = count("--jobs", jobs, MOST_JOBS) if jobs is not None else max(1, cores // created.threads)
    jobs = min(asked, cores)
    if timeout is not None and not 0 < timeout <= LONGEST:
        raise UsageError(f"--timeout must be above 0 and at most {LONGEST:.0f} seconds (a year), not {timeout}")
    created.prepare()
    setup = Setup.of(planned.entries, files, engine)
    store = Store.open(out if out is not None else Path("results") / task, write=True)
    pending = plan.pending(planned, store, retry=retry, keep_stale=keep_stale)
    store.make()
    for problem in store.problems.values():
        listener.warned(problem)
    if asked > jobs:
        listener.warned(f"--jobs {asked} exceeds the {cores} cores of this machine; {jobs} jobs run at once")
    listener.planned(planned, pending, jobs, store)
    summary = Summary(store, planned, skipped=pending.done)
    with terminable():
        try:
            trials(summary, pending, engine, jobs, setup.for_trials(created, planned.choices), timeout, listener)
            if cost:
                costs(summary, engine, setup, listener)
        except KeyboardInterrupt:
            summary.interrupted = True
    return summary


def trials(
    summary: Summary,
    pending: Pending,
    engine: str,
    jobs: int,
    setup: Setup,
    timeout: float | None,
    listener: RunListener,
) -> None:
    """Run what is pending; every outcome is in the store before the next is looked at."""
    store, machine = summary.store, environment.read()
    for record in pending.stale:
        store.retire(record)
    store.sweep()
    if pending.todo:
        store.write_json("environments", machine["id"], machine)
    items = [Attempt(trial, machine["id"], jobs, number) for trial, number in pending.todo]
    with closing(ENGINES[engine](attempt, items, jobs=jobs, setup=setup, timeout=timeout)) as outcomes:
        for job, outcome in outcomes:
            if isinstance(outcome, Failure):
                with pinned():
                    known = describe(summary.plan.task, summary.plan.choice(job.trial))
                record = blank(job, Status(outcome.kind), outcome.message).with_(**known)
                arrays: Arrays = {}
            else:
                record, arrays = outcome
            record = record.with_(source=summary.plan.sources[job.trial.activation])
            try:
                store.write(record, arrays)
            except Conflict as conflict:
                listener.warned(str(conflict))
            summary.new.append(record)
            listener.finished(record)


def costs(summary: Summary, engine: str, setup: Setup, listener: RunListener) -> None:
    """Measure the costs that the store lacks, as ``afbench cost --task`` does, of each activation that was trained."""
    store, plan_ = summary.store, summary.plan
    trained = {record.trial.activation for record in [*summary.new, *summary.skipped] if record.status is Status.OK}
    choices = [choice for choice in plan_.choices if choice.spec in trained]
    wanted = plan_network(plan_.task, choices, plan_.baseline, environment.read()["id"], by_key(store.costs()))
    done = Measured(store)
    carry_out(wanted, done, engine, setup, listener)
    for cost in done.new:
        if not cost.ok:
            listener.warned(f"no cost for {cost.activation}: {cost.failure}")
    if done.new and (why := too_busy(done.costs)):
        acts = ",".join(choice.spec for choice in choices)
        base = "" if plan_.baseline.spec == "relu" else f" --baseline {quote(plan_.baseline.spec)}"
        given = base + "".join(f" --set {quote(f'{name}={value}')}" for name, value in changed(plan_.task).items())
        listener.warned(
            f"the machine was too busy for timing ({why}), so the table shows no step times. Measure again later: "
            f"afbench cost --task {plan_.task.name} --acts {quote(acts)}{given} --again --out {quote(str(store.path))}"
        )
