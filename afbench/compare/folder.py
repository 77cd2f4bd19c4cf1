"""One of the two folders: its records and costs, and the machines and commits behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..records.cost import Cost
from ..records.store import Store
from ..records.trial import Record
from .places import environments, machine_text


@dataclass(frozen=True)
class Side:
    """A folder in the report: its path, commits, machines, dates, and numbers of trials and costs."""

    path: str
    commits: tuple[str, ...]
    machines: tuple[str, ...]
    dates: tuple[str, ...]
    trials: int
    costs: int


@dataclass(frozen=True)
class Folder:
    """The content of a results folder."""

    store: Store
    records: Sequence[Record]
    costs: Sequence[Cost]
    described: Mapping[str, Mapping[str, Any]]
    """Its environments by id."""

    @classmethod
    def read(cls, path: str | Path) -> Folder:
        """Read a results folder.

        Raises:
            UsageError: if the path is no results folder, or its files have another schema.
        """
        store = Store.open(path)
        records = store.records()
        return cls(store, records, store.costs(), environments(store.path))

    @property
    def kinds(self) -> str:
        """What it holds: ``trials``, ``costs``, ``trials and costs``, or ``nothing readable``."""
        kinds = [word for word, content in (("trials", self.records), ("costs", self.costs)) if content]
        return " and ".join(kinds) or "nothing readable"

    @property
    def places(self) -> set[str]:
        """The environments of its results."""
        return {record.environment for record in self.records} | {cost.environment for cost in self.costs}

    def side(self) -> Side:
        """Describe it. A cost has its own commit; a trial has the commit of the last run in its environment."""
        ran = {record.environment for record in self.records} & self.described.keys()
        commits = {str(self.described[place].get("commit") or "") for place in ran} | {
            cost.commit for cost in self.costs
        }
        dates = {cost.measured[:10] for cost in self.costs}
        dates |= {record.started[:10] for record in self.records}
        machines = {machine_text(place, self.described) for place in self.places if place}
        told = [tuple(sorted(held - {""})) for held in (commits, machines, dates)]
        return Side(str(self.store.path), told[0], told[1], told[2], len(self.records), len(self.costs))
