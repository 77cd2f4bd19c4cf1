"""Calls of the pointwise kernels: what a call's message says, and how parameters lie along an input.

A parameter ``[C]`` lies along the channel dimension, and ``[1]`` or ``[]`` serves all. Further dimensions before that
lie along the first dimensions of the input, 1 serving all again: ``[N, C]`` is one value a sample and channel. That is
also how ``torch.func.vmap`` over parameters arrives here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .library import Native, threads

DTYPES = {torch.float32: 0, torch.bfloat16: 1}
"""What the kernels read and write, by their numbers there; they compute in float32."""

NOT_DENSE, NOT_IN_ORDER = 1, 2
"""Refusals of a call: x has gaps; x lies in an order that puts parameters of their own inside others' elements."""


def serves(*tensors: Tensor) -> bool:
    """Whether the kernels have these dtypes, on this device."""
    strided = torch.compiler.is_compiling() or all(t.layout is torch.strided for t in tensors)  # it cannot trace this
    return strided and all(t.dtype in DTYPES and t.is_cpu for t in tensors)


def widened(*tensors: Tensor) -> list[Tensor]:
    """Cast all to the dtype that a formula is computed in: the widest of theirs, and at least float32.

    PyTorch rounds after each operation: a formula of five operations in bfloat16 would lose two of its eight bits.

    >>> [t.dtype for t in widened(torch.ones(2, dtype=torch.float16), torch.ones(1, dtype=torch.bfloat16))]
    [torch.float32, torch.float32]
    """
    dtype = torch.float32
    for tensor in tensors:
        dtype = torch.promote_types(dtype, tensor.dtype)
    return [tensor.to(dtype) for tensor in tensors]


def forward(
    native: Native, head: Sequence[int], x: Tensor, parameters: Sequence[Tensor], trailing: bool, channel_dim: int
) -> Tensor:
    """Call a kernel forward.

    Args:
        native: the function of the library.
        head: what its message begins with.
        x: of any layout; a dense one is read and written as it lies, in whatever order.
        parameters: each as the module says.
        trailing: whether they have a last dimension more, for several values a channel.
        channel_dim: of x, counted from the front.
    """
    y = torch.empty_like(x)
    if not x.numel():
        return y
    values = [p if p.is_contiguous() else p.contiguous() for p in parameters]
    code = native(*head, *_message(x, y, None, values, values, trailing, channel_dim))
    if code == 0:
        return y
    again = forward(native, head, _mended(x, code), values, trailing, channel_dim)
    return again if again.stride() == y.stride() else y.copy_(again)


def backward(
    native: Native,
    head: Sequence[int],
    gradient: Tensor,
    x: Tensor,
    parameters: Sequence[Tensor],
    trailing: bool,
    channel_dim: int,
) -> tuple[Tensor, ...]:
    """Call a kernel backward: the gradients by x and by every parameter, from that by y."""
    dx = torch.empty_like(x)
    gradient = gradient.resolve_neg()
    if not x.numel():
        return dx, *(torch.zeros_like(p) for p in parameters)
    if gradient.stride() != x.stride() or gradient.dtype != x.dtype:
        gradient = torch.empty_like(x).copy_(gradient)
    values = [p if p.is_contiguous() else p.contiguous() for p in parameters]
    gradients = [torch.empty_like(value) for value in values]
    code = native(*head, *_message(x, dx, gradient, values, gradients, trailing, channel_dim))
    if code == 0:
        return dx, *(
            g if p is value else _like(p, g) for p, value, g in zip(parameters, values, gradients, strict=True)
        )
    again, *gradients = backward(native, head, gradient, _mended(x, code), values, trailing, channel_dim)
    return again if again.stride() == dx.stride() else dx.copy_(again), *gradients


def _like(tensor: Tensor, result: Tensor) -> Tensor:
    """Lay a gradient out as ``empty_like`` would, which is what the operator promises."""
    like = torch.empty_like(tensor)
    return result if like.stride() == result.stride() else like.copy_(result)


def _message(
    x: Tensor,
    y: Tensor,
    gradient: Tensor | None,
    values: Sequence[Tensor],
    gradients: Sequence[Tensor],
    trailing: bool,
    channel_dim: int,
) -> list[int]:
    """List what ``call`` in native/call.cpp reads, in its order."""
    message = [
        threads(x.numel()),
        DTYPES[x.dtype],
        channel_dim,
        x.data_ptr(),
        y.data_ptr(),
        0 if gradient is None else gradient.data_ptr(),
        len(x.shape),
        *x.shape,
        *x.stride(),
        len(values),
    ]
    for value, own in zip(values, gradients, strict=True):
        shape = value.shape or torch.Size([1])
        count = 1
        if trailing:
            *shape, count = shape if value.dim() > 1 else (1, *shape)  # type: ignore[assignment]
        message += (value.data_ptr(), own.data_ptr(), DTYPES[value.dtype], count, len(shape), *shape)
    return message


def _mended(x: Tensor, code: int) -> Tensor:
    """Lay the input out so that the kernel takes it."""
    if code == NOT_DENSE:
        return torch.empty_like(x).copy_(x)
    if code == NOT_IN_ORDER:
        return x.clone(memory_format=torch.contiguous_format)
    raise ValueError(f"the parameters' shapes do not fit an input of shape {tuple(x.shape)}")


def along(parameter: Tensor, x: Tensor, channel_dim: int) -> Tensor:
    """View a parameter ``[..., C]`` so that it broadcasts against x.

    >>> along(torch.ones(2, 3), torch.zeros(2, 3, 5, 5), 1).shape
    torch.Size([2, 3, 1, 1])
    """
    *leading, channels = parameter.shape or (1,)
    shape = [1] * x.dim()
    shape[: len(leading)] = leading
    if channels != 1:
        shape[channel_dim] = channels
    return parameter.reshape(shape)


def batched(size: int, x: tuple[Tensor, int | None], parameters: Sequence[Any], trailing: bool) -> list[Tensor]:
    """Arguments of a vmapped call: x and every mapped parameter get their mapped dimension at the front."""
    tensor, dim = x
    found = [tensor.expand(size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)]
    for parameter, dim in parameters:
        if dim is not None:
            parameter = parameter.movedim(dim, 0)
            # A layer's own values, [] or [count], have no channels to stand before.
            found.append(parameter.unsqueeze(1) if parameter.dim() == 1 + trailing else parameter)
        else:
            found.append(parameter.unsqueeze(0) if parameter.dim() > 1 + trailing else parameter)
    return found
