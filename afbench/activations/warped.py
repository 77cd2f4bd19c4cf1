"""What the DiTAC family shares: theta, the flow T of a CPAB velocity, the penalty; ditac.py has the variants."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import torch
from torch import Tensor, nn

from ..kernels import cpab, cpab_basis, piecewise
from ..settings import Range

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


pulled: Callable[[Tensor, Tensor], Tensor] = _Pulled.apply
"""theta as it is, whose gradient is d * (that of the data) + pull * theta: what the published code's backward gives."""


class Warped(nn.Module):
    """What the variants share: theta, T(x), the penalty. A variant is a key of ``piecewise.COMBINE``.

    Raises:
        ValueError: unless a < b, both finite.
    """

    variant: ClassVar[str]
    theta: nn.Parameter
    vertices: Tensor
    precision: Tensor

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
        penalty_weight: Annotated[float, Range(at_least=0, below=math.inf)] = 0.1,
        method: Method = "table",
        bins: Annotated[int, Range(at_least=2, at_most=2**20)] = 1024,
        published_gradient: bool = False,
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
        self.theta = nn.Parameter(torch.empty(cpab_basis.basis(cells, zero_boundary).shape[1]))
        self._make_constants()
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw theta ~ N(0, B^T C B) from torch's generator; with ``init="identity"`` set it to 0."""
        if self.theta.is_meta:
            return  # no numbers to draw; torch would import torch._dynamo for the arithmetic
        covariance = cpab_basis.prior_covariance(self.cells, self.zero_boundary, self.init_smooth, self.init_var)
        values, vectors = np.linalg.eigh(covariance)
        # The symmetric root: the signs of eigenvectors, which differ between machines, cancel in it.
        root = torch.tensor(vectors * np.sqrt(values.clip(0.0)) @ vectors.T)
        with torch.no_grad():
            if self.init == "identity":
                self.theta.zero_()
            else:
                self.theta.copy_((root * torch.randn(len(values)).to(root)).sum(-1))

    def _make_constants(self) -> None:
        """B at the vertices and P: buffers that follow the module, left out of the state dict."""
        device = self.theta.device
        dtype = torch.float32 if device.type == "mps" else torch.float64  # MPS has no float64
        vertices = cpab_basis.vertex_basis(self.cells, self.zero_boundary)
        precision = cpab_basis.penalty_matrix(self.cells, self.zero_boundary, self.lambda_smooth, self.lambda_var)
        for name, values in (("vertices", vertices), ("precision", precision)):
            self.register_buffer(name, torch.tensor(values, dtype=dtype, device=device), persistent=False)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Make the constants anew where theta went: B cast to bfloat16 would be a basis of other fields."""
        self._buffers.clear()
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._make_constants()
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise, for any shape and floating dtype."""
        if not x.is_floating_point():
            raise TypeError(f"{self.variant} takes floating-point inputs, not {x.dtype}")
        if self.method != "nearest" or self._widen(x).dtype == torch.float64:
            theta = self._theta()
            theta = theta.to(torch.promote_types(theta.dtype, torch.float32))
            formula = piecewise.plain if self.method == "exact" else piecewise.ditac
            return formula(x, theta, self.vertices, self.a, self.b, self.variant, self.method == "fast")
        combine = piecewise.COMBINE[self.variant]
        if combine is None:
            return self.flow(x)
        wide, inside = self._widen(x), piecewise.inside(x, self.a, self.b)
        return combine(self._nearest(torch.where(inside, wide, self.a)), wide, inside).to(x.dtype)

    def velocity(self, x: Tensor) -> Tensor:
        """Velocity v(x), continuous and piecewise affine; its outer cells reach to infinity. Any shape."""
        wide = self._widen(x)
        return cpab.velocity(wide, *self._field(wide)).to(x.dtype)

    def flow(self, x: Tensor) -> Tensor:
        """Diffeomorphism T(x) of the whole line, the flow of the velocity at time 1, in closed form. Any shape.

        With ``method="nearest"`` x in [a, b] is rounded to the nearest of the bins, except in float64.
        """
        wide = self._widen(x)
        warped = cpab.flow(wide, *self._field(wide))
        if self._quantises(wide):
            inside = piecewise.inside(x, self.a, self.b)
            warped = torch.where(inside, self._nearest(torch.where(inside, wide, self.a)), warped)
        return warped.to(x.dtype)

    def penalty(self) -> Tensor:
        """Penalty penalty_weight * theta^T P theta, a scalar, to be added to the loss once a step.

        The published code adds a gradient in backward instead: once per call, unseen by the loss and by a
        gradient scaler, and wrong. Its product P theta broadcasts to [d, d], so the data's gradient is
        multiplied by d, and theta is weighted by the sums of P's columns.
        """
        if self.published_gradient:
            return self.theta.new_zeros(())  # it is in backward
        dtype = torch.promote_types(self.theta.dtype, torch.float32)
        theta, precision = self.theta.to(dtype), self.precision.to(dtype)
        return self.penalty_weight * (theta * (precision * theta).sum(-1)).sum()

    def extra_repr(self) -> str:
        """Show the settings."""
        return ", ".join(f"{name}={getattr(self, name)}" for name in inspect.signature(type(self)).parameters)

    def _widen(self, x: Tensor) -> Tensor:
        """Cast to the dtype to compute in: that of x and theta, and at least float32."""
        return x.to(torch.promote_types(torch.promote_types(x.dtype, self.theta.dtype), torch.float32))

    def _theta(self) -> Tensor:
        if not self.published_gradient:
            return self.theta
        return pulled(self.theta, 2 * self.penalty_weight * self.precision.sum(0).to(self.theta.dtype))

    def _field(self, x: Tensor) -> tuple[Tensor, Tensor, float, float]:
        return self._theta().to(x.dtype), self.vertices.to(x.dtype), self.a, self.b

    def _quantises(self, x: Tensor) -> bool:
        return self.method == "nearest" and x.dtype != torch.float64

    def _nearest(self, x: Tensor) -> Tensor:
        """T(q), q the nearest to x of a + k (b - a) / bins, with the gradients dT/dx and dT/dtheta of q.

        The table is built at every forward: weights change without notice, and it costs what ``bins`` + 1
        inputs cost.
        """
        k = torch.arange(self.bins + 1, dtype=x.dtype, device=x.device)
        width = (self.b - self.a) / self.bins
        values, slopes = cpab.flow_and_slope(self.a + k * width, *self._field(x))
        # Clamped twice as NaN becomes any integer.
        nearest = ((x - self.a) / width).round().clamp(0, self.bins).long().clamp(0, self.bins).reshape(-1)
        value, slope = (table.index_select(0, nearest).reshape(x.shape) for table in (values, slopes))
        return value + slope * (x - x.detach())  # the last factor is 0 and its derivative 1
