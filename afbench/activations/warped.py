"""What the DiTAC family shares: theta, the flow T of a CPAB velocity, the penalty; ditac.py has the variants."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from ..kernels import cpab, cpab_basis, piecewise, pointwise
from ..kernels.constants import constant
from ..kernels.sharded import by_parts, is_sharded, whole, write
from ..registry.settings import Range
from .channelwise import Device
from .tracing import leaf

Method = Literal["table", "fast", "exact", "nearest"]
Positive = Annotated[float, Range(above=0, below=math.inf)]


class _Pulled(torch.autograd.Function):
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


class Warped(nn.Module):
    """What the variants share: theta, T(x), the penalty. A variant is a key of ``piecewise.COMBINE``.

    Raises:
        ValueError: unless a < b, both finite.
    """

    variant: ClassVar[str]
    theta: nn.Parameter

    def __init__(
        self,
        cells: Annotated[int, Range(at_least=2, at_most=1000)] = 10,
        a: float = -0.5,
        b: float = 2.0,
        zero_boundary: bool = True,
        init: Literal["prior", "identity"] = "prior",
        init_smooth: Positive = 5.0,
        init_var: Positive = 2.0,
        lambda_smooth: Positive = 5.0,
        lambda_var: Positive = 2.0,
        penalty_weight: Annotated[float, Range(at_least=0, below=math.inf)] = 0.01,
        method: Method = "table",
        bins: Annotated[int, Range(at_least=2, at_most=2**20)] = 1024,
        published_gradient: bool = False,
        *,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Draw theta, or set it to 0; the settings are described in `Ditac`."""
        super().__init__()
        if not a < b:
            raise ValueError(f"a must be below b, got a={a}, b={b}")
        if not math.isfinite(b - a):
            raise ValueError(f"a and b must be finite, got a={a}, b={b}")
        self.cells, self.a, self.b, self.zero_boundary = cells, a, b, zero_boundary
        self.init, self.init_smooth, self.init_var = init, init_smooth, init_var
        self.lambda_smooth, self.lambda_var, self.penalty_weight = lambda_smooth, lambda_var, penalty_weight
        self.method, self.bins, self.published_gradient = method, bins, published_gradient
        self.theta = nn.Parameter(
            torch.empty(cpab_basis.basis(cells, zero_boundary).shape[1], device=device, dtype=dtype)
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw theta ~ N(0, B^T C B) from torch's generator; with ``init="identity"`` set it to 0."""
        if self.theta.is_meta:
            return  # no numbers to draw; torch would import torch._dynamo for the arithmetic
        covariance = cpab_basis.prior_covariance(self.cells, self.zero_boundary, self.init_smooth, self.init_var)
        values, vectors = np.linalg.eigh(covariance)
        # The symmetric root: the signs of eigenvectors, which differ between machines, cancel in it.
        root = vectors * np.sqrt(values.clip(0.0)) @ vectors.T
        if self.init == "identity":
            write(self.theta, torch.zeros(len(values), dtype=torch.float64, device="cpu"))
            return
        # The same draws whatever torch's default dtype and device are.
        draws = torch.randn(len(values), dtype=torch.float32, device="cpu")
        write(self.theta, (torch.from_numpy(root) * draws.double()).sum(-1))

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise, for any shape and floating dtype."""
        pull = 2 * self.penalty_weight if self.published_gradient else None
        return warp(x, self.theta, self.variant, self.method, self.bins, self._space, self._smoothness, pull)

    def velocity(self, x: Tensor) -> Tensor:
        """Velocity v(x), continuous and piecewise affine; its outer cells reach to infinity. Any shape."""
        wide, theta = pointwise.widened(x, self.theta)
        return cpab.velocity(wide, theta, *_field(wide, self._space)).to(x.dtype)

    def flow(self, x: Tensor) -> Tensor:
        """Diffeomorphism T(x) of the whole line, the flow of the velocity at time 1, in closed form. Any shape.

        With ``method="nearest"`` x in [a, b] is rounded to the nearest of the bins, except in float64.
        """
        return _flow(x, self.theta, self._space, self.bins if self.method == "nearest" else None)

    def penalty(self) -> Tensor:
        """Penalty penalty_weight * theta^T P theta, a scalar, to be added to the loss once a step.

        The published code adds a gradient in backward instead: once per call, unseen by the loss and by a
        gradient scaler, and wrong. Its product P theta broadcasts to [d, d], so the data's gradient is
        multiplied by d, and theta is weighted by the sums of P's columns.
        """
        if self.published_gradient:
            return self.theta.new_zeros(())  # it is in backward
        return weighted(self.theta, self.penalty_weight, self._smoothness)

    def extra_repr(self) -> str:
        """Show the settings."""
        shown = inspect.signature(type(self)).parameters
        return ", ".join(f"{name}={getattr(self, name)}" for name in shown if name not in ("device", "dtype"))

    @property
    def _space(self) -> Space:
        return self.cells, self.zero_boundary, self.a, self.b

    @property
    def _smoothness(self) -> Smoothness:
        return self.cells, self.zero_boundary, self.lambda_smooth, self.lambda_var


Space = tuple[int, bool, float, float]
"""The velocities among which theta chooses: the cells, whether they are 0 at the ends, and the ends a and b."""

Smoothness = tuple[int, bool, float, float]
"""What `cpab_basis.penalty_matrix` takes."""


@leaf
def warp(
    x: Tensor,
    theta: Tensor,
    variant: str,
    method: Method,
    bins: int,
    space: Space,
    smoothness: Smoothness,
    pull: float | None,
) -> Tensor:
    """Apply one of the family: the whole of `Warped.forward`."""
    if not x.is_floating_point():
        raise TypeError(f"{variant} takes floating-point inputs, not {x.dtype}")
    if is_sharded(x) or is_sharded(theta):
        return by_parts(
            lambda x, theta: warp(x, theta, variant, method, bins, space, smoothness, pull), x, (theta,), True
        )
    if pull is not None:
        precision = constant(cpab_basis.penalty_matrix, *smoothness, like=theta, dtype=torch.float64)
        theta = pulled(theta, (pull * precision.sum(0)).to(theta.dtype))
    wide, theta = x, theta.to(torch.promote_types(theta.dtype, torch.float32))
    nearest = method == "nearest" and torch.float64 not in (x.dtype, theta.dtype)
    if not nearest:
        formula = piecewise.plain if method == "exact" else piecewise.ditac
        return formula(x, theta, *space, variant, method == "fast")
    combine = piecewise.COMBINE[variant]
    if combine is None:
        return _flow(x, theta, space, bins)
    wide, inside = x.to(theta.dtype), piecewise.inside(x, *space[2:])
    return combine(_nearest(torch.where(inside, wide, space[2]), theta, space, bins), wide, inside).to(x.dtype)


@leaf
def weighted(theta: Tensor, weight: float, smoothness: Smoothness) -> Tensor:
    """Weight * theta^T P theta: the whole of `Warped.penalty`."""
    (theta,) = pointwise.widened(whole(theta))
    precision = constant(cpab_basis.penalty_matrix, *smoothness, like=theta, dtype=theta.dtype)
    # Not a matrix product, which autocast would do in 16 bits.
    return weight * (theta * (precision * theta).sum(-1)).sum()


def _field(x: Tensor, space: Space) -> tuple[Tensor, float, float]:
    """What `cpab.flow` takes after x and theta."""
    cells, zero_boundary, a, b = space
    return constant(cpab_basis.vertex_basis, cells, zero_boundary, like=x, dtype=x.dtype), a, b


def _flow(x: Tensor, theta: Tensor, space: Space, bins: int | None) -> Tensor:
    """T(x), in [a, b] that of the nearest bin unless ``bins`` is None or the dtype float64."""
    wide, theta = pointwise.widened(x, theta)
    warped = cpab.flow(wide, theta, *_field(wide, space))
    if bins is not None and wide.dtype != torch.float64:
        inside = piecewise.inside(x, *space[2:])
        warped = torch.where(inside, _nearest(torch.where(inside, wide, space[2]), theta, space, bins), warped)
    return warped.to(x.dtype)


def _nearest(x: Tensor, theta: Tensor, space: Space, bins: int) -> Tensor:
    """T(q), q the nearest to x of a + k (b - a) / bins, with the gradients dT/dx and dT/dtheta of q.

    The table is built at every forward: weights change without notice, and it costs what ``bins`` + 1 inputs cost.
    """
    a, b = space[2:]
    k = torch.arange(bins + 1, dtype=x.dtype, device=x.device)
    width = (b - a) / bins
    values, slopes = cpab.flow_and_slope(a + k * width, theta, *_field(x, space))
    # Clamped twice as NaN becomes any integer.
    nearest = ((x - a) / width).round().clamp(0, bins).long().clamp(0, bins).reshape(-1)
    value, slope = (table.index_select(0, nearest).reshape(x.shape) for table in (values, slopes))
    return value + slope * (x - x.detach())  # the last factor is 0 and its derivative 1
