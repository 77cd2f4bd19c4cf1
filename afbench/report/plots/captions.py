"""Sentences that the captions of several plots share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ...records.members import spec_of
from ..tables.caption import quantity
from ..tables.footnotes import failures
from .trials import Trials


def title(trials: Trials) -> str:
    """Say the task, its settings and its headline."""
    headline = str(trials.about.get("headline") or "")
    return f"{trials.label}: {headline}." if headline else f"{trials.label}."


def compared(trials: Trials) -> str:
    """Say what the metric can be compared with; empty if nothing."""
    said = "; ".join(f"{name} {quantity(value, trials.unit)}" for name, value in trials.references.items())
    return f"{said[:1].upper()}{said[1:]}." if said else ""


def left_out(trials: Trials, shown: Iterable[str]) -> str:
    """Say which trials of the activations shown failed, and which activations gave nothing at all; empty if none.

    Rows of code that was edited since are named as tables name them: ``snake (older code 9f3c)``.
    """
    lost = [record.trial.activation for record in trials.records if record.trial.activation not in trials.ok]
    names, parts = dict.fromkeys([*shown, *([] if trials.named else lost)]), []
    for name in names:
        held = [record for record in trials.records if record.trial.activation == name]
        failed = failures(held, trials.metric, trials.ok.get(name, {}))
        parts += [f"{trials.called(name)} ({replace(failure, reason='').words(len(held))})" for failure in failed]
    parts += [trials.called(row) for row in trials.older if not trials.named or spec_of(row) in names]
    return f"Left out: {', '.join(parts)}." if parts else ""


def left_out_of_each(tasks: Sequence[Trials], shown: Iterable[str]) -> Iterator[str]:
    """Say for each task what ``left_out`` says of it, naming the task."""
    shown = list(shown)
    for trials in tasks:
        said = left_out(trials, shown)
        yield f"{trials.label}: {said[0].lower()}{said[1:]}" if said else ""
