"""The environment of a result: machine, versions, load and time."""

from __future__ import annotations

import os
import platform
import subprocess
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


@cache
def read() -> dict[str, Any]:
    """Describe this machine; ``id`` hashes all but commit and load, so that two runs share one description."""
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
    load = list(os.getloadavg()) if hasattr(os, "getloadavg") else []
    return {"schema": 1, "id": digest(lasting), **lasting, "commit": commit(), "load_at_start": load}


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


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> int | None:
    """Return the machine's memory in bytes, where the system tells."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def processor() -> str:
    """Name the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"


def installed(package: str) -> str:
    """Return a package's version, empty if it is not there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


@cache
def commit() -> str:
    """Return the commit that afbench runs from, with a ``+`` if its files were changed since; empty if installed."""
    here = Path(__file__).resolve().parents[1]
    if not (here.parent / ".git").exists():
        return ""  # a checkout around an installed afbench is another project's
    git = ["git", "-C", str(here)]
    try:
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10)
        changed = subprocess.run([*git, "status", "--porcelain", "--", "."], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "") if head.returncode == 0 else ""
