"""Which records of a results folder a plot is about: those of one task under one choice of settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...errors import UsageError, did_you_mean
from ...records.groups import Group, grouped, headings
from ...records.store import Store
from ...records.trial import Record


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
    fits = list(labelled) if task is None else fitting(labelled, task)
    if len(fits) == 1:
        return fits[0], labelled[fits[0]]
    if not fits:
        raise unknown(str(task), [store], labelled)
    raise UsageError(f"{store.path} holds several tasks or settings; name one as the task: {' or '.join(fits)}")


def choose_all(stores: Sequence[Store], task: str | None) -> list[tuple[Store, str | None]]:
    """List what is to be chosen of several stores: each label of each, or a task of those that hold it.

    Raises:
        UsageError: if none of several holds the task. What a store lacks otherwise, ``choose`` says.
    """
    held = [(store, labels(grouped(store.records()))) for store in stores]
    if task is None:
        return [(store, label) for store, labelled in held for label in labelled or [None]]
    found = [store for store, labelled in held if fitting(labelled, task)]
    if not found and len(stores) > 1:
        raise unknown(task, stores, [label for _, labelled in held for label in labelled])
    return [(store, task) for store in found or stores]


def fitting(labelled: Mapping[str, Sequence[Record]], task: str) -> list[str]:
    """List the labels that a task can mean: itself, else those under which the task of this name was run."""
    wanted = "".join(task.split())
    if wanted in labelled:
        return [wanted]
    return [label for label, records in labelled.items() if records[0].trial.task == wanted]


def unknown(task: str, stores: Sequence[Store], known: Iterable[str]) -> UsageError:
    """Word the error for a task that no store holds."""
    known, where = list(dict.fromkeys(known)), ", ".join(str(store.path) for store in stores)
    held = f"{'it holds' if len(stores) == 1 else 'they hold'}: {', '.join(known) or 'no results'}"
    return UsageError(f"no task {task!r} in {where}{did_you_mean(task, known)} ({held})")


def labels(groups: Mapping[Group, list[Record]]) -> dict[str, list[Record]]:
    """Label groups: ``gmm``, ``gmm[epochs=3]``, and ``gmm@cuda/float32`` where only the device tells them apart."""
    return {name: groups[group] for group, name in headings(groups).items()}
