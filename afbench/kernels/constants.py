"""Constants that formulas need as tensors: made from NumPy arrays when they are needed, and kept per device and dtype.

They belong to no module, so that nothing that is done to a module (meta device, casts, sharding, loading) can alter
them. What is kept are real tensors alone: one made while ``torch.func``, a fake tensor mode or the like is active may
belong to that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .modes import PLAIN, constant_when_compiled, tracing, watched

NUMPY = {torch.float32: "float32", torch.float64: "float64"}
"""The dtypes that formulas are computed in, by their names in NumPy."""

_kept: dict[Any, Tensor] = {}


def constant(make: Callable[..., Any], *settings: Any, like: Tensor, dtype: torch.dtype) -> Tensor:
    """Return ``make(*settings)``, a float64 array, as a tensor on the device of ``like``.

    >>> from afbench.kernels.field import vertex_basis
    >>> constant(vertex_basis, 2, True, like=torch.zeros(1), dtype=torch.float32).shape
    torch.Size([3, 1])
    """
    if torch.compiler.is_dynamo_compiling():
        return _keep(make, settings, like.device, dtype)
    if torch.compiler.is_compiling() or type(like) not in PLAIN or tracing() or watched():
        # Not the kept one: a real tensor beside fake ones, or unknown to the second of two traces that are compared.
        # The type of ``like`` does not tell: torch.func wraps a fake tensor in a plain one.
        return torch.tensor(make(*settings).tolist(), dtype=dtype, device=like.device)
    return _keep(make, settings, like.device, dtype)


@constant_when_compiled
def _keep(make: Callable[..., Any], settings: tuple[Any, ...], device: torch.device, dtype: torch.dtype) -> Tensor:
    key = make, settings, device, dtype
    tensor = _kept.get(key)
    if tensor is None:
        with torch.inference_mode(False):  # a tensor made within could not be used in training
            # Not torch.tensor, which torch.func and fake tensor modes turn into one of their own.
            tensor = torch.from_numpy(make(*settings).astype(NUMPY[dtype]))
            if device.type != "cpu":
                tensor = tensor.to(device)
        if _real(tensor):
            _kept[key] = tensor
    return tensor


def _real(tensor: Tensor) -> bool:
    if tensor.is_meta:
        return True
    try:
        return type(tensor) is Tensor and tensor.data_ptr() != 0
    except RuntimeError:  # it has no storage of its own
        return False
