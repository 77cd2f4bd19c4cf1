"""Tensors that are spread over several processes: what the formulas need of them."""

from __future__ import annotations

from torch import Tensor


def whole(tensor: Tensor) -> Tensor:
    """Gather a parameter that is spread over processes (a DTensor), differentiably; any other is returned as it is."""
    gather = getattr(tensor, "full_tensor", None)
    if gather is None:
        return tensor
    gathered: Tensor = gather()
    return gathered
