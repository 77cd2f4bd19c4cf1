"""Freed memory stays with the process while it times. Otherwise the heap decides which call zeroes pages."""

from __future__ import annotations

import ctypes
import platform
from functools import cache

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Numbers of glibc's mallopt, from malloc.h."""
LARGEST_KEPT = 32 << 20
"""Bytes of the largest block that glibc lets a process keep."""


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
