"""Which records of a results folder a plot is about: those of one task under one choice of settings."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import UsageError, did_you_mean
from ...store import Store
from ...trial import Record
from ..groups import Group, grouped, headings


def choose(store: Store, task: str | None) -> tuple[str, list[Record]]:
    """Choose a group of a store's records, and say its label.

    Args:
        store: the results folder.
        task: a label, or a task's name if the store holds it under one choice of settings; None if it holds one group.

    Raises:
        UsageError: if no group fits, or several do.
    """
    labelled = labels(grouped(store.records()))
    if not labelled:
        raise UsageError(f"no results in {store.path} (afbench run --task TASK --out {store.path} makes some)")
    fits = list(labelled)
    if task is not None:
        wanted = "".join(task.split())
        fits = [label for label in labelled if label == wanted]
        fits = fits or [label for label, records in labelled.items() if records[0].trial.task == wanted]
    if len(fits) == 1:
        return fits[0], labelled[fits[0]]
    if not fits:
        raise UsageError(
            f"no task {task!r} in {store.path}{did_you_mean(str(task), labelled)} (it holds: {', '.join(labelled)})"
        )
    raise UsageError(f"{store.path} holds several tasks or settings; name one as the task: {' or '.join(fits)}")


def labels(groups: Mapping[Group, list[Record]]) -> dict[str, list[Record]]:
    """Label groups: ``gmm``, ``gmm[epochs=3]``, and ``gmm@cuda/float32`` where only the device tells them apart."""
    return {name: groups[group] for group, name in headings(groups).items()}
