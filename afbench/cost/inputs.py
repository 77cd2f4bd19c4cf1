"""Inputs: tensors side by side in one buffer, so many that none is still in the cache when its turn comes."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..errors import AfbenchError
from ..records import environment
from ..streams import stream
from .case import Case

LINE = 64
"""Bytes of a cache line: each input begins one."""
TIMES_CACHE = 2
"""Size of all inputs together, in units of the last-level cache."""
MOST = 2**14
"""Inputs at most. Those below 4 kB do not fill a cache of 32 MiB twice then; but 500,000 tensors take half a minute."""
ASSUMED_CACHE = 64 * 2**20
"""Bytes of the cache where the system does not report its size."""
HEADROOM = 0.5
"""Share of the available memory that one measurement may take."""


class TooLarge(AfbenchError, MemoryError):
    """A shape does not fit into memory."""


def cache_bytes() -> int:
    """Return the size of the last-level cache."""
    size_by_level = environment.caches()
    return size_by_level[max(size_by_level)] if size_by_level else ASSUMED_CACHE


class Inputs:
    """Standard normal inputs of a case: ``cold`` ones to go round, and ``warm``, the first of them alone."""

    def __init__(self, case: Case, cache: int) -> None:
        """Make them.

        Raises:
            TooLarge: if they would not fit.
        """
        dtype = getattr(torch, case.dtype)
        size = dtype.itemsize
        self.bytes = case.elements * size
        stride = -(-self.bytes // LINE) * LINE // size
        count = 2 if case.device != "cpu" else min(MOST, max(2, math.ceil(TIMES_CACHE * cache / self.bytes)))
        if case.device == "cpu":
            check_room(count * stride * size, f"{count} inputs of {case}")
        drawn = torch.empty(count, stride, dtype=dtype, device=case.device)
        drawn.normal_(generator=generator(case.device))
        views = [row[: case.elements].view(case.shape) for row in drawn]
        self.cold: list[Tensor] = [view.detach().requires_grad_() for view in views]
        self.gradients: list[Tensor] = views[1:] + views[:1]
        """What flows back: each input's neighbour, which is as cold as it is."""
        self.warms = 2 * self.bytes <= cache
        """Whether one input and its output stay in the cache from call to call."""


def generator(device: str) -> torch.Generator:
    """Make the generator of the inputs."""
    return torch.Generator(device).manual_seed(stream(0, "cost").initial_seed())


def check_room(needed: int, what: str) -> None:
    """Raise ``TooLarge`` if something would take more than half of the memory that is available."""
    available = environment.available_memory()
    if needed > HEADROOM * available:
        raise TooLarge(
            f"{what} would need {needed / 2**30:.1f} GiB, but only {available / 2**30:.1f} GiB are available"
        )
