"""The inline engine: one item after another, in this process. For debugging; a crash of an item ends the run.

Items share the process, so that one could change what the next computes. What can be pinned is pinned. An item that
changes something else fails, and its change is put back; where that is impossible the run ends.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

from ..errors import AfbenchError, UsageError
from .ambient import pinned
from .outcome import Failure, Setup
from .witness import STACKS, Witness

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
    """Run the items in this process; ``jobs`` and ``timeout`` are not used.

    Raises:
        UsageError: if a torch mode is active in the caller: it would take part in every computation.
        AfbenchError: after an item that left a thread running.
    """
    with pinned():
        for name, (read, _) in STACKS.items():
            if read():
                raise UsageError(f"{name} is active; call afbench outside its `with` block, or use engine='process'")
        (setup or Setup())()
    witness: Witness | None = None
    for item in items:
        result: Result | Failure
        with pinned():
            witness = witness or Witness()
            try:
                result = work(item)
            finally:
                changes, threads = witness.changes(), witness.running()
        if changes:
            more = f" (and {len(changes) - 3} more)" if len(changes) > 3 else ""
            listed = f"{', '.join(changes[:3])}{more}"
            result = Failure("error", f"{listed}; this would have changed the numbers of other trials")
        if threads:
            problem = f"left a thread running ({', '.join(threads[:3])})"
            result = Failure("error", f"{problem}; it may change the numbers of other trials")
        yield item, result
        if threads:
            raise AfbenchError(
                f"an item {problem}; that may change the results of other items in this process. Use engine='process'"
            )
