"""The plan: task x activations x seeds, minus what the store already holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..engines.witness import check_choices, put_back
from ..errors import UsageError
from ..records.environment import versions
from ..records.sources import sources_of
from ..records.store import Store
from ..records.trial import Record, Trial
from ..registry.entries import TASKS
from ..registry.entry import Entry
from ..registry.factory import Choice, choose
from ..registry.numerals import count
from ..registry.selecting import select
from ..tasks.base import Task, changed

MOST_SEEDS = 10_000
MOST_TRIALS = 200_000
"""A larger plan is a mistake: planning alone would take minutes."""


@dataclass(frozen=True)
class Plan:
    """All trials of a call, seed by seed, so that an interrupted run leaves whole seeds."""

    task: Task
    choices: Sequence[Choice]
    baseline: Choice
    seeds: int
    added_baseline: bool
    trials: Sequence[Trial]
    sources: Mapping[str, str] = field(default_factory=dict)
    """By spec, the source of what does not come with afbench; read once, when the code is loaded."""

    @property
    def entries(self) -> list[Entry]:
        """The task's and the activations' entries."""
        return [TASKS.find(self.task.name)[0], *(choice.entry for choice in self.choices)]

    def choice(self, trial: Trial) -> Choice:
        """Return the activation of a trial."""
        return next(choice for choice in self.choices if choice.spec == trial.activation)


@dataclass
class Pending:
    """What is left of a plan: trials to run with the number of the attempt, records that count, stale records."""

    todo: list[tuple[Trial, int]] = field(default_factory=list)
    done: list[Record] = field(default_factory=list)
    stale: list[Record] = field(default_factory=list)
    kept: list[Record] = field(default_factory=list)
    """Those of ``done`` that are stale, and count because of ``keep_stale``."""


def make_plan(task: Task, acts: str | Iterable[str], seeds: int, baseline: str = "relu") -> Plan:
    """Make the plan. Each activation is built on the meta device, so that wrong settings show before anything runs.

    Raises:
        UsageError: if nothing is selected, a spec is wrong, or ``seeds`` is below 1.
    """
    seeds = count("--seeds", seeds, MOST_SEEDS)
    choices = select(acts, put_back)
    base = choose(baseline)
    missing = base.spec not in {choice.spec for choice in choices}
    choices = [base, *choices] if missing else choices
    if len(choices) * seeds > MOST_TRIALS:
        raise UsageError(f"{len(choices)} activations x {seeds} seeds are more than {MOST_TRIALS} trials; run fewer")
    check_choices(choices)
    settings = changed(task)
    trials = [Trial(task.name, choice.spec, seed, settings) for seed in range(seeds) for choice in choices]
    sources = sources_of(choices, task=TASKS.find(task.name)[0])
    return Plan(task, choices, base, seeds, missing, trials, sources)


def pending(plan: Plan, store: Store, *, retry: bool = False, keep_stale: bool = False) -> Pending:
    """Compare a plan with the store.

    Raises:
        UsageError: if a damaged file has the name of a planned record.
    """
    records_by_key = {record.key: record for record in store.records()} if store.path.exists() else {}
    left = Pending()
    current = {choice.spec: versions(choice.entry, plan.task.version) for choice in plan.choices}
    for trial in plan.trials:
        if trial.key in store.problems:
            problem = store.problems[trial.key].removesuffix("; the file stays and is not counted")
            raise UsageError(f"{problem}; move it away to run {trial} again")
        record = records_by_key.get(trial.key)
        stale = record is not None and is_stale(record, current[trial.activation], plan.sources[trial.activation])
        if record is None:
            left.todo.append((trial, 1))
        elif stale and not keep_stale:
            left.stale.append(record)
            left.todo.append((trial, 1))
        elif not record.status.done or (retry and record.error is not None):
            left.todo.append((trial, record.attempt + 1))
        else:
            left.done.append(record)
            left.kept += [record] * stale
    return left


def is_stale(record: Record, current: Mapping[str, object], source: str) -> bool:
    """Tell whether the task, the activation or the loop has changed its results since: by version, or by source."""
    if not record.versions:
        return False
    raised = any(record.versions.get(name) != current[name] for name in ("task", "activation", "loop"))
    return raised or record.source != source
