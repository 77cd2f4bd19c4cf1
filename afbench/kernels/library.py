"""The compiled library: finds it, loads it, and says which path runs.

The library has a C interface, and knows neither Python nor torch. Each of its functions takes one array of 64-bit
integers (addresses, sizes, strides), which is the cheapest call that ctypes has: 0.6 us, where twenty arguments of
their own took 3. It returns nothing, or the name of the reason why it refused; native/message.h lists the reasons.
"""

from __future__ import annotations

import ctypes
import os
import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch

from ..errors import SlowKernels, Unavailable, UsageError
from .modes import constant_when_compiled

PATH = Path(__file__).with_name("_native.so")
INSTRUCTIONS = ("baseline", "avx2", "avx512")
"""What the library is built for, from the least to the best; a processor has all up to its best."""

INTERFACE = 2
"""What ``afbench_interface`` in native/library.cpp must return: raised with every change to the messages' layout."""

CHOICES = ("plain", "native")
"""What AFBENCH_KERNELS may be; unset, the compiled path runs where there is one."""


@cache
def handle() -> ctypes.CDLL | None:
    """Load the library, and hand it torch's threads; None if there is none of this interface."""
    try:
        loaded = ctypes.CDLL(os.fspath(PATH))
        fits = loaded.afbench_interface() == INTERFACE
    except (OSError, AttributeError):
        return None
    if not fits:
        return None
    loaded.afbench_instructions.restype = ctypes.c_char_p
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
    usable = loaded.afbench_instructions().decode().split()
    return [name for name in usable if hasattr(loaded, f"afbench_ditac_{name}")]


_UNKNOWN = "unknown"
_chosen: str | None = _UNKNOWN


def instructions() -> str | None:
    """The instruction set that the compiled path uses; None if the plain path runs.

    Raises:
        UsageError: if AFBENCH_KERNELS is neither of ``CHOICES``.
        Unavailable: if it is ``native`` and there is no compiled library.
    """
    global _chosen
    if _chosen is _UNKNOWN:
        _chosen = _choose()
    return _chosen


@constant_when_compiled
def _choose() -> str | None:
    choice = os.environ.get("AFBENCH_KERNELS")
    if choice not in (None, *CHOICES):
        raise UsageError(f"AFBENCH_KERNELS is {choice!r}; it may be {' or '.join(CHOICES)}, or unset")
    if choice == "plain":
        return None
    usable = available()
    if usable:
        return usable[-1]
    if choice == "native":
        raise Unavailable(f"AFBENCH_KERNELS=native, but there are no compiled kernels at {PATH}: {REMEDY}")
    warnings.warn(f"afbench runs without its compiled kernels, many times slower: {REMEDY}", SlowKernels, stacklevel=2)
    return None


@contextmanager
def using(isa: str | None) -> Iterator[None]:
    """Within it, one of ``available()`` is used, or the plain path for None; for tests and measurements."""
    global _chosen
    before, _chosen = _chosen, isa
    try:
        yield
    finally:
        _chosen = before


REMEDY = "install it again with a C++ compiler at hand, or set AFBENCH_KERNELS=plain"


def path() -> str:
    """Name the path that runs, for records: ``plain``, or ``native-avx2`` and the like.

    >>> path().partition("-")[0] in CHOICES
    True
    """
    isa = instructions()
    return f"native-{isa}" if isa else "plain"


class Native:
    """A function of the library, looked up when it is first called.

    Args:
        name: without the instruction set, such as ``"afbench_ditac"``.
    """

    def __init__(self, name: str) -> None:
        """Remember the name; nothing is loaded yet."""
        self.name = name
        self.entries: dict[str | None, Callable[[bytes], bytes | None]] = {}

    def __call__(self, *message: int) -> bytes | None:
        """Call it for the chosen instruction set; return the reason of a refusal, if another layout may help.

        Raises:
            MemoryError: if the library could not allocate what it computes with.
            ValueError: if it has no kernel for what the message names.
        """
        isa = instructions()
        entry = self.entries.get(isa)
        if entry is None:
            function = getattr(handle(), f"{self.name}_{isa}")
            function.argtypes, function.restype = [ctypes.c_char_p], ctypes.c_char_p
            entry = self.entries[isa] = function
        refusal = entry(struct.pack(f"{len(message)}q", *message))
        if refusal == b"no memory":
            raise MemoryError(f"{self.name} could not allocate the memory that it computes with")
        if refusal == b"unknown":
            raise ValueError(f"{self.name} has no kernel for these settings")
        return refusal


@cache
def _kept(name: str) -> ctypes.Array[ctypes.c_char]:
    return ctypes.create_string_buffer(name.encode())


@cache
def address(name: str) -> int:
    """Return the address of a name for a message: choices are passed by their names, not by numbers."""
    return ctypes.addressof(_kept(name))


@cache
def bits(value: float) -> int:
    """Return the bits of a float64 as an integer of a message."""
    return int(struct.unpack("q", struct.pack("d", value))[0])


LARGE = 32768
"""Up to so many elements one thread is as fast, as in torch's own elementwise operators."""


def threads(elements: int) -> int:
    """How many threads work on so many elements: torch's, or one where waking them costs more.

    >>> threads(10)
    1
    """
    return torch.get_num_threads() if elements > LARGE else 1
