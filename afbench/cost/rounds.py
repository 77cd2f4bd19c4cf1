"""Rounds: calls are timed in turn, in an order drawn anew each round, so that drift hits all alike."""

from __future__ import annotations

import gc
import math
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..records.cost import Figure
from .case import ROUNDS as ROUNDS
from .clock import Call, Clock
from .figures import FEWEST, figure, ratios
from .heap import keep_freed_memory

WARM_UP = 3
SAMPLE_SECONDS = 4e-3
"""Seconds of a sample, which repeats its call: shorter samples are lost in noise."""
LONG = 0.1
"""Seconds of a call above which it is not warmed up further: the extra time of a first call is then small."""
BUDGET = 6.0
"""Seconds of samples above which a slow call takes part in fewer rounds, but in at least five."""


@dataclass
class Samples:
    """The samples of one call: its seconds in each round that it took part in, or the error that ended it."""

    number: int
    """Calls in a sample."""
    seconds: list[float] = field(default_factory=list)
    error: Exception | None = None

    @property
    def work(self) -> float:
        """Seconds of the shortest sample."""
        return self.number * min(self.seconds, default=0.0)

    def figure(self) -> Figure:
        """Return the figure of the seconds."""
        return figure(self.seconds, self.work)

    def over(self, other: Samples) -> Figure:
        """Return the figure of the ratios to another, each within a round."""
        return figure(ratios(self.seconds, other.seconds), min(self.work, other.work))


def interleave(
    calls: Mapping[str, Call], clock: Clock, rounds: int = ROUNDS, seed: int = 0, budget: float = BUDGET
) -> dict[str, Samples]:
    """Time calls over rounds. A call that raises is left out of later rounds, with its error.

    Args:
        calls: what is compared, by name.
        clock: what takes the time.
        rounds: how many.
        seed: of the orders.
        budget: seconds of samples that one call may take before its rounds are cut.
    """
    keep_freed_memory()
    found: dict[str, Samples] = {}
    wanted: dict[str, int] = {}
    for name, call in calls.items():
        found[name], wanted[name] = warmed(call, clock, rounds, budget)
    order = random.Random(seed)
    with quiet():
        for round_ in range(rounds):
            here = [name for name in calls if found[name].error is None and round_ < wanted[name]]
            for name in order.sample(here, len(here)):
                try:
                    found[name].seconds.append(clock.time(calls[name], found[name].number))
                except Exception as error:
                    found[name].error = error
            gc.collect(0)
    return found


def warmed(call: Call, clock: Clock, rounds: int, budget: float) -> tuple[Samples, int]:
    """Warm a call up; returns its empty samples, which know how many calls a sample has, and its number of rounds.

    A round is a sample and the calls that a clock makes ahead of it.
    """
    try:
        once = clock.time(call, 1)  # after two calls of the clock's own
        if once < LONG:
            once = min(once, *(clock.time(call, 1) for _ in range(WARM_UP)))
        number = max(1, math.ceil(SAMPLE_SECONDS / max(once, 1e-9)))
        # A single call is overestimated, the more the shorter it is: lengthen the sample until it is as long as meant.
        while (took := clock.time(call, number)) * number < SAMPLE_SECONDS / 2:
            once, number = took, 2 * number
    except Exception as error:
        return Samples(1, error=error), 0
    return Samples(number), max(min(FEWEST, rounds), min(rounds, int(budget / max(once * (number + 2), 1e-9))))


@contextmanager
def quiet() -> Iterator[None]:
    """Collect garbage once (0.1 s), then keep the collector off within the block."""
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
