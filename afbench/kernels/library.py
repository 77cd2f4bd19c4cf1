"""The compiled library: finds it, loads it, and says which path runs.

The library has a C interface, and knows neither Python nor torch. Each of its functions takes one array of 64-bit
integers (addresses, sizes, strides), which is the cheapest call that ctypes has: 0.6 us, where twenty arguments of
their own took 3.
"""

from __future__ import annotations

import ctypes
import os
import struct
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch

from ..errors import SlowKernels, Unavailable, UsageError

PATH = Path(__file__).with_name("_native.so")
INSTRUCTIONS = ("baseline", "avx2", "avx512")
"""What the library is built for, from the least to the best; a processor has all up to its best."""

CHOICES = ("plain", "native")
"""What AFBENCH_KERNELS may be; unset, the compiled path runs where there is one."""

Native = Callable[..., int]
"""Takes the integers of its message and returns 0, or a number that says why it did nothing."""


@cache
def handle() -> ctypes.CDLL | None:
    """Load the library, and hand it torch's threads; None where it was not built or cannot be loaded."""
    try:
        loaded = ctypes.CDLL(os.fspath(PATH))
    except OSError:
        return None
    loaded.afbench_share_threads(ctypes.c_void_p(_team()))
    return loaded


def _team() -> int | None:
    """Return the address of GOMP_parallel in the OpenMP runtime that torch runs on; None if it has none.

    Looked up through torch's own library, whose dependencies are searched with it: other packages may have loaded
    further runtimes.
    """
    try:
        torch_cpu = ctypes.CDLL(os.fspath(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"), os.RTLD_NOLOAD)
        return ctypes.cast(torch_cpu.GOMP_parallel, ctypes.c_void_p).value
    except (OSError, AttributeError):
        return None


def available() -> list[str]:
    """The instruction sets that this processor has and the library was built for, the best last."""
    loaded = handle()
    if loaded is None:
        return []
    usable = INSTRUCTIONS[: loaded.afbench_instructions() + 1]
    return [name for name in usable if hasattr(loaded, f"afbench_pointwise_{name}")]


@cache
def instructions() -> str | None:
    """The instruction set that the compiled path uses; None if the plain path runs.

    Raises:
        UsageError: if AFBENCH_KERNELS is neither of ``CHOICES``.
        Unavailable: if it is ``native`` and there is no compiled library.
    """
    choice = os.environ.get("AFBENCH_KERNELS")
    if choice not in (None, *CHOICES):
        raise UsageError(f"AFBENCH_KERNELS is {choice!r}; it may be {' or '.join(CHOICES)}, or unset")
    if choice == "plain":
        return None
    found = available()
    if found:
        return found[-1]
    if choice == "native":
        raise Unavailable(f"AFBENCH_KERNELS=native, but there are no compiled kernels at {PATH}: {REMEDY}")
    warnings.warn(f"afbench runs without its compiled kernels, many times slower: {REMEDY}", SlowKernels, stacklevel=2)
    return None


REMEDY = "install it again with a C++ compiler at hand, or set AFBENCH_KERNELS=plain"


def path() -> str:
    """Name the path that runs, for records: ``plain``, or ``native-avx2`` and the like.

    >>> path().partition("-")[0] in CHOICES
    True
    """
    found = instructions()
    return f"native-{found}" if found else "plain"


def function(name: str, isa: str | None = None) -> Native | None:
    """Return a function of the library for the chosen instruction set; None if the plain path runs.

    Args:
        name: without the instruction set, such as ``"afbench_pointwise"``.
        isa: one of ``available()`` instead of the chosen one.
    """
    isa, loaded = isa or instructions(), handle()
    if isa is None or loaded is None:
        return None
    entry = getattr(loaded, f"{name}_{isa}")
    entry.argtypes, entry.restype = [ctypes.c_char_p], ctypes.c_int

    def call(*message: int) -> int:
        return int(entry(struct.pack(f"{len(message)}q", *message)))

    return call


LARGE = 32768
"""Up to so many elements one thread is as fast, as in torch's own elementwise operators."""


def threads(elements: int) -> int:
    """How many threads work on so many elements: torch's, or one where waking them costs more.

    >>> threads(10)
    1
    """
    return torch.get_num_threads() if elements > LARGE else 1
