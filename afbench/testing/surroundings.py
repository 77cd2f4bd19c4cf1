"""Checks of the surroundings: torch's global state changes no result, and no call changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from .subject import Subject, agree, call, expect


@contextmanager
def float64_by_default() -> Iterator[None]:
    """Make float64 the default dtype within the block."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def deterministic() -> Iterator[None]:
    """Let torch refuse nondeterministic operators within the block."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


@contextmanager
def two_threads() -> Iterator[None]:
    """Let torch compute with two threads within the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        yield
    finally:
        torch.set_num_threads(before)


SURROUNDINGS: dict[str, Callable[[], object]] = {
    "with float64 by default": float64_by_default,
    "with deterministic algorithms": deterministic,
    "with two threads": two_threads,
    "under no_grad": torch.no_grad,
    "under inference_mode": torch.inference_mode,
}


def _state() -> dict[str, object]:
    return {
        "default dtype": torch.get_default_dtype(),
        "grad mode": torch.is_grad_enabled(),
        "number of threads": torch.get_num_threads(),
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "default device": torch.get_default_device(),
        "anomaly detection": torch.is_anomaly_enabled(),
    }


def check_surroundings(subject: Subject) -> None:
    """Default dtype, grad mode, determinism and threads change no value, and a call leaves them as they are."""
    x = subject.input().float()
    expected = call(subject.build().eval(), x)
    for where, surroundings in SURROUNDINGS.items():
        module = subject.build().eval()
        with surroundings():  # type: ignore[attr-defined]
            before = _state()
            y = call(module, x)
            changed = [name for name, value in _state().items() if value != before[name]]
        expect(not changed, f"a call changes torch's {', '.join(changed)}")
        expect(y.dtype == expected.dtype, f"{where}, float32 inputs gave {y.dtype}")
        agree(Tensor.clone(y), expected, f"{where}, the values differ")


CHECKS = (check_surroundings,)
