"""Checks of the surroundings: torch's global state changes no result, and no call changes it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from ..engines import ambient
from .subject import Subject, agree, call, expect

SURROUNDINGS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "with float64 by default": lambda: ambient.set_within({"default dtype": torch.float64}),
    "with deterministic algorithms": lambda: ambient.set_within({"deterministic algorithms": (True, False)}),
    "with two threads": lambda: ambient.pinned_threads(2),
    "under no_grad": torch.no_grad,
    "under inference_mode": torch.inference_mode,
}


def _state() -> dict[str, object]:
    return {**ambient.state(), "number of threads": torch.get_num_threads()}


def check_surroundings(subject: Subject) -> None:
    """Default dtype, grad mode, determinism and threads change no value, and a call leaves them as they are."""
    x = subject.input().float()
    expected = call(subject.build().eval(), x)
    for where, surroundings in SURROUNDINGS.items():
        module = subject.build().eval()
        with surroundings():
            before = _state()
            y = call(module, x)
            changed = [name for name, value in _state().items() if value != before[name]]
        expect(not changed, f"a call changes the {', '.join(changed)}")
        expect(y.dtype == expected.dtype, f"{where}, float32 inputs gave {y.dtype}")
        agree(Tensor.clone(y), expected, f"{where}, the values differ")


CHECKS = (check_surroundings,)
