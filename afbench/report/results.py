"""A results folder as a DataFrame with one row a record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from ..records.groups import group_of
from ..records.store import Store
from ..records.trial import Record

FIRST = ["key", "task", "activation", "seed", "settings", "device", "dtype", "status", "reason"]
COUNTS = ["activation_parameters", "trainable_parameters", "total_parameters"]
LAST = [*COUNTS, "seconds", "concurrency", "environment", "source"]


def load(path: str | Path) -> pd.DataFrame:
    """Load a results folder: one row a record, one column a metric; nothing in it is imported or executed.

    Columns: ``key, task, activation, seed, settings, device, dtype, status, reason``, then the metrics, then
    ``activation_parameters, trainable_parameters, total_parameters, seconds, concurrency, environment, source`` and
    ``version_*``. ``settings`` is a text of those that differ from the task's defaults: ``epochs=3, lr=0.01``.
    ``source`` tells records of edited code apart, and is empty where all code comes with afbench. A folder
    without records gives a frame without rows. Files that are no records are named in ``frame.attrs["problems"]``.

    Raises:
        UsageError: if there is no results folder, or a later afbench wrote a record.

    Example::

        frame = afbench.load("results/gmm")
        frame[frame.status == "ok"].groupby("activation").accuracy.mean()
    """
    store = Store.open(path)
    records = store.records()
    metrics = [column(name) for name in names(record.metrics for record in records)]
    versions = [f"version_{name}" for name in names(record.versions for record in records)]
    frame = pd.DataFrame([flat(record) for record in records], columns=[*FIRST, *metrics, *LAST, *versions])
    frame.attrs["problems"] = dict(store.problems)
    return frame


def flat(record: Record) -> dict[str, Any]:
    """Flatten a record; columns that it lacks are left out."""
    group = group_of(record)
    return {
        "key": record.key,
        **vars(group),
        "activation": record.trial.activation,
        "seed": record.trial.seed,
        "status": str(record.status),
        "reason": record.reason,
        **{column(name): value for name, value in record.metrics.items()},
        **{f"{name}_parameters": count for name, count in record.parameters.items()},
        "seconds": record.seconds,
        "concurrency": record.concurrency,
        "environment": record.environment,
        "source": record.source,
        **{f"version_{name}": value for name, value in record.versions.items()},
    }


def column(metric: str) -> str:
    """Name a metric's column: its own name, unless a record has a field of that name."""
    return f"metric_{metric}" if metric in (*FIRST, *LAST) else metric


def names(mappings: Any) -> list[str]:
    """List the keys of all mappings, each once, in the order they appear."""
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))
