"""The state of this process that changes what torch computes: pinned during an item, put back afterwards.

A script's default dtype, a notebook's autocast or a plugin's global hook therefore changes no result.
"""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn.modules import module as modules
from torch.optim import optimizer as optimizers

from ..streams import derive


@dataclass(frozen=True)
class Aspect:
    """One part of the ambient state: how it is read and set, and its value while an item is worked on."""

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], object]
    pinned: Any


def flag(name: str, holder: Any, attribute: str, pinned: Any) -> Aspect:
    """Make an aspect of an attribute."""
    return Aspect(name, lambda: getattr(holder, attribute), lambda value: setattr(holder, attribute, value), pinned)


def autocast(device: str) -> Aspect:
    """Make the aspect of a device's autocast."""
    return Aspect(
        f"autocast on {device}",
        lambda: torch.is_autocast_enabled(device),
        lambda value: torch.set_autocast_enabled(device, value),
        False,
    )


def set_default_device(device: torch.device) -> None:
    """Set the default device; the CPU is what torch starts with, without any mode."""
    torch.set_default_device(None if device.type == "cpu" else device)


def set_inference_mode(mode: bool) -> None:
    """Enter or leave inference mode for good; gradients are on after."""
    _entered.append(torch.inference_mode(mode))
    _entered[-1].__enter__()


_entered: list[Any] = []
"""Inference modes that were entered for good: deleting one would leave it."""


def hooks(holder: Any) -> Aspect:
    """Make the aspect of a torch module's global hooks: what every layer or every optimizer calls."""
    tables = {
        name: table for name, table in vars(holder).items() if name.startswith("_global_") and isinstance(table, dict)
    }

    def write(value: dict[str, dict[Any, Any]]) -> None:
        for name, table in tables.items():
            table.clear()
            table.update(value.get(name, {}))

    what = "layers" if holder is modules else "optimizers"
    return Aspect(
        f"global hooks of {what}",
        lambda: {name: dict(table) for name, table in tables.items() if table},
        write,
        {},
    )


ASPECTS = (
    Aspect("default dtype", torch.get_default_dtype, torch.set_default_dtype, torch.float32),
    Aspect("default device", torch.get_default_device, set_default_device, torch.device("cpu")),
    Aspect("inference mode", torch.is_inference_mode_enabled, set_inference_mode, False),
    Aspect("gradient mode", torch.is_grad_enabled, torch.set_grad_enabled, True),
    autocast("cpu"),
    autocast("cuda"),
    Aspect(
        "anomaly detection",
        lambda: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
        lambda value: torch.autograd.set_detect_anomaly(*value),
        (False, True),
    ),
    Aspect(
        "deterministic algorithms",
        lambda: (torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()),
        lambda value: torch.use_deterministic_algorithms(value[0], warn_only=value[1]),
        (False, False),
    ),
    flag("fill of uninitialized memory", torch.utils.deterministic, "fill_uninitialized_memory", True),
    Aspect(
        "float32 matmul precision",
        torch.get_float32_matmul_precision,
        torch.set_float32_matmul_precision,
        "highest",
    ),
    flag("oneDNN", torch.backends.mkldnn, "enabled", True),
    flag("deterministic oneDNN", torch.backends.mkldnn, "deterministic", False),
    flag("cuDNN", torch.backends.cudnn, "enabled", True),
    flag("deterministic cuDNN", torch.backends.cudnn, "deterministic", False),
    flag("cuDNN benchmark", torch.backends.cudnn, "benchmark", False),
    flag("einsum optimisation", torch.backends.opt_einsum, "enabled", torch.backends.opt_einsum.enabled),
    Aspect(
        "flushing of denormal numbers",
        lambda: bool(sys.float_info.min * np.float64(0.5) == 0),
        torch.set_flush_denormal,
        False,
    ),
    Aspect("numpy's error handling", np.geterr, lambda value: np.seterr(**value), np.geterr()),
    hooks(modules),
    hooks(optimizers),
)


def value_of(aspect: Aspect) -> Any:
    """Read an aspect; one that this torch cannot read counts as pinned."""
    try:
        return aspect.read()
    except (RuntimeError, AttributeError):
        return aspect.pinned


def state() -> dict[str, Any]:
    """Read every aspect."""
    return {aspect.name: value_of(aspect) for aspect in ASPECTS}


def restore(values: dict[str, Any]) -> None:
    """Set what differs from the given values."""
    for aspect in ASPECTS:
        if value_of(aspect) != values[aspect.name]:
            with contextlib.suppress(RuntimeError, AttributeError):
                aspect.write(values[aspect.name])


@contextmanager
def set_within(values: dict[str, Any]) -> Iterator[None]:
    """Set aspects, given by name, within the block; put all back after."""
    before = state()
    restore({**before, **values})
    try:
        yield
    finally:
        restore(before)


@contextmanager
def pinned(threads: int | None = None) -> Iterator[None]:
    """Compute with torch's own defaults within the block, and with a number of threads; put all back after.

    Threads change bits, so that a task's number belongs to the task.

    >>> before = torch.get_default_dtype()
    >>> torch.set_default_dtype(torch.float64)
    >>> with pinned():
    ...     torch.ones(1).dtype
    torch.float32
    >>> torch.get_default_dtype()
    torch.float64
    >>> torch.set_default_dtype(before)
    """
    wanted = torch.get_num_threads() if threads is None else threads
    with set_within({aspect.name: aspect.pinned for aspect in ASPECTS}), pinned_threads(wanted):
        yield


@contextmanager
def pinned_threads(threads: int) -> Iterator[None]:
    """Compute with a number of threads within the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let the global generators of torch, numpy and Python start from a seed within the block; put them back after.

    A trial's own draws come from named streams; this is for code that draws from a global generator.
    """
    gpu = torch.cuda.is_initialized()
    torch_state, cuda = torch.get_rng_state(), torch.cuda.get_rng_state_all() if gpu else []
    numpy_state, python_state = np.random.get_state(), random.getstate()
    torch.default_generator.manual_seed(derive(seed, "global"))
    if gpu:
        torch.cuda.manual_seed_all(derive(seed, "global"))
    np.random.seed(derive(seed, "numpy") % 2**32)
    random.seed(derive(seed, "python"))
    try:
        yield
    finally:
        torch.set_rng_state(torch_state)
        if gpu:
            torch.cuda.set_rng_state_all(cuda)
        np.random.set_state(numpy_state)
        random.setstate(python_state)
