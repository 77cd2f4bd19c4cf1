"""Tensors that are spread over several processes (DTensor): what an elementwise formula needs of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def is_sharded(tensor: Any) -> bool:
    """Whether it is a DTensor, asked without importing torch.distributed.

    >>> is_sharded(Tensor([1.0]))
    False
    """
    return hasattr(tensor, "full_tensor")


def whole(tensor: Tensor) -> Tensor:
    """Gather a parameter that is spread over processes, differentiably; any other is returned as it is."""
    if not is_sharded(tensor):
        return tensor
    gathered: Tensor = tensor.full_tensor()  # type: ignore[attr-defined]
    return gathered


def write(parameter: Tensor, values: Tensor) -> None:
    """Write values into a parameter; where it is spread over processes, all write their part of those of process 0.

    >>> parameter = torch.zeros(2)
    >>> write(parameter, torch.tensor([1.0, 2.0]))
    >>> parameter
    tensor([1., 2.])
    """
    if parameter.is_meta:
        return
    if is_sharded(parameter):
        from torch.distributed.tensor import distribute_tensor

        values = distribute_tensor(values, parameter.device_mesh, parameter.placements)  # type: ignore[attr-defined]
    with torch.no_grad():
        parameter.copy_(values)


def by_parts(function: Callable[..., Tensor], x: Any, parameters: tuple[Any, ...], alike: bool) -> Tensor:
    """Compute ``function(x, *parameters)``, elementwise in x, each process its own part, where some are DTensors.

    Args:
        function: of tensors of this process.
        x: the input; the result is spread as it is.
        parameters: each is needed whole; its gradients are summed over the parts of x.
        alike: whether all elements of x have the same parameters. If not, each process computes all of x.
    """
    if not is_sharded(x):
        return function(x, *(whole(parameter) for parameter in parameters))
    from torch.distributed.tensor import DTensor, Partial, Replicate, Shard

    placements = [p if isinstance(p, Shard) and alike else Replicate() for p in x.placements]
    spread = x.redistribute(placements=placements)
    mesh, everywhere = spread.device_mesh, [Replicate()] * len(placements)
    summed = [Partial() if isinstance(p, Shard) else Replicate() for p in placements]

    def local(parameter: Any) -> Tensor:
        if not is_sharded(parameter):
            parameter = DTensor.from_local(parameter, mesh, everywhere, run_check=False)
        part: Tensor = parameter.redistribute(placements=everywhere).to_local(grad_placements=summed)
        return part

    y = function(spread.to_local(), *(local(parameter) for parameter in parameters))
    shape, stride = spread.shape, spread.stride()
    result: Tensor = DTensor.from_local(y, mesh, placements, run_check=False, shape=shape, stride=stride)
    return result
