"""The DiTAC family as an operator: a flow T on [a, b], something simple outside, by a table of cubic pieces.

The compiled path makes a table of the activation from theta in every call, with knots at its kinks, and splits pieces
until it is within 1e-5 (b - a); where 4,096 pieces do not do, it computes the closed form. Its gradient by x is that of
the table; by theta it is the exact derivative, interpolated, knots held still. The plain path is the closed form: made
of PyTorch operators, a table costs a millisecond a call, and is at best two or three times faster on large inputs.
"""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from . import cpab, library, pointwise
from .constants import constant
from .cpab_basis import vertex_basis
from .operator import at_front, register


def normal_cdf(x: Tensor) -> Tensor:
    """Phi(x) of the standard normal, by erfc: below -6 (1 + erf) / 2 has no correct digit in float32.

    >>> normal_cdf(torch.tensor([0.0, -10.0]))
    tensor([5.0000e-01, 7.6199e-24])
    """
    return 0.5 * torch.erfc(x * -math.sqrt(0.5))


def _ditac(warped: Tensor, x: Tensor, inside: Tensor) -> Tensor:
    return torch.where(inside, warped, x) * normal_cdf(x)


def _ge_ditac(warped: Tensor, x: Tensor, inside: Tensor) -> Tensor:
    return torch.where(inside, warped, x * torch.where(x < 0, normal_cdf(x), 1))


def _leaky_ditac(warped: Tensor, x: Tensor, inside: Tensor) -> Tensor:
    return torch.where(inside, warped, nn.functional.leaky_relu(x, 0.01))


COMBINE: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor] | None] = {
    "ditac": _ditac,
    "ge_ditac": _ge_ditac,
    "leaky_ditac": _leaky_ditac,
    "inf_ditac": None,
}
"""What each variant makes of T(x), x, and whether x is in [a, b]; None: T(x) everywhere. In the order of warp.h."""

NUMBERS = {variant: number for number, variant in enumerate(COMBINE)}


def inside(x: Tensor, a: float, b: float) -> Tensor:
    """Whether x is in [a, b], both rounded to x's own dtype, so that x = b is inside in bfloat16 too.

    >>> inside(torch.tensor([0.7], dtype=torch.bfloat16), 0.0, 0.7)
    tensor([True])
    """
    return (x >= a) & (x <= b)


def plain(
    x: Tensor, theta: Tensor, cells: int, zero_boundary: bool, a: float, b: float, variant: str, uniform: bool
) -> Tensor:
    """Compute the closed form, in at least float32; the arguments are those of `ditac`.

    >>> x = torch.tensor([-1.0, 0.25])
    >>> plain(x, torch.zeros(3), 4, True, -3.0, 3.0, "inf_ditac", False)
    tensor([-1.0000,  0.2500])
    """
    if theta.dim() > 1:
        rest = cells, zero_boundary, a, b, variant, uniform
        each: Tensor = torch.vmap(lambda x, theta: plain(x, theta, *rest))(x, theta)
        return each
    wide, theta = pointwise.widened(x, theta)
    field = theta, constant(vertex_basis, cells, zero_boundary, like=wide, dtype=wide.dtype), a, b
    combine = COMBINE[variant]
    if combine is None:
        far = wide.isinf()  # where the closed form would be inf - inf
        return torch.where(far, wide, cpab.flow(torch.where(far, 0, wide), *field)).to(x.dtype)
    within = inside(x, a, b)
    return combine(cpab.flow(torch.where(within, wide, a), *field), wide, within).to(x.dtype)


_native = library.Native("afbench_cpab")


@cache
def _bits(value: float) -> int:
    return int(struct.unpack("q", struct.pack("d", value))[0])


@cache
def _in_memory(cells: int, zero_boundary: bool) -> tuple[array[float], int]:
    """`vertex_basis` as native/cpab.cpp reads it, and its number of columns."""
    values = vertex_basis(cells, zero_boundary)
    return array("d", values.ravel().tolist()), values.shape[1]


def _serves(x: Tensor, theta: Tensor, *_: Any) -> bool:
    return library.instructions() is not None and theta.dtype == torch.float32 and pointwise.serves(x, theta)


def _dense(x: Tensor, theta: Tensor) -> Tensor:
    """X as the kernel takes it: without gaps, in any order; in its own order if there are several thetas."""
    if theta.shape[:-1] != x.shape[: theta.dim() - 1]:
        raise ValueError(f"theta of shape {tuple(theta.shape)} does not lie along an input of shape {tuple(x.shape)}")
    if theta.dim() > 1:
        return x.contiguous()
    like = torch.empty_like(x)
    return x if like.stride() == x.stride() else like.copy_(x)


def _call(x: Tensor, y: Tensor, gradient: Tensor | None, own: Tensor | None, theta: Tensor, *rest: Any) -> None:
    cells, zero_boundary, a, b, variant, uniform = rest
    vertices, parameters = _in_memory(cells, zero_boundary)
    if theta.shape[-1] != parameters:
        raise ValueError(f"theta must have {parameters} entries for {cells} cells, got {theta.shape[-1]}")
    theta = theta.contiguous()
    groups = theta.numel() // parameters
    _native(
        x.data_ptr(),
        y.data_ptr(),
        0 if gradient is None else gradient.data_ptr(),
        0 if own is None else own.data_ptr(),
        theta.data_ptr(),
        vertices.buffer_info()[0],
        groups,
        x.numel() // max(groups, 1),
        x.dtype == torch.bfloat16,
        library.threads(x.numel()),
        cells,
        parameters,
        _bits(a),
        _bits(b),
        NUMBERS[variant],
        uniform,
    )


def _forward(x: Tensor, theta: Tensor, *rest: Any) -> Tensor:
    dense = _dense(x, theta)
    y = torch.empty_like(dense)
    _call(dense, y, None, None, theta, *rest)
    return _like(x, y)


def _backward(gradient: Tensor, x: Tensor, theta: Tensor, *rest: Any) -> tuple[Tensor, Tensor]:
    dense, gradient = _dense(x, theta), gradient.resolve_neg()
    if gradient.stride() != dense.stride() or gradient.dtype != dense.dtype:
        gradient = torch.empty_like(dense).copy_(gradient)
    dx, own = torch.empty_like(dense), torch.empty_like(theta, memory_format=torch.contiguous_format)
    _call(dense, dx, gradient, own, theta, *rest)
    return _like(x, dx), _like(theta, own)


def _like(tensor: Tensor, result: Tensor) -> Tensor:
    """Lay the result out as `empty_like` would, which is what the operator promises."""
    like = torch.empty_like(tensor)
    return result if like.stride() == result.stride() else like.copy_(result)


def _batch(size: int, x: Any, theta: Any, *rest: Any) -> tuple[Any, ...]:
    # One theta for all may stay; several have to lie along the new first dimension too.
    every = theta[0] if theta[1] is None and theta[0].dim() == 1 else at_front(size, *theta)
    return at_front(size, *x), every, *(value for value, _ in rest)


ditac: Callable[..., Tensor] = register(
    "ditac(Tensor x, Tensor theta, int cells, bool zero_boundary, float a, float b, str variant, bool uniform)"
    " -> Tensor",
    inputs=2,
    values=1,
    plain=plain,
    forward=_forward,
    backward=_backward,
    serves=_serves,
    batch=_batch,
    traces=False,
    widens=False,  # a and b are rounded to the dtype of x
)
"""One of the DiTAC family, of the shape and dtype of x.

Of x; theta [d], or [N, d], [N, M, d], ..., along the first dimensions of x; the number of cells, and whether the
velocity is 0 at a and b; a and b; a key of ``COMBINE``; and whether the table may be a coarse one, of 62 pieces of one
width, for speed.
"""
