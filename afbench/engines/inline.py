"""The inline engine: one item after another, in this process. For debugging; a crash of an item ends the run."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

from .outcome import Failure, Setup

Item = TypeVar("Item")
Result = TypeVar("Result")


def inline(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    jobs: int = 1,
    setup: Setup | None = None,
    timeout: float | None = None,
) -> Generator[tuple[Item, Result | Failure]]:
    """Run the items here; ``jobs`` and ``timeout`` are not used."""
    (setup or Setup())()
    for item in items:
        yield item, work(item)
