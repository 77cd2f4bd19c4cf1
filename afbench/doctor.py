"""Whether this machine is fit to time on: what could spoil a measurement, said before hours are spent on it."""

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
from .records import environment, machine

WAIT = 0.5
"""Seconds over which processes are watched."""
LOAD = 0.25
"""Load per core from which on the machine counts as busy."""
STEAL = 0.02
"""Share of time given to other machines from which on the host counts as busy."""
SAMPLES = 40
ELEMENTS = 2**18
"""Of the kernel whose jitter is measured: 1 MiB, about a tenth of a millisecond."""
OUTLIER = 1.5
"""A sample so many times the median, more than one in ten of them, is jitter too, though the quartiles agree."""


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, what was found, and what to do if that spoils a measurement."""

    name: str
    found: str
    remedy: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is to be done."""
        return not self.remedy


def examine(root: Path = machine.ROOT, wait: float = WAIT) -> list[Finding]:
    """Look at everything; takes about two seconds.

    Args:
        root: where ``proc`` and ``sys`` are.
        wait: seconds to watch other processes for.
    """
    looks: list[Callable[[], Finding]] = [
        load,
        lambda: processes(machine.busy(wait, root)),
        lambda: host(machine.stolen(wait, root)),
        lambda: scaling(machine.governors(root), machine.turbo(root)),
        lambda: threads(torch.get_num_threads(), environment.cores(), machine.cpu_limit(root), os.environ),
        jitter,
        kernels,
        lambda: caches(machine.caches(root)),
        memory,
        device,
        versions,
    ]
    return [look() for look in looks]


def load() -> Finding:
    """Compare the load average of the last minute with the cores."""
    if not hasattr(os, "getloadavg"):
        return Finding("load", "not told by this system")
    one, cores = os.getloadavg()[0], os.cpu_count() or 1
    found = f"{one:.2f} over the last minute, {cores} cores"
    return Finding("load", found, "wait until the load has gone down" if one / cores > LOAD else "")


def processes(busy: list[tuple[str, int, float]]) -> Finding:
    """Name other processes that compute."""
    if not busy:
        return Finding("other processes", "none that computes")
    named = ", ".join(f"{name} ({pid}) {100 * used:.0f} %" for name, pid, used in busy[:3])
    more = f" and {len(busy) - 3} more" if len(busy) > 3 else ""
    return Finding("other processes", f"{named}{more} of a core", "end them, or wait for them")


def host(stolen: float | None) -> Finding:
    """Say how much time a virtual machine's host gave to others."""
    if stolen is None:
        return Finding("host", "not told by this system")
    remedy = "other machines on this host compute: measure at another time, or on another one"
    return Finding("host", f"{100 * stolen:.0f} % of the time went to other machines", remedy if stolen > STEAL else "")


def scaling(governors: list[str], turbo: bool | None) -> Finding:
    """Say whether the cores' frequency changes under way."""
    told = [f"governor {', '.join(governors)}"] if governors else []
    told += [f"turbo {'on' if turbo else 'off'}"] if turbo is not None else []
    remedies = []
    if governors and governors != ["performance"]:
        remedies.append("set the governor (cpupower frequency-set -g performance)")
    if turbo:
        remedies.append("switch turbo off in the firmware or in /sys, or trust ratios within a round alone")
    return Finding("frequency", "; ".join(told) or "not told by this system", "; ".join(remedies))


def threads(count: int, cores: int, limit: float | None, variables: Mapping[str, str]) -> Finding:
    """Compare torch's threads with the cores and the time that this process may use."""
    told = [f"torch uses {count}, {cores} cores are ours"]
    told += [f"{name}={variables[name]}" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS") if name in variables]
    told += [f"the control group leaves {limit:g} cores' time"] if limit is not None else []
    remedies = []
    if count > cores:
        remedies.append(f"set OMP_NUM_THREADS={cores}: more threads than cores wait for each other")
    if limit is not None and limit < cores:
        remedies.append(
            f"measure with --threads up to {max(1, int(limit))}: beyond it the group is stopped now and then"
        )
    return Finding("threads", "; ".join(told), "; ".join(remedies))


def jitter() -> Finding:
    """Repeat a small kernel and look at the spread."""
    x, clock = torch.ones(ELEMENTS), CpuClock(1)
    with pinned(1):
        once = min(clock.time(x.clone, 1) for _ in range(3))
        number = max(1, round(2e-3 / once))
        times = [clock.time(x.clone, number) for _ in range(SAMPLES)]
    return judged(times)


def judged(times: list[float]) -> Finding:
    """Judge the times of a kernel that always does the same."""
    low, median, high = quartiles(times)
    spread = (high - low) / median
    late = statistics.fmean(value > OUTLIER * median for value in times)
    found = f"quartiles {100 * spread:.1f} % of the median apart, slowest {max(times) / median:.2f}x it"
    bad = spread > SPREAD or late > 0.1
    return Finding(
        "jitter", found, "figures will be unstable: see what else computes, or use more --rounds" if bad else ""
    )


def kernels() -> Finding:
    """Say which kernels run."""
    return Finding("kernels", library.path())


def caches(sizes: Mapping[int, int]) -> Finding:
    """Say the sizes of the caches."""
    if not sizes:
        return Finding(
            "caches", "not told by this system", "64 MiB are assumed for cold figures: see that it is enough"
        )
    return Finding("caches", ", ".join(f"L{level} {size / 2**20:g} MiB" for level, size in sorted(sizes.items())))


def memory() -> Finding:
    """Say how much memory is free."""
    free = machine.available_memory()
    return Finding("memory", "not told by this system" if free is None else f"{free / 2**30:.1f} GiB available")


def device() -> Finding:
    """Say the processor and the GPUs."""
    held = environment.read()["machine"]
    return Finding("device", ", ".join([held["processor"], *held["cuda"]]))


def versions() -> Finding:
    """Say the versions, and the commit."""
    held = environment.read()
    commit = f", commit {held['commit'][:12]}" if held["commit"] else ""
    return Finding(
        "versions",
        f"afbench {held['packages']['afbench']}{commit}, torch {held['packages']['torch']}, Python {held['python']}",
    )
