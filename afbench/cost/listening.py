"""What a cost run reports while it runs, and what it returns."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..records.cost import Cost
from ..records.store import Store


class CostListener:
    """Hears how a cost run goes. Each method does nothing: override those that you want to hear."""

    def costs_planned(self, total: int, done: int, what: str, store: Store) -> None:
        """Hear how many costs were asked for, and how many of them the store holds already."""

    def measured(self, cost: Cost, count: int, total: int, left: float) -> None:
        """Hear of a new cost that is in the store: it is number ``count`` of ``total``; ``left`` seconds are left."""


@dataclass
class Measured:
    """What a cost run did: the costs that it measured, those that the store held, and the folder."""

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
