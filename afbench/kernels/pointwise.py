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

DTYPES = (torch.float32, torch.bfloat16)
"""What the kernels read and write; they compute in float32. A message gives an element's bytes."""


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


def data(x: Tensor, y: Tensor, gradient: Tensor | None) -> tuple[int, ...]:
    """List what every message begins with: ``Data`` in native/message.h."""
    own = 0 if gradient is None else gradient.data_ptr()
    return threads(x.numel()), x.element_size(), x.data_ptr(), y.data_ptr(), own


def laid_out_like(tensor: Tensor, result: Tensor) -> Tensor:
    """Lay a result out as ``empty_like`` would, which is what an operator promises.

    >>> laid_out_like(torch.zeros(3, 2).t(), torch.zeros(2, 3)).stride()
    (1, 2)
    """
    like = torch.empty_like(tensor)
    return result if like.stride() == result.stride() else like.copy_(result)


def forward(
    native: Native, settings: Sequence[int], x: Tensor, parameters: Sequence[Tensor], trailing: bool, channel_dim: int
) -> Tensor:
    """Call a kernel forward.

    Args:
        native: the function of the library.
        settings: its own part of the message, which follows the data.
        x: of any layout; a dense one is read and written as it lies, in whatever order.
        parameters: each as the module says.
        trailing: whether they have a last dimension more, for several values a channel.
        channel_dim: of x, counted from the front.
    """
    y = torch.empty_like(x)
    if not x.numel():
        return y
    values = [p if p.is_contiguous() else p.contiguous() for p in parameters]
    refusal = native(*data(x, y, None), *settings, *_layout(x, values, values, trailing, channel_dim))
    if refusal is None:
        return y
    return laid_out_like(x, forward(native, settings, _mended(x, refusal), values, trailing, channel_dim))


def backward(
    native: Native,
    settings: Sequence[int],
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
    refusal = native(*data(x, dx, gradient), *settings, *_layout(x, values, gradients, trailing, channel_dim))
    if refusal is not None:
        mended = _mended(x, refusal)
        dx, *gradients = backward(native, settings, gradient, mended, values, trailing, channel_dim)
        dx = laid_out_like(x, dx)
    shaped = zip(parameters, values, gradients, strict=True)
    return dx, *(own if p is value else laid_out_like(p, own) for p, value, own in shaped)


def _layout(
    x: Tensor, values: Sequence[Tensor], gradients: Sequence[Tensor], trailing: bool, channel_dim: int
) -> list[int]:
    """List what ``call`` in native/pointwise.cpp reads: how x and the parameters lie."""
    message = [channel_dim, len(x.shape), *x.shape, *x.stride(), len(values)]
    for value, own in zip(values, gradients, strict=True):
        shape = value.shape or torch.Size([1])
        count = 1
        if trailing:
            *shape, count = shape if value.dim() > 1 else (1, *shape)  # type: ignore[assignment]
        message += (value.data_ptr(), own.data_ptr(), value.element_size(), count, len(shape), *shape)
    return message


def _mended(x: Tensor, refusal: bytes) -> Tensor:
    """Lay the input out so that the kernel takes it."""
    if refusal == b"not dense":
        return torch.empty_like(x).copy_(x)
    if refusal == b"not in order":
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
    mapped = [tensor.expand(size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)]
    for parameter, dim in parameters:
        if dim is not None:
            parameter = parameter.movedim(dim, 0)
            # A layer's own values, [] or [count], have no channels to stand before.
            mapped.append(parameter.unsqueeze(1) if parameter.dim() == 1 + trailing else parameter)
        else:
            mapped.append(parameter.unsqueeze(0) if parameter.dim() > 1 + trailing else parameter)
    return mapped
