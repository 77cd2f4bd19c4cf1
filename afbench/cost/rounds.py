"""Rounds: calls are timed in turn, in an order drawn anew each round, so that drift hits all alike."""

from __future__ import annotations

import ctypes
import gc
import math
import platform
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

from ..records.cost import Figure, Timing
from .case import ROUNDS as ROUNDS
from .clock import Call, Clock
from .figures import FEWEST, figure, ratios

WARM_UP = 3
SAMPLE_SECONDS = 4e-3
"""Seconds of a sample, which repeats its call: shorter samples are lost in noise."""
LONG = 0.1
"""Seconds of a call above which it is not warmed up further: the extra time of a first call is then small."""
BUDGET = 6.0
"""Seconds of samples above which a slow call takes part in fewer rounds, but in at least five."""
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Numbers of glibc's mallopt, from malloc.h."""
LARGEST_KEPT = 32 << 20
"""Bytes of the largest block that glibc lets a process keep."""


@dataclass
class Samples:
    """The samples of one call: its seconds in each round that it took part in, or the error that ended it."""

    number: int
    """Calls in a sample."""
    seconds: list[float] = field(default_factory=list)
    error: BaseException | None = None

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

    def timing(self, references: Mapping[str, Samples]) -> Timing:
        """Return its seconds, its ratios to some references within the rounds, and the references' seconds."""
        over = {name: self.over(samples) for name, samples in references.items()}
        return Timing(
            self.figure(), over, {name: samples.figure() for name, samples in references.items()}, self.number
        )


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
    samples: dict[str, Samples] = {}
    wanted: dict[str, int] = {}
    for name, call in calls.items():
        samples[name], wanted[name] = warmed(call, clock, rounds, budget)
    order = random.Random(seed)
    with quiet():
        for round_ in range(rounds):
            names = [name for name in calls if samples[name].error is None and round_ < wanted[name]]
            for name in order.sample(names, len(names)):
                try:
                    samples[name].seconds.append(clock.time(calls[name], samples[name].number))
                except (Exception, SystemExit) as error:
                    samples[name].error = error
            gc.collect(0)
    return samples


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
    except (Exception, SystemExit) as error:
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


@cache
def keep_freed_memory() -> bool:
    """Let malloc keep freed memory, blocks of up to 32 MiB too, until the process ends; returns whether it does.

    glibc returns freed memory at the heap's end to the system, and the system zeroes it page by page when it is used
    again. Among calls timed in turn this hit the same call in every round, by chance: it cost up to 0.9 of GELU's
    forward and backward (25 MB). Other C libraries are left alone.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    return bool(libc.mallopt(MMAP_THRESHOLD, LARGEST_KEPT) and libc.mallopt(TRIM_THRESHOLD, 2**31 - 1))
