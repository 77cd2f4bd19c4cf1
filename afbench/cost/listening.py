"""What a cost run tells while it goes, and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from ..records.cost import Cost
from ..records.store import Store


class Listener(Protocol):
    """What wants to know how a cost run goes."""

    def planned(self, total: int, done: int, what: str, store: Store) -> None:
        """Hear how many costs were asked for, and how many of them the store holds already."""

    def measured(self, cost: Cost, count: int, total: int, left: float) -> None:
        """Hear of a cost that is in the store, the how manieth of how many, and the seconds left."""


class Silent:
    """A listener that says nothing."""

    def planned(self, total: int, done: int, what: str, store: Store) -> None:
        """Say nothing."""

    def measured(self, cost: Cost, count: int, total: int, left: float) -> None:
        """Say nothing."""


@dataclass
class Measured:
    """What a cost run did: the costs that it measured, those that were there, and the folder."""

    store: Store
    new: list[Cost] = field(default_factory=list)
    held: list[Cost] = field(default_factory=list)
    interrupted: bool = False

    @property
    def costs(self) -> list[Cost]:
        """All costs that were asked for and are in the store."""
        return [*self.held, *self.new]

    @property
    def failed(self) -> list[Cost]:
        """Those without figures."""
        return [cost for cost in self.costs if not cost.ok]
