"""What a table holds before it is printed: rows with numbers, and all that its caption must say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...records.cost import Cost
from ...records.groups import Group
from ...records.members import spec_of
from ...statistics.intervals import Interval
from ...statistics.metric import UNBOUNDED, Bounds, written
from ...statistics.modes import Modes
from ..costs import Costs
from .footnotes import Failure


@dataclass(frozen=True)
class Published:
    """A paper's own numbers by activation. They stand in a column of their own, with their source."""

    source: str
    values: Mapping[str, float]


@dataclass(frozen=True)
class Row:
    """One activation in a table. ``marks`` are the numbers of its footnotes, from 1 on."""

    activation: str
    seeds: tuple[int, ...]
    ok: int
    mean: Interval
    median: float = math.nan
    modes: Modes | None = None
    """The two groups that its seeds fall into, if they do."""
    extras: Mapping[str, Interval] = field(default_factory=dict)
    is_baseline: bool = False
    versus: Interval | None = None
    """The paired difference to the baseline; its ``n`` says over how many seeds."""
    p: float = math.nan
    p_holm: float = math.nan
    significant: bool = False
    best: bool = False
    parameters: int | None = None
    cost: Cost | None = None
    published: float | None = None
    scores: Mapping[int, float] = field(default_factory=dict)
    """The metric by seed, of the trials that gave a finite number."""
    oddities: tuple[str, ...] = ()
    """What differs among its seeds and should not."""
    failures: tuple[Failure, ...] = ()
    marks: tuple[int, ...] = ()

    @property
    def superscript(self) -> str:
        """The numbers of its footnotes: ``1,2``."""
        return ",".join(map(str, self.marks))


@dataclass(frozen=True)
class Table:
    """One task under one choice of settings, device and dtype: never an average over different ones.

    Rows are sorted by mean, the best first, those without any number last.
    """

    group: Group
    headline: str
    metric: str
    unit: str
    higher_is_better: bool
    target: float | None
    references: Mapping[str, float]
    baseline: str
    rows: tuple[Row, ...]
    seeds: tuple[int, ...]
    extras: tuple[str, ...]
    comparisons: int
    testable: bool
    """Whether any comparison has the seeds to come out significant."""
    costs: Costs
    bounds: Bounds = UNBOUNDED
    """The range that the metric cannot leave."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What activations are called where it is not their spec."""
    hidden: int = 0
    """How many activations are left out."""
    source: str = ""
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()

    @property
    def metric_name(self) -> str:
        """The metric's name as it is printed: ``R2``."""
        return written(self.metric)

    def name(self, activation: str) -> str:
        """Return an activation's name as it is printed."""
        spec = spec_of(activation)
        return self.names.get(spec, spec) + activation.removeprefix(spec)

    @property
    def baseline_name(self) -> str:
        """The baseline's name as it is printed."""
        return self.name(self.baseline)

    @property
    def counts(self) -> tuple[int, int]:
        """Over how few and over how many seeds the means are."""
        held = [row.ok for row in self.rows if row.ok] or [0]
        return min(held), max(held)

    @property
    def title(self) -> str:
        """Task, headline and settings in a line."""
        title = f"{self.group.task}: {self.headline}" if self.headline else self.group.task
        return f"{title} ({self.group.settings})" if self.group.settings else title
