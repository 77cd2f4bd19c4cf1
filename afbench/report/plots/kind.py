"""A kind of plot: a line about it, the arrays it needs, and the function that draws it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from ...errors import UsageError, did_you_mean

KINDS: dict[str, Plot] = {}
"""All kinds by name. The package fills it with the ``PLOT`` of each of its modules that defines one."""


@dataclass(frozen=True)
class Plot:
    """A kind of plot, named as the module of its ``draw``.

    Attributes:
        about: what it shows, in a line of ``docs/plot.md``.
        draw: ``draw(trials, sheet, **options)`` yields its pages; keyword-only arguments are the options it takes. One
            that fills several pages takes the option ``page``: which one, or None for all.
        arrays: the arrays that are its own, those of a folder by ``folder/``; none if records are enough.
        check: returns the sound ones of a trial's arrays, and what is wrong with the others.
        across: ``draw`` gets a sequence of trials, one a task.
        beside: likewise, those of the folders that hold trials, each with the costs of all folders.
        of_costs: ``draw`` gets the folders themselves.
    """

    about: str
    draw: Callable[..., Iterator[Figure]]
    arrays: tuple[str, ...] = ()
    check: Callable[[dict[str, Any]], tuple[dict[str, Any], list[str]]] = lambda arrays: (arrays, [])
    across: bool = False
    beside: bool = False
    of_costs: bool = False

    @property
    def name(self) -> str:
        """The name of the module that draws it."""
        return self.draw.__module__.rpartition(".")[2]

    @property
    def options(self) -> tuple[str, ...]:
        """The names of its own options."""
        parameters = inspect.signature(self.draw).parameters.values()
        return tuple(p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY)

    def check_options(self, given: Iterable[str]) -> None:
        """Raise ``UsageError`` if the kind does not take one of the options."""
        for option in given:
            if option not in self.options:
                known = ", ".join(self.options) or "none of its own"
                raise UsageError(
                    f"plot {self.name!r} takes no option {option!r}"
                    f"{did_you_mean(option, self.options)} (it takes: {known})"
                )
