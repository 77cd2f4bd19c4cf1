"""What a kind of plot is: a name, a line about it, the arrays it is drawn from, and the function that draws it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from matplotlib.figure import Figure

from ...errors import UsageError, did_you_mean


@dataclass(frozen=True)
class Plot:
    """A kind of plot. ``draw(trials, sheet, **options)``; its keyword-only arguments are the options it takes.

    One that goes ``across`` tasks is given a sequence of trials, one a task; one ``of_costs`` the stores themselves.
    Of the former, one that takes folders ``beside`` draws the trials of those that hold any with the costs of all.
    """

    name: str
    about: str
    draw: Callable[..., Figure]
    across: bool = False
    of_costs: bool = False
    beside: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """The names of its own options."""
        parameters = inspect.signature(self.draw).parameters.values()
        return tuple(p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY)

    def check(self, given: Iterable[str]) -> None:
        """Raise ``UsageError`` if the kind does not take one of the options."""
        for option in given:
            if option not in self.options:
                known = ", ".join(self.options) or "none of its own"
                raise UsageError(
                    f"plot {self.name!r} takes no option {option!r}"
                    f"{did_you_mean(option, self.options)} (it takes: {known})"
                )
