"""What a plot is drawn from: the trials of one task under one choice of settings that ended well, and their arrays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
from .checks import CHECKS
from .choice import choose, choose_all

__all__ = ["BASELINE", "Array", "Arrays", "Names", "Trials"]

Arrays = dict[str, Array]
Parts = str | Sequence[str] | None
"""What ``--acts`` gives: a text or its parts; None if the plot is to choose."""
Names = Mapping[str, str] | str | Sequence[str]
"""Display names: by spec, or what ``--names`` gives."""
NOTHING = Selection(())
"""Nothing is asked for: the plot is to choose."""


@dataclass(frozen=True)
class Trials:
    """The trials of one group in a store.

    Attributes:
        store: where they are.
        label: the task with its settings.
        about: what the records say of the task: headline, metric, unit, direction, target, references, plots.
        records: all of them, failed ones too, but none of code that was edited since.
        ok: those with a finite metric, by activation (the best mean first) and seed.
        held: all activations of the group.
        older: what tables call the rows of code that was edited since, which are left out.
        named: the activations that were asked for and have a metric; empty if the plot is to choose.
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
    held: tuple[str, ...] = ()
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
        label, every = choose(store, task)
        about, _ = agree(every)
        rows, _ = members(every)
        records = [record for row, its in rows.items() if not is_older(row) for record in its]
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

        held = holdings((record.trial.activation, record.parameters.get("activation")) for record in every)
        held = {name: held[name] for name in [*ranked, *held]}  # a group is drawn in the order of the means
        asked = NOTHING if activations is None else select(activations, held, label)
        baseline = baseline if baseline == BASELINE else spec_among(baseline, held, label)
        named = tuple(name for name in asked.specs if name in ok)
        for name in asked.explicit if named else asked.specs:
            if name not in ok:
                code = "" if name in rows else ", all of code that was edited since,"
                raise UsageError(f"no trial of {name!r} in {label}{code} ended well (afbench table says why)")
        its, older = baseline if baseline in ok else None, tuple(filter(is_older, rows))
        return cls(store, label, about, records, ranked, tuple(held), older, named, its, asked)

    @classmethod
    def each(cls, stores: Sequence[Store], task: str | None, activations: Parts, baseline: str) -> tuple[Trials, ...]:
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
        """Return the arrays of a trial, read once; after ``holding`` only those that passed the plot's check."""
        key = self.ok[activation][seed].key
        if key not in self._arrays:
            self._arrays[key] = self.store.arrays(key)
        return self._arrays[key]

    def holding(self, kind: str) -> dict[str, list[int]]:
        """Return the seeds of each activation whose trials left what a plot is drawn from, the best activation first.

        Arrays that are not what they must be are left out and named in the store's problems.

        Args:
            kind: the plot's name.

        Raises:
            UsageError: if there are none, or none of an activation that was asked for; it says what would bring them.
        """
        found: dict[str, list[int]] = {}
        damaged: dict[str, int] = {}
        for name, seeds in self.ok.items():
            for seed in sorted(seeds) if self.wanted(name) else ():
                sound, problems = self.checked(kind, name, seed)
                if sound:
                    found.setdefault(name, []).append(seed)
                if problems or self.unreadable(name, seed):
                    damaged[name] = damaged.get(name, 0) + 1
        missing = [name for name in self.named if name in self.explicit and name not in found]
        if not found or missing:
            count = sum(damaged.values()) if not found else damaged.get(missing[0], 0)
            raise UsageError(self.lacking(kind, f"{missing[0]} in {self.label}" if found else self.label, count))
        return found

    def checked(self, kind: str, activation: str, seed: int) -> tuple[Arrays, list[str]]:
        """Keep those arrays of a trial that a plot can be drawn from, and say what is wrong with others."""
        arrays, check = self.arrays(activation, seed), CHECKS[kind]
        if not check.concerns(arrays):
            return {}, []
        key = self.ok[activation][seed].key
        sound, problems = check.check(arrays)
        if sound:
            self._arrays[key] = sound
        if problems and kind in (self.about.get("plots") or ()):
            more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
            where = self.store.path / "arrays" / f"{key}.npz"
            self.store.problems[f"arrays/{key}/{kind}"] = f"{where}: {problems[0]}{more}; left out of plot {kind!r}"
        return sound, problems

    def unreadable(self, activation: str, seed: int) -> bool:
        """Tell whether a trial's file of arrays, or a part of it, could not be read."""
        return f"arrays/{self.ok[activation][seed].key}" in self.store.problems

    def lacking(self, kind: str, where: str, damaged: int = 0) -> str:
        """Word the error for a plot whose arrays are not there, or damaged."""
        plots = [str(plot) for plot in self.about.get("plots") or ()]
        if kind not in plots:
            return self.cannot_draw(kind, plots)
        arrays, task = self.store.path / "arrays", self.records[0].trial.task
        again = f"run again into a new folder (afbench run --task {task} --out DIR)"
        if damaged:
            files = f"{damaged} {'file' if damaged == 1 else 'files'}"
            return f"no arrays for plot {kind!r} of {where} in {arrays}: {files} damaged; {again}"
        return f"no arrays for plot {kind!r} of {where} in {arrays}: copy that folder along with trials, or {again}"

    def cannot_draw(self, kind: str, plots: Sequence[str]) -> str:
        """Word the error for a plot that the task does not have: it says which there are."""
        every = [*plots, "rank", "tradeoff"]  # drawn from the records of any task
        return f"{self.label} cannot draw {kind!r}. Available: {', '.join(dict.fromkeys(every))}."
