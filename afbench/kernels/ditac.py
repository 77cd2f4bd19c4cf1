"""The DiTAC family as an operator: a flow T on [a, b], something simple outside, by a table of cubic pieces.

The compiled path makes a table of the activation from theta in every call, with knots at its kinks, and splits pieces
until it is within 1e-5 (b - a); where 4,096 pieces do not do, it computes the closed form. Its gradient by x is that of
the table; by theta it is the exact derivative, interpolated, knots held still. The plain path is the closed form: made
of PyTorch operators, a table costs a millisecond a call, and is at best two or three times faster on large inputs.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from . import library, pointwise
from .constants import constant
from .field import vertex_basis
from .flow import flow, flow_and_slope, velocity
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
"""What each variant makes of T(x), x, and whether x is in [a, b]; None: T(x) everywhere."""


def inside(x: Tensor, a: float, b: float) -> Tensor:
    """Whether x is in [a, b], both rounded to x's own dtype, so that x = b is inside in bfloat16 too.

    >>> inside(torch.tensor([0.7], dtype=torch.bfloat16), 0.0, 0.7)
    tensor([True])
    """
    return (x >= a) & (x <= b)


Space = tuple[int, bool, float, float]
"""The velocities among which theta chooses: the cells, whether they are 0 at the ends, and the ends a and b."""


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
        mapped: Tensor = torch.vmap(lambda x, theta: plain(x, theta, *rest))(x, theta)
        return mapped
    wide, theta = pointwise.widened(x, theta)
    velocities = theta, *_velocity(wide, (cells, zero_boundary, a, b))
    combine = COMBINE[variant]
    if combine is None:
        far = wide.isinf()  # where the closed form would be inf - inf
        return torch.where(far, wide, flow(torch.where(far, 0, wide), *velocities)).to(x.dtype)
    within = inside(x, a, b)
    return combine(flow(torch.where(within, wide, a), *velocities), wide, within).to(x.dtype)


def flow_of(x: Tensor, theta: Tensor, space: Space, bins: int | None = None) -> Tensor:
    """Compute T(x); with ``bins`` and but for float64 T of the nearest bin for x in [a, b], see `nearest`.

    >>> flow_of(torch.tensor([-1.0, 0.25]), torch.zeros(3), (4, True, -3.0, 3.0))
    tensor([-1.0000,  0.2500])
    """
    wide, theta = pointwise.widened(x, theta)
    warped = flow(wide, theta, *_velocity(wide, space))
    if bins is not None and wide.dtype != torch.float64:
        within = inside(x, *space[2:])
        warped = torch.where(within, _at_bins(torch.where(within, wide, space[2]), theta, space, bins), warped)
    return warped.to(x.dtype)


def nearest(x: Tensor, theta: Tensor, space: Space, variant: str, bins: int) -> Tensor:
    """Compute with T(q) for T(x), q the nearest to x of a + k (b - a) / bins, and the gradients of q; not for float64.

    >>> nearest(torch.tensor([-1.0, 0.24]), torch.zeros(3), (4, True, -3.0, 3.0), "leaky_ditac", 24)
    tensor([-1.0000,  0.2500])
    """
    combine = COMBINE[variant]
    if combine is None:
        return flow_of(x, theta, space, bins)
    wide, within = x.to(theta.dtype), inside(x, *space[2:])
    return combine(_at_bins(torch.where(within, wide, space[2]), theta, space, bins), wide, within).to(x.dtype)


def _velocity(x: Tensor, space: Space) -> tuple[Tensor, float, float]:
    """What `flow` takes after x and theta."""
    cells, zero_boundary, a, b = space
    return constant(vertex_basis, cells, zero_boundary, like=x, dtype=x.dtype), a, b


def velocity_of(x: Tensor, theta: Tensor, space: Space) -> Tensor:
    """Compute the velocity v(x).

    >>> velocity_of(torch.tensor([-3.0, 3.0]), torch.ones(3), (4, True, -3.0, 3.0))
    tensor([0., 0.])
    """
    wide, theta = pointwise.widened(x, theta)
    return velocity(wide, theta, *_velocity(wide, space)).to(x.dtype)


def _at_bins(x: Tensor, theta: Tensor, space: Space, bins: int) -> Tensor:
    """T(q) with the gradients dT/dx and dT/dtheta of q, for x in [a, b].

    The table is built at every forward: weights change without notice, and it costs what ``bins`` + 1 inputs cost.
    """
    a, b = space[2:]
    k = torch.arange(bins + 1, dtype=x.dtype, device=x.device)
    width = (b - a) / bins
    values, slopes = flow_and_slope(a + k * width, theta, *_velocity(x, space))
    # Clamped twice as NaN becomes any integer.
    bin = ((x - a) / width).round().clamp(0, bins).long().clamp(0, bins).reshape(-1)
    value, slope = (table.index_select(0, bin).reshape(x.shape) for table in (values, slopes))
    return value + slope * (x - x.detach())  # the last factor is 0 and its derivative 1


_NATIVE = library.Native("afbench_ditac")


@cache
def _in_memory(cells: int, zero_boundary: bool) -> tuple[array[float], int]:
    """`vertex_basis` as native/ditac.cpp reads it, and its number of columns."""
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
    return pointwise.laid_out_like(x, x)


def _call(x: Tensor, y: Tensor, gradient: Tensor | None, own: Tensor | None, theta: Tensor, *rest: Any) -> None:
    cells, zero_boundary, a, b, variant, uniform = rest
    vertices, parameters = _in_memory(cells, zero_boundary)
    if theta.shape[-1] != parameters:
        raise ValueError(f"theta must have {parameters} entries for {cells} cells, got {theta.shape[-1]}")
    theta = theta.contiguous()
    groups = theta.numel() // parameters
    _NATIVE(
        *pointwise.data(x, y, gradient),
        0 if own is None else own.data_ptr(),
        theta.data_ptr(),
        groups,
        x.numel() // max(groups, 1),
        cells,
        parameters,
        vertices.buffer_info()[0],
        library.bits(a),
        library.bits(b),
        library.address(variant),
        uniform,
    )


def _forward(x: Tensor, theta: Tensor, *rest: Any) -> Tensor:
    dense = _dense(x, theta)
    y = torch.empty_like(dense)
    _call(dense, y, None, None, theta, *rest)
    return pointwise.laid_out_like(x, y)


def _backward(gradient: Tensor, x: Tensor, theta: Tensor, *rest: Any) -> tuple[Tensor, Tensor]:
    dense, gradient = _dense(x, theta), gradient.resolve_neg()
    if gradient.stride() != dense.stride() or gradient.dtype != dense.dtype:
        gradient = torch.empty_like(dense).copy_(gradient)
    dx, own = torch.empty_like(dense), torch.empty_like(theta, memory_format=torch.contiguous_format)
    _call(dense, dx, gradient, own, theta, *rest)
    return pointwise.laid_out_like(x, dx), pointwise.laid_out_like(theta, own)


def _batch(size: int, x: Any, theta: Any, *rest: Any) -> tuple[Any, ...]:
    # One theta for all may stay; several have to lie along the new first dimension too.
    thetas = theta[0] if theta[1] is None and theta[0].dim() == 1 else at_front(size, *theta)
    return at_front(size, *x), thetas, *(value for value, _ in rest)


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


class _Pulled(torch.autograd.Function):
    """What the published code makes of theta's gradient, for comparisons with it."""

    generate_vmap_rule = True

    @staticmethod
    def forward(theta: Tensor, pull: Tensor) -> Tensor:
        return theta.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        theta, pull = ctx.saved_tensors
        return len(theta) * grad + pull * theta, None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: Any) -> Tensor:
        return tangent.clone()  # the derivative itself: nothing was published of forward mode


pulled: Callable[[Tensor, Tensor], Tensor] = _Pulled.apply
"""theta as it is, whose gradient is d * (that of the data) + pull * theta: what the published code's backward gives."""
