"""What a plot is drawn from: the trials of one task under one choice of settings that ended well, and their arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import UsageError, did_you_mean
from ...metric import Bounds, bounds_of, written
from ...store import Store
from ...trial import Record, Status
from ..footnotes import agree
from .choice import choose, choose_all

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]
BASELINE = "relu"


@dataclass(frozen=True)
class Trials:
    """The trials of one group in a store.

    Attributes:
        store: where they are.
        label: the task with its settings.
        about: what the records say of the task: headline, metric, unit, direction, target, references, plots.
        records: all of them, failed ones too.
        ok: those with a finite metric, by activation (the best mean first) and seed.
        named: the activations that were asked for; empty if the plot is to choose.
        baseline: the baseline, if it is among ``ok``.
        beside: further folders, whose costs count too.
    """

    store: Store
    label: str
    about: Mapping[str, Any]
    records: Sequence[Record]
    ok: Mapping[str, Mapping[int, Record]]
    named: tuple[str, ...] = ()
    baseline: str | None = None
    beside: tuple[Store, ...] = ()
    _arrays: dict[str, Arrays] = field(default_factory=dict)

    @classmethod
    def of(cls, store: Store, task: str | None, activations: Sequence[str] | None, baseline: str) -> Trials:
        """Choose a group of a store's records.

        Raises:
            UsageError: if the task or an activation is unknown, several tasks fit, or no trial ended well.
        """
        label, records = choose(store, task)
        about, _ = agree(records)
        metric, sign = str(about.get("metric", "")), -1.0 if about.get("higher_is_better", True) else 1.0
        ok: dict[str, dict[int, Record]] = {}
        for record in records:
            if record.status is Status.OK and math.isfinite(record.metrics.get(metric, math.nan)):
                ok.setdefault(record.trial.activation, {})[record.trial.seed] = record
        if not ok:
            raise UsageError(
                f"no trial of {label} in {store.path} ended well: nothing to draw (afbench table says why)"
            )
        means = {name: sign * float(np.mean([r.metrics[metric] for r in held.values()])) for name, held in ok.items()}
        ranked = {name: ok[name] for name in sorted(ok, key=lambda name: (means[name], name))}

        named = tuple(dict.fromkeys(activations or ()))
        known = {record.trial.activation for record in records}
        for name in (*named, *((baseline,) if baseline != BASELINE else ())):
            if name not in known:
                held = ", ".join(sorted(known))
                raise UsageError(f"no activation {name!r} in {label}{did_you_mean(name, known)} (it holds: {held})")
        for name in named:
            if name not in ok:
                raise UsageError(f"no trial of {name!r} in {label} ended well (afbench table says why)")
        return cls(store, label, about, records, ranked, named, baseline if baseline in ok else None)

    @classmethod
    def each(
        cls, stores: Sequence[Store], task: str | None, activations: Sequence[str] | None, baseline: str
    ) -> tuple[Trials, ...]:
        """Choose every group of the stores' records, or that of a task in those that hold it.

        Raises:
            UsageError: as ``of``, for any of them; or if the same group is in several stores.
        """
        chosen: dict[str, Trials] = {}
        for store, label in choose_all(stores, task):
            trials = cls.of(store, label, activations, baseline)
            if trials.label in chosen:
                raise UsageError(
                    f"{trials.label} is in several of the folders: it is drawn once if its trials lie in one folder"
                )
            chosen[trials.label] = trials
        return tuple(chosen.values())

    def wanted(self, activation: str) -> bool:
        """Tell whether an activation is to be drawn: if it was named, is the baseline, or none was named."""
        return not self.named or activation in (*self.named, self.baseline)

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
        """Return the arrays of a trial; they are read once."""
        key = self.ok[activation][seed].key
        if key not in self._arrays:
            self._arrays[key] = self.store.arrays(key)
        return self._arrays[key]

    def holding(self, kind: str, *starts: str) -> dict[str, list[int]]:
        """Return the seeds of each activation whose trials left what a plot is drawn from, the best activation first.

        Args:
            kind: the plot's name, for the error.
            starts: of the arrays' names; each must start one.

        Raises:
            UsageError: if there are none, or none of an activation that was asked for; it says what would bring them.
        """
        found: dict[str, list[int]] = {}
        for name, seeds in self.ok.items():
            for seed in sorted(seeds):
                if all(any(array.startswith(start) for array in self.arrays(name, seed)) for start in starts):
                    found.setdefault(name, []).append(seed)
        missing = [name for name in self.named if name not in found]
        if not found or missing:
            raise UsageError(self.lacking(kind, f"{missing[0]} in {self.label}" if found else self.label))
        return found

    def lacking(self, kind: str, where: str) -> str:
        """Word the error for a plot whose arrays are not there."""
        plots = [str(plot) for plot in self.about.get("plots") or ()]
        if kind not in plots:
            held = ", ".join(plots) or "none"
            return f"{self.label} has no plot {kind!r} (it has: {held}); a task that lists it in its plots brings it"
        arrays, task = self.store.path / "arrays", self.records[0].trial.task
        return (
            f"no arrays for plot {kind!r} of {where} in {arrays}: copy that folder along with trials, "
            f"or run anew (afbench run --task {task} --out DIR)"
        )
