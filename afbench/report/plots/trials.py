"""The data of a plot: the trials of one task with one choice of settings that ended well."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...errors import UsageError
from ...files.arrays import Array
from ...records.groups import agree
from ...records.members import is_older, members, spec_of
from ...records.store import Store
from ...records.trial import Record, Status
from ...registry.spec import BASELINE
from ...statistics.metric import Bounds, bounds_of, written
from ..selection import Selection, holdings, select, spec_among
from ..tables.caption import quantity
from ..tables.footnotes import failures
from .choice import all_groups, one_group

__all__ = ["BASELINE", "Array", "Arrays", "Names", "Trials"]

Arrays = dict[str, Array]
Parts = str | Sequence[str] | None
"""The value of ``--acts``: a text or its parts; None if the plot chooses."""
Names = Mapping[str, str] | str | Sequence[str]
"""Display names by spec, or the value of ``--names``."""
NOTHING = Selection(())
"""Nothing is asked for: the plot chooses."""


@dataclass(frozen=True)
class Trials:
    """The trials of one group in a store.

    Attributes:
        store: where they are.
        label: the task with its settings.
        about: what the records say of the task: headline, metric, unit, direction, target, references, plots.
        records: all of them, failed ones too, except those of older code.
        ok: those with a finite metric, by activation (the best mean first) and seed.
        available: all activations of the group.
        older: the names of the rows of older code, which are left out.
        named: the activations that were asked for and have a metric; empty if the plot chooses.
        selection: what was asked for: a plot that cannot draw what was named one by one is refused.
        names: what activations are called in the plot, by their specs.
        baseline: the baseline, if it is among ``ok``.
        beside: further folders, whose costs count too.
    """

    store: Store
    label: str
    about: Mapping[str, Any]
    records: Sequence[Record]
    ok: Mapping[str, Mapping[int, Record]]
    available: tuple[str, ...] = ()
    older: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    baseline: str | None = None
    selection: Selection = NOTHING
    names: Mapping[str, str] = field(default_factory=dict)
    beside: tuple[Store, ...] = ()
    _arrays: dict[str, Arrays] = field(default_factory=dict)

    @classmethod
    def of(cls, store: Store, task: str | None, activations: Parts, baseline: str) -> Trials:
        """Choose a group of a store's records.

        Raises:
            UsageError: if the task or an activation is unknown, several tasks fit, or no trial ended well.
        """
        label, every = one_group(store, task)
        about, _ = agree(every)
        rows, _ = members(every)
        records = [record for row, same in rows.items() if not is_older(row) for record in same]
        metric, sign = str(about.get("metric", "")), -1.0 if about.get("higher_is_better", True) else 1.0
        ok: dict[str, dict[int, Record]] = {}
        for record in records:
            if record.status is Status.OK and math.isfinite(record.metrics.get(metric, math.nan)):
                ok.setdefault(record.trial.activation, {})[record.trial.seed] = record
        if not ok:
            raise UsageError(
                f"no trial of {label} in {store.path} ended well, so there is nothing to draw (afbench table shows the "
                "reasons)"
            )
        means = {name: sign * float(np.mean([r.metrics[metric] for r in seeds.values()])) for name, seeds in ok.items()}
        ranked = {name: ok[name] for name in sorted(ok, key=lambda name: (means[name], name))}

        available = holdings((record.trial.activation, record.parameters.get("activation")) for record in every)
        available = {
            name: available[name] for name in [*ranked, *available]
        }  # a group is drawn in the order of the means
        asked = NOTHING if activations is None else select(activations, available, label)
        baseline = baseline if baseline == BASELINE else spec_among(baseline, available, label)
        named = tuple(name for name in asked.specs if name in ok)
        for name in asked.explicit if named else asked.specs:
            if name not in ok:
                code = "" if name in rows else ", all of code that was edited since,"
                raise UsageError(f"no trial of {name!r} in {label}{code} ended well (afbench table shows the reasons)")
        baseline_ok, older = baseline if baseline in ok else None, tuple(filter(is_older, rows))
        return cls(store, label, about, records, ranked, tuple(available), older, named, baseline_ok, asked)

    @classmethod
    def each(cls, stores: Sequence[Store], task: str | None, activations: Parts, baseline: str) -> tuple[Trials, ...]:
        """Choose every group of the stores' records, or that of a task in those that hold it.

        Raises:
            UsageError: as ``of``, for any of them; or if the same group is in several stores.
        """
        chosen: dict[str, Trials] = {}
        for store, label in all_groups(stores, task):
            trials = cls.of(store, label, activations, baseline)
            if trials.label in chosen:
                raise UsageError(f"{trials.label} is in several of these folders; copy its trials into one folder")
            chosen[trials.label] = trials
        return tuple(chosen.values())

    def called(self, activation: str) -> str:
        """Return what an activation, or an older row of it, is called in the plot: its spec unless a name was given."""
        spec = spec_of(activation)
        return self.names.get(spec, spec) + activation.removeprefix(spec)

    def all_called(self, activations: Iterable[str]) -> list[str]:
        """Return what some activations are called."""
        return [self.called(activation) for activation in activations]

    def wanted(self, activation: str) -> bool:
        """Tell whether an activation is to be drawn: if all are, it was asked for, or is the baseline."""
        return not self.named or self.selection.shows(activation, self.baseline or "")

    @property
    def explicit(self) -> frozenset[str]:
        """Those that were named one by one."""
        return self.selection.explicit

    @property
    def metric(self) -> str:
        """The main metric as it is written."""
        return written(str(self.about["metric"]))

    @property
    def bounds(self) -> Bounds:
        """The range that the metric cannot leave."""
        return bounds_of(self.about, str(self.about["metric"]))

    @property
    def higher_is_better(self) -> bool:
        """The metric's direction."""
        return bool(self.about.get("higher_is_better", True))

    @property
    def unit(self) -> str:
        """The metric's unit; empty if it has none."""
        return str(self.about.get("unit") or "")

    @property
    def references(self) -> dict[str, float]:
        """What the metric can be compared with, the target included."""
        target = self.about.get("target")
        return {**(self.about.get("references") or {}), **({} if target is None else {"target": target})}

    def score(self, activation: str, seed: int) -> float:
        """Return the main metric of a trial."""
        return float(self.ok[activation][seed].metrics[str(self.about["metric"])])

    def mean(self, activation: str) -> float:
        """Return the metric's mean over the seeds that ended well."""
        return float(np.mean([self.score(activation, seed) for seed in self.ok[activation]]))

    def show(self, value: float) -> str:
        """Print a value of the metric with its unit."""
        return f"{value:.1f} %" if self.unit == "%" else f"{value:.3g} {self.unit}".strip()

    def arrays(self, activation: str, seed: int) -> Arrays:
        """Return the arrays of a trial, read once; after ``keep`` those that were kept."""
        key = self.ok[activation][seed].key
        if key not in self._arrays:
            self._arrays[key] = self.store.arrays(key)
        return self._arrays[key]

    def keep(self, key: str, arrays: Arrays) -> None:
        """Replace the arrays of a trial by those that a plot can be drawn from."""
        self._arrays[key] = arrays

    @property
    def title(self) -> str:
        """The task, its settings and its headline, as a sentence."""
        headline = str(self.about.get("headline") or "")
        return f"{self.label}: {headline}." if headline else f"{self.label}."

    @property
    def compared(self) -> str:
        """What the metric can be compared with, as a sentence; empty if nothing."""
        words = "; ".join(f"{name} {quantity(value, self.unit)}" for name, value in self.references.items())
        return f"{words[:1].upper()}{words[1:]}." if words else ""

    def left_out(self, shown: Iterable[str]) -> str:
        """Name the failed trials of the activations shown, and activations without a number; empty if there are none.

        Rows of older code are named as in tables: ``snake (older code 9f3c)``.
        """
        lost = [record.trial.activation for record in self.records if record.trial.activation not in self.ok]
        names, parts = dict.fromkeys([*shown, *([] if self.named else lost)]), []
        for name in names:
            records = [record for record in self.records if record.trial.activation == name]
            failed = failures(records, self.metric, self.ok.get(name, {}))
            parts += [f"{self.called(name)} ({replace(failure, reason='').words(len(records))})" for failure in failed]
        parts += [self.called(row) for row in self.older if not self.named or spec_of(row) in names]
        return f"Left out: {', '.join(parts)}." if parts else ""


def left_out_of_each(tasks: Sequence[Trials], shown: Iterable[str]) -> Iterator[str]:
    """Say for each task what ``left_out`` says of it, naming the task."""
    shown = list(shown)
    for trials in tasks:
        sentence = trials.left_out(shown)
        yield f"{trials.label}: {sentence[0].lower()}{sentence[1:]}" if sentence else ""
