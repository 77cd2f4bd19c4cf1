"""The environment of a result: machine, versions, load and time, and what else computes on the machine.

psutil reads free memory, other processes and stolen time, on any system. It knows no caches, governors or limits of
control groups: those are read from Linux's /proc and /sys. py-cpuinfo does not serve: it reports an L3 cache of 512 KiB
where an AMD EPYC has 32 MiB, and takes 0.3 seconds.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from ..kernels import library
from ..registry.entry import Entry
from ..version import LOOP, __version__
from .trial import digest

PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "pandas")
VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "AFBENCH_KERNELS")
ROOT = Path("/")
CPUS = "sys/devices/system/cpu"
SIZES = {"K": 2**10, "M": 2**20, "G": 2**30}
BUSY = 0.05
"""Share of a core from which on a process counts as busy."""


@cache
def read() -> dict[str, Any]:
    """Describe this machine. ``id`` hashes all but commit and load, so that two runs share one description.

    Its values come from the standard library, as they always did: records name environments by this hash.
    """
    lasting = {
        "machine": {
            "system": platform.system(),
            "release": platform.release(),
            "architecture": platform.machine(),
            "processor": processor(),
            "cores": cores(),
            "memory_bytes": memory(),
            "cuda": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        },
        "python": platform.python_version(),
        "packages": {name: installed(name) for name in PACKAGES} | {"torch": torch.__version__, "afbench": __version__},
        "torch": {"threads": torch.get_num_threads(), "capability": torch.backends.cpu.get_cpu_capability()},
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
    }
    return {"schema": 1, "id": digest(lasting), **lasting, "commit": commit(), "load_at_start": load()}


def versions(activation: Entry, task: int | None = None) -> dict[str, Any]:
    """Return the versions that a result goes stale with, and those of the libraries.

    Args:
        activation: the activation's entry.
        task: the version of the task; None for an activation that is measured alone.
    """
    trained = {} if task is None else {"task": task, "loop": LOOP}
    libraries = {"afbench": __version__, "torch": torch.__version__, "kernels": library.path()}
    return {"activation": activation.version, **trained, **libraries}


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def load() -> list[float]:
    """Return the load averages of the last 1, 5 and 15 minutes; empty on Windows, where psutil begins to count late."""
    return list(os.getloadavg()) if hasattr(os, "getloadavg") else []


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> int | None:
    """Return the machine's memory in bytes; None if the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def processor() -> str:
    """Name the processor."""
    named = re.search(r"^model name\s*:(.*)", text(ROOT / "proc/cpuinfo"), re.M)
    return named[1].strip() if named else platform.processor() or "unknown"


def installed(package: str) -> str:
    """Return a package's version; empty if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


@cache
def commit() -> str:
    """Return the commit that afbench runs from, with a ``+`` if its files were changed since; empty if installed."""
    package = Path(__file__).resolve().parents[1]
    if not (package.parent / ".git").exists():
        return ""  # a checkout around an installed afbench is another project's
    git = ["git", "-C", str(package)]
    try:
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10)
        changed = subprocess.run([*git, "status", "--porcelain", "--", "."], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "") if head.returncode == 0 else ""


def available_memory() -> int:
    """Return the bytes that can be had without swapping."""
    import psutil

    return int(psutil.virtual_memory().available)


def busy_processes(seconds: float = 0.5) -> list[tuple[str, int, float]]:
    """List the other processes that compute: name, id, and cores' worth of time, the busiest first."""
    before, start = process_times(), time.monotonic()
    time.sleep(seconds)
    passed = max(time.monotonic() - start, 1e-3)
    shares = [
        (name, pid, (spent - before.get((pid, name), spent)) / passed) for (pid, name), spent in process_times().items()
    ]
    busy = [process for process in shares if process[2] >= BUSY and process[1] != os.getpid()]
    return sorted(busy, key=lambda process: -process[2])


def process_times() -> dict[tuple[int, str], float]:
    """Return the seconds that each process has computed, by id and name; those of other users are left out on macOS."""
    import psutil

    return {
        (process.pid, process.info["name"]): process.info["cpu_times"].user + process.info["cpu_times"].system
        for process in psutil.process_iter(["name", "cpu_times"])
        if process.info["cpu_times"] is not None
    }


def stolen_time(seconds: float = 0.5) -> float | None:
    """Return the share of time that the host gave to others while this machine wanted to compute; only Linux tells."""
    import psutil

    before = psutil.cpu_times()
    if not hasattr(before, "steal"):
        return None
    time.sleep(seconds)
    passed = [now - then for now, then in zip(psutil.cpu_times(), before, strict=True)]
    total = sum(passed[: before._fields.index("steal") + 1])  # the guests' time after it is part of the user's
    return passed[before._fields.index("steal")] / total if total > 0 else 0.0


def text(path: Path) -> str:
    """Read a file of the system; empty if it does not exist or may not be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def caches(root: Path = ROOT) -> dict[int, int]:
    """Return the bytes of the data caches by level; several of one level, such as one a chiplet, are added up."""
    seen: dict[tuple[int, str], int] = {}
    for index in sorted((root / CPUS).glob("cpu[0-9]*/cache/index[0-9]*")):
        level, size = text(index / "level"), re.fullmatch(r"(\d+)([KMG]?)", text(index / "size"))
        if text(index / "type") != "Instruction" and level.isdigit() and size:
            shared = text(index / "shared_cpu_list") or index.parts[-3]
            seen[int(level), shared] = int(size[1]) * SIZES.get(size[2], 1)
    totals: dict[int, int] = {}
    for (number, _), count in sorted(seen.items()):
        totals[number] = totals.get(number, 0) + count
    return totals or dict(caches_of_libc())


def caches_of_libc() -> Iterator[tuple[int, int]]:
    """Go through the levels and sizes that the C library knows."""
    for level, name in ((1, "SC_LEVEL1_DCACHE_SIZE"), (2, "SC_LEVEL2_CACHE_SIZE"), (3, "SC_LEVEL3_CACHE_SIZE")):
        try:
            size = os.sysconf(name)
        except (AttributeError, ValueError, OSError):
            continue
        if size > 0:
            yield level, size


def governors(root: Path = ROOT) -> list[str]:
    """List the frequency governors in use."""
    return sorted({text(path) for path in (root / CPUS).glob("cpu[0-9]*/cpufreq/scaling_governor")} - {""})


def turbo(root: Path = ROOT) -> bool | None:
    """Tell whether cores may run faster than their base frequency; None if the system does not tell."""
    off = text(root / CPUS / "intel_pstate/no_turbo")
    if off:
        return off == "0"
    boost = text(root / CPUS / "cpufreq/boost")
    return boost == "1" if boost else None


def cpu_limit(root: Path = ROOT) -> float | None:
    """Return how many cores' time the control groups leave to this process; None without a limit."""
    limits: list[float | None] = []
    for line in text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = (line.split(":", 2) + ["", ""])[:3]
        for group in groups_around(path):
            if not controllers:  # version 2: the quota and the period in one file
                limits.append(ratio(text(root / "sys/fs/cgroup" / group / "cpu.max")))
            elif "cpu" in controllers.split(","):
                folder = root / "sys/fs/cgroup/cpu" / group
                limits.append(ratio(f"{text(folder / 'cpu.cfs_quota_us')} {text(folder / 'cpu.cfs_period_us')}"))
    return min((limit for limit in limits if limit), default=None)


def groups_around(path: str) -> list[str]:
    """List a control group and those around it, the outermost last."""
    parts = [part for part in path.split("/") if part]
    return ["/".join(parts[:count]) for count in range(len(parts), -1, -1)]


def ratio(quota_and_period: str) -> float | None:
    """Divide a quota by its period; None without a limit."""
    words = quota_and_period.split()
    if len(words) != 2 or not all(word.isdigit() for word in words) or not int(words[1]):
        return None
    return int(words[0]) / int(words[1])
