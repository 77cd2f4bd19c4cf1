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
    One that fills several ``pages`` says how many, from what its ``draw`` is given, and takes the option ``page``.
    """

    name: str
    about: str
    draw: Callable[..., Figure]
    across: bool = False
    of_costs: bool = False
    beside: bool = False
    pages: Callable[..., int] | None = None

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


def turn(what: str, every: tuple[str, ...], page: int, each: int) -> tuple[tuple[str, ...], str]:
    """Return the activations on a page, and a sentence that says which page it is; empty if there is one.

    Raises:
        UsageError: if there is no such page.
    """
    pages = -(-len(every) // each)
    check_page(what, page, pages)
    turned = f"Page {page} of {pages}, of {len(every)} activations." if pages > 1 else ""
    return every[(page - 1) * each : page * each], turned


def check_page(what: str, page: int, pages: int) -> None:
    """Raise ``UsageError`` if there is no such page."""
    if not 1 <= page <= pages:
        raise UsageError(f"{what} {pages} page{'s' * (pages > 1)}; there is no page {page}")
