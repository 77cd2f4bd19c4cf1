"""One attempt at a trial: train, and turn whatever happens into a record. A failure is a record too."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from ..engines.signals import interrupted
from ..errors import one_line
from ..records.environment import now, versions
from ..records.failure import failure
from ..records.trial import Record, Status, Trial
from ..registry.factory import Choice, choose
from ..tasks.base import Arrays, Task, create_task
from .train import train


@dataclass(frozen=True)
class Attempt:
    """A trial about to be run, and what its record must know of the run."""

    trial: Trial
    environment: str = ""
    concurrency: int = 1
    number: int = 1


def attempt(job: Attempt) -> tuple[Record, Arrays]:
    """Run a trial; never raises for what the activation or the task does."""
    started, clock = now(), time.perf_counter()
    arrays: Arrays = {}
    changes: dict[str, Any] = {}
    try:
        task, choice = create_task(job.trial.task, job.trial.settings), choose(job.trial.activation)
        changes = describe(task, choice)
        trained = train(task, choice, job.trial.seed)
        arrays = trained.arrays
        changes |= {"metrics": trained.metrics, "parameters": vars(trained.parameters), "status": Status.OK}
    except BaseException as error:  # other people's code raises anything
        if issubclass(type(error), KeyboardInterrupt) and interrupted():  # isinstance asks the exception itself
            raise
        changes |= failure(error)
    seconds = time.perf_counter() - clock
    return sound(blank(job).with_(started=started, seconds=seconds, **changes), job), arrays


def sound(record: Record, job: Attempt) -> Record:
    """Return a record as it will be read again: plain values, whatever a user's task put into it."""
    try:
        return Record.from_json(record.to_json())
    except Exception as error:
        return blank(job, Status.ERROR, f"its record cannot be kept: {one_line(error)}").with_(seconds=record.seconds)


def blank(job: Attempt, status: Status = Status.LOST, message: str = "") -> Record:
    """Make the record of an attempt that has told nothing yet: what stands if its process dies."""
    error = {"type": "", "message": message, "traceback": ""} if message else None
    return Record(
        job.trial,
        status,
        concurrency=job.concurrency,
        environment=job.environment,
        attempt=job.number,
        error=error,
        started=now(),
    )


def describe(task: Task, choice: Choice) -> dict[str, Any]:
    """Say what a record must know to stand alone: settings, versions, and what reports print."""
    return {
        "about": task.about(),
        "resolved": {"task": task.settings, "activation": choice.resolved},
        "versions": versions(choice.entry, task.version),
    }
