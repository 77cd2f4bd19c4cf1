"""Clocks: seconds that a call takes, on a CPU by the host's clock, on a GPU by events on its stream.

``CpuClock`` does what ``torch.utils.benchmark.Timer`` does. That module is not imported: it loads torch's builder of
C++ extensions, which warns of a missing CUDA runtime wherever there are CUDA's libraries and no GPU.

``EventClock`` and ``capture`` are tested with a simulated device only: no GPU was available.
"""

from __future__ import annotations

import time
import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from ..engines.ambient import pinned_threads

Call = Callable[[], object]
WARM_UP = 3
"""Calls before a capture, and before each sample on a GPU: the first ones choose kernels and fill caches."""


class CpuClock:
    """The host's clock: two calls ahead of each sample (1 % of a longer one's), the garbage collector off.

    Where a GPU is in use its streams are waited for before the clock is read.
    """

    def __init__(self, threads: int) -> None:
        """Compute with so many threads."""
        self.threads = threads

    def time(self, call: Call, number: int) -> float:
        """Return the seconds of a call."""
        timer = timeit.Timer(call, timer=synchronized_time)
        with pinned_threads(self.threads):  # only those: forward is timed without gradients
            timer.timeit(max(number // 100, 2))
            return max(timer.timeit(number), 1e-9) / number


def synchronized_time() -> float:
    """Return the host's time in seconds, once the GPU in use, if any, has done what it was given."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return time.perf_counter()


class EventClock:
    """A GPU's clock: events around the calls, and the L2 cache overwritten before each one if it is to be cold."""

    def __init__(self, device: Cuda, cold: bool) -> None:
        """Time on a device."""
        self.device, self.cold = device, cold

    def time(self, call: Call, number: int) -> float:
        """Return the seconds of a call; the host waits before the first and after the last alone."""
        for _ in range(WARM_UP):
            call()
        self.device.synchronize()
        pairs = []
        for _ in range(number if self.cold else 1):
            if self.cold:
                self.device.flush()
            start, end = self.device.event(), self.device.event()
            start.record()
            for _ in range(1 if self.cold else number):
                call()
            end.record()
            pairs.append((start, end))
        self.device.synchronize()
        return float(sum(start.elapsed_time(end) for start, end in pairs)) / 1e3 / number


def capture(device: Cuda, call: Call) -> Call:
    """Turn a call into the replay of its graph; it is warmed up first, since what happens once must not be recorded."""
    device.synchronize()
    with device.aside():
        for _ in range(WARM_UP):
            call()
    device.synchronize()
    return device.record_graph(call)


class Cuda:
    """A CUDA device."""

    def __init__(self, name: str) -> None:
        """Take ``cuda`` or ``cuda:1``; the scratch that flushes is twice as large as the L2 cache."""
        self.name = name
        self.l2 = int(torch.cuda.get_device_properties(name).L2_cache_size)
        self.scratch = torch.empty(2 * self.l2, dtype=torch.int8, device=name)

    def synchronize(self) -> None:
        """Wait until all streams are empty."""
        torch.cuda.synchronize(self.name)

    def event(self) -> torch.cuda.Event:
        """Make an event that takes the time."""
        return torch.cuda.Event(enable_timing=True)

    def flush(self) -> None:
        """Overwrite the L2 cache."""
        self.scratch.zero_()

    def record_graph(self, call: Call) -> Call:
        """Capture what a call puts on the stream as a CUDA graph, and return what plays it again."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            call()
        return graph.replay

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Work on a side stream that waits for the current one, which waits for it afterwards."""
        side, current = torch.cuda.Stream(self.name), torch.cuda.current_stream(self.name)
        side.wait_stream(current)
        with torch.cuda.stream(side):
            yield
        current.wait_stream(side)


Clock = CpuClock | EventClock
"""What takes the time of a call: its mean over a number of calls in a row, after a warm-up."""
