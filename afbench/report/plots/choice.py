"""The records of a results folder that a plot shows: those of one task with one choice of settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...errors import UsageError, did_you_mean
from ...records.groups import grouped, headings
from ...records.store import Store
from ...records.trial import Record


def one_group(store: Store, task: str | None) -> tuple[str, list[Record]]:
    """Return the label and the records of one group of a store.

    Args:
        store: the results folder.
        task: a label, or a task's name if the store holds it under one choice of settings; None if it holds one group.

    Raises:
        UsageError: if no group fits, or several do.
    """
    labelled = labels(store)
    if not labelled:
        raise UsageError(f"no results in {store.path}; make some with: afbench run --task TASK --out {store.path}")
    fits = list(labelled) if task is None else fitting(labelled, task)
    if len(fits) == 1:
        return fits[0], labelled[fits[0]]
    if not fits:
        raise unknown(str(task), [store], labelled)
    raise UsageError(f"{store.path} holds several tasks or settings; choose one with --task: {' or '.join(fits)}")


def all_groups(stores: Sequence[Store], task: str | None) -> list[tuple[Store, str | None]]:
    """List the groups of several stores: each label of each store, or a task with the stores that hold it.

    Raises:
        UsageError: if none of several stores holds the task; ``one_group`` raises all other errors.
    """
    by_store = [(store, labels(store)) for store in stores]
    if task is None:
        return [(store, label) for store, labelled in by_store for label in labelled or [None]]
    having = [store for store, labelled in by_store if fitting(labelled, task)]
    if not having and len(stores) > 1:
        raise unknown(task, stores, [label for _, labelled in by_store for label in labelled])
    return [(store, task) for store in having or stores]


def fitting(labelled: Mapping[str, Sequence[Record]], task: str) -> list[str]:
    """List the labels that a task can mean: itself, else those under which the task of this name was run."""
    wanted = "".join(task.split())
    if wanted in labelled:
        return [wanted]
    return [label for label, records in labelled.items() if records[0].trial.task == wanted]


def unknown(task: str, stores: Sequence[Store], known: Iterable[str]) -> UsageError:
    """Word the error for a task that no store holds."""
    known, where = list(dict.fromkeys(known)), ", ".join(str(store.path) for store in stores)
    content = f"{'it holds' if len(stores) == 1 else 'they hold'}: {', '.join(known) or 'no results'}"
    return UsageError(f"no task {task!r} in {where}{did_you_mean(task, known)} ({content})")


def labels(store: Store) -> dict[str, list[Record]]:
    """Group a store's records by label: ``gmm``, ``gmm[epochs=3]``, ``gmm@cuda/float32`` if only the device differs."""
    groups = grouped(store.records())
    return {name: groups[group] for group, name in headings(groups).items()}
