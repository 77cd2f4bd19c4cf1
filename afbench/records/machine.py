"""What the system tells of itself in /proc and /sys, without root: each answer is None or empty where it does not."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")
CPUS = "sys/devices/system/cpu"
SIZES = {"K": 2**10, "M": 2**20, "G": 2**30}
MIN_SHARE = 0.05
"""Share of a core from which on a process counts as busy."""


def read(path: Path) -> str:
    """Read a file of the system; empty if it is not there or not ours to read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def caches(root: Path = ROOT) -> dict[int, int]:
    """Return the bytes of the data caches by level; several of one level, such as one a chiplet, are added up."""
    seen: dict[tuple[int, str], int] = {}
    for index in sorted((root / CPUS).glob("cpu[0-9]*/cache/index[0-9]*")):
        level, size = read(index / "level"), re.fullmatch(r"(\d+)([KMG]?)", read(index / "size"))
        if read(index / "type") != "Instruction" and level.isdigit() and size:
            shared = read(index / "shared_cpu_list") or index.parts[-3]
            seen[int(level), shared] = int(size[1]) * SIZES.get(size[2], 1)
    found: dict[int, int] = {}
    for (number, _), count in sorted(seen.items()):
        found[number] = found.get(number, 0) + count
    return found or told_caches()


def told_caches() -> dict[int, int]:
    """Return the caches as the C library tells them."""
    found = {}
    for level, name in ((1, "SC_LEVEL1_DCACHE_SIZE"), (2, "SC_LEVEL2_CACHE_SIZE"), (3, "SC_LEVEL3_CACHE_SIZE")):
        try:
            size = os.sysconf(name)
        except (AttributeError, ValueError, OSError):
            continue
        if size > 0:
            found[level] = size
    return found


def available_memory(root: Path = ROOT) -> int | None:
    """Return the bytes that can be had without swapping."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB", read(root / "proc/meminfo"), re.M)
    return int(found[1]) * 1024 if found else None


def governors(root: Path = ROOT) -> list[str]:
    """List the frequency governors in use."""
    found = {read(path) for path in (root / CPUS).glob("cpu[0-9]*/cpufreq/scaling_governor")}
    return sorted(found - {""})


def turbo(root: Path = ROOT) -> bool | None:
    """Tell whether cores may run faster than their base frequency."""
    off = read(root / CPUS / "intel_pstate/no_turbo")
    if off:
        return off == "0"
    boost = read(root / CPUS / "cpufreq/boost")
    return boost == "1" if boost else None


def cpu_limit(root: Path = ROOT) -> float | None:
    """Return how many cores' time the control group leaves to this process, if it limits it."""
    limits: list[float | None] = []
    for line in read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = (line.split(":", 2) + ["", ""])[:3]
        if not controllers:
            limits += [quota(root / "sys/fs/cgroup" / group) for group in above(path)]
        elif "cpu" in controllers.split(","):
            for group in above(path):
                held = root / "sys/fs/cgroup/cpu" / group
                limits.append(share(read(held / "cpu.cfs_quota_us"), read(held / "cpu.cfs_period_us")))
    return min((limit for limit in limits if limit), default=None)


def above(path: str) -> list[str]:
    """List a group and those around it, the outermost last."""
    parts = [part for part in path.split("/") if part]
    return ["/".join(parts[:count]) for count in range(len(parts), -1, -1)]


def quota(folder: Path) -> float | None:
    """Read a version 2 group's limit."""
    words = read(folder / "cpu.max").split()
    return share(words[0], words[1]) if len(words) == 2 else None


def share(limit: str, period: str) -> float | None:
    """Divide a quota by its period; None for no limit."""
    return int(limit) / int(period) if limit.isdigit() and period.isdigit() and int(period) else None


def busy(seconds: float = 0.5, root: Path = ROOT) -> list[tuple[str, int, float]]:
    """List the other processes that compute: name, id, and cores' worth of time, the busiest first."""
    ticks = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
    before, start = dict(times(root)), time.monotonic()
    time.sleep(seconds)
    passed = max(time.monotonic() - start, 1e-3)
    found = []
    for (pid, name), spent in times(root):
        used = (spent - before.get((pid, name), spent)) / ticks / passed
        if used >= MIN_SHARE and pid != os.getpid():
            found.append((name, pid, used))
    return sorted(found, key=lambda one: -one[2])


def times(root: Path) -> Iterator[tuple[tuple[int, str], int]]:
    """Go through the processes: id and name, and the clock ticks that each has computed."""
    for path in (root / "proc").glob("[0-9]*/stat"):
        name, _, rest = read(path).partition("(")[2].rpartition(")")
        words = rest.split()
        if len(words) > 12:
            yield (int(path.parent.name), name), int(words[11]) + int(words[12])


def stolen(seconds: float = 0.5, root: Path = ROOT) -> float | None:
    """Return the share of time that the host gave to others while this machine wanted to compute."""
    before = ticks(root)
    time.sleep(seconds)
    after = ticks(root)
    if not before or not after:
        return None
    passed = sum(after[:8]) - sum(before[:8])
    return (after[7] - before[7]) / passed if passed > 0 else 0.0


def ticks(root: Path) -> list[int]:
    """Read the machine's clock ticks by kind."""
    words = read(root / "proc/stat").partition("\n")[0].split()[1:]
    return [int(word) for word in words] if len(words) >= 8 and all(word.isdigit() for word in words) else []
