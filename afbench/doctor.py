"""Whether this machine is suitable for timing: looks for what spoils a measurement, before it takes hours."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from .cost.clock import CpuClock
from .cost.figures import SPREAD, quartiles
from .engines.ambient import pinned
from .kernels import library
from .records import environment

WAIT = 0.5
"""Seconds for which processes are watched."""
LOAD = 0.25
"""Load per core above which the machine counts as busy."""
STEAL = 0.02
"""Share of time given to other machines above which the host counts as busy."""
UNKNOWN = "this system does not report it"
SAMPLES = 40
ELEMENTS = 2**18
"""Of the tensor that the timed kernel copies: 1 MiB, about a tenth of a millisecond."""
OUTLIER = 1.5
"""A sample above 1.5 times the median is late. More than one late sample in ten is jitter, even if quartiles agree."""


@dataclass(frozen=True)
class Finding:
    """One line of the doctor: what was looked at, the result, and what to do if that spoils a measurement."""

    name: str
    found: str
    remedy: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is to be done."""
        return not self.remedy


def examine(root: Path = environment.ROOT, wait: float = WAIT) -> list[Finding]:
    """Look at everything; takes about two seconds.

    Args:
        root: the folder of ``proc`` and ``sys``.
        wait: seconds for which other processes are watched.
    """
    looks: list[Callable[[], Finding]] = [
        load,
        lambda: processes(environment.busy_processes(wait)),
        lambda: host(environment.stolen_time(wait)),
        lambda: scaling(environment.governors(root), environment.turbo(root)),
        lambda: threads(torch.get_num_threads(), environment.cores(), environment.cpu_limit(root), os.environ),
        jitter,
        kernels,
        lambda: caches(environment.caches(root)),
        memory,
        device,
        versions,
    ]
    return [look() for look in looks]


def load() -> Finding:
    """Compare the load average of the last minute with the cores."""
    averages, cores = environment.load(), os.cpu_count() or 1
    if not averages:
        return Finding("load", UNKNOWN)
    result = f"{averages[0]:.2f} over the last minute, {cores} cores"
    return Finding("load", result, "wait until the load has gone down" if averages[0] / cores > LOAD else "")


def processes(busy: list[tuple[str, int, float]]) -> Finding:
    """Name other processes that compute."""
    if not busy:
        return Finding("other processes", "none computes")
    named = ", ".join(f"{name} ({pid}) {100 * used:.0f} %" for name, pid, used in busy[:3])
    more = f" and {len(busy) - 3} more" if len(busy) > 3 else ""
    return Finding("other processes", f"{named}{more} of a core", "end them, or wait for them")


def host(stolen: float | None) -> Finding:
    """Compare the time that a virtual machine's host gave to others with the limit."""
    if stolen is None:
        return Finding("host", UNKNOWN)
    remedy = "other virtual machines on this host use its processor: measure later, or on another machine"
    result = f"other virtual machines used {100 * stolen:.0f} % of the time"
    return Finding("host", result, remedy if stolen > STEAL else "")


def scaling(governors: list[str], turbo: bool | None) -> Finding:
    """Look at what changes the cores' frequency during a measurement."""
    parts = [f"governor {', '.join(governors)}"] if governors else []
    parts += [f"turbo {'on' if turbo else 'off'}"] if turbo is not None else []
    remedies = []
    if governors and governors != ["performance"]:
        remedies.append("set the governor (cpupower frequency-set -g performance)")
    if turbo:
        remedies.append("switch turbo off in the firmware or in /sys; otherwise rely on ratios within a round only")
    return Finding("frequency", "; ".join(parts) or UNKNOWN, "; ".join(remedies))


def threads(count: int, cores: int, limit: float | None, variables: Mapping[str, str]) -> Finding:
    """Compare torch's threads with the cores and the time that this process may use."""
    parts = [f"torch uses {count} threads; this process may use {cores} cores"]
    parts += [f"{name}={variables[name]}" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS") if name in variables]
    parts += [f"the control group allows {limit:g} cores"] if limit is not None else []
    remedies = []
    if count > cores:
        remedies.append(f"set OMP_NUM_THREADS={cores}: more threads than cores wait for each other")
    if limit is not None and limit < cores:
        remedies.append(f"use at most --threads {max(1, int(limit))}, because the system pauses a group that uses more")
    return Finding("threads", "; ".join(parts), "; ".join(remedies))


def jitter() -> Finding:
    """Repeat a small kernel and look at the spread."""
    x, clock = torch.ones(ELEMENTS), CpuClock(1)
    with pinned(1):
        once = min(clock.time(x.clone, 1) for _ in range(3))
        number = max(1, round(2e-3 / once))
        times = [clock.time(x.clone, number) for _ in range(SAMPLES)]
    return judged(times)


def judged(times: list[float]) -> Finding:
    """Judge the spread of the times of a kernel that always does the same."""
    low, median, high = quartiles(times)
    spread = (high - low) / median
    late = statistics.fmean(value > OUTLIER * median for value in times)
    result = (
        f"quartiles are {100 * spread:.1f} % of the median apart; the slowest sample took {max(times) / median:.2f}x"
    )
    bad = spread > SPREAD or late > 0.1
    return Finding(
        "jitter", result, "figures will be unstable: stop other programs, or use more --rounds" if bad else ""
    )


def kernels() -> Finding:
    """Name the kernels in use."""
    return Finding("kernels", library.path())


def caches(sizes: Mapping[int, int]) -> Finding:
    """List the sizes of the caches."""
    if not sizes:
        return Finding("caches", UNKNOWN, "cold figures assume 64 MiB; check that the last-level cache is not larger")
    return Finding("caches", ", ".join(f"L{level} {size / 2**20:g} MiB" for level, size in sorted(sizes.items())))


def memory() -> Finding:
    """Return how much memory is available."""
    return Finding("memory", f"{environment.available_memory() / 2**30:.1f} GiB available")


def device() -> Finding:
    """Name the processor and the GPUs."""
    machine = environment.read()["machine"]
    return Finding("device", ", ".join([machine["processor"], *machine["cuda"]]))


def versions() -> Finding:
    """List the versions, and the commit."""
    machine = environment.read()
    packages = machine["packages"]
    commit = f", commit {machine['commit'][:12]}" if machine["commit"] else ""
    result = f"afbench {packages['afbench']}{commit}, torch {packages['torch']}, Python {machine['python']}"
    return Finding("versions", result)
