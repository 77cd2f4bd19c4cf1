"""Freed memory stays with the process while it times: else the heap decides whom the zeroing of pages hits."""

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
    """Have malloc keep what is freed, blocks of up to 32 MiB too, for the rest of the process; tells whether it does.

    glibc hands freed memory back to the system where it lies at the heap's end, and the system zeroes it page by page
    when it is next wanted. Among candidates timed in turn that met the same one in every round, by chance, and cost it
    up to 0.9 of GELU's forward and backward (25 MB). Other C libraries are left alone.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    return bool(libc.mallopt(MMAP_THRESHOLD, LARGEST_KEPT) and libc.mallopt(TRIM_THRESHOLD, 2**31 - 1))
