"""DiTAC and its three variants: a learned diffeomorphism, the flow of a CPAB velocity, as an activation."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from ..kernels import ditac as kernel
from ..kernels import field, pointwise
from ..kernels.constants import constant
from ..kernels.sharded import by_parts, is_sharded, whole, write
from ..registry.entries import activation
from ..registry.settings import Range
from .channelwise import Device, Shown
from .tracing import leaf

Method = Literal["table", "fast", "exact", "nearest"]
Positive = Annotated[float, Range(above=0, below=math.inf)]
Smoothness = tuple[int, bool, float, float]
"""What `field.penalty_matrix` takes."""


SHARED: dict[str, Any] = {
    "paper": "arXiv:2407.07564",
    "year": 2024,
    "version": 4,
    "tags": ("diffeomorphism",),
    "exceptions": {"accuracy": "float32 uses a lookup table, exact to 1e-5 (b - a); method=exact uses none"},
}
"""What the registry says of all four."""


class Warped(Shown):
    """What the variants share: theta, T(x), the penalty. A variant is a key of ``kernels.ditac.COMBINE``.

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
        size = field.basis(cells, zero_boundary).shape[1]
        self.theta = nn.Parameter(torch.empty(size, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw theta ~ N(0, B^T C B) from torch's generator; with ``init="identity"`` set it to 0."""
        if self.theta.is_meta:
            return  # no numbers to draw; torch would import torch._dynamo for the arithmetic
        covariance = field.prior_covariance(self.cells, self.zero_boundary, self.init_smooth, self.init_var)
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
        return kernel.velocity_of(x, self.theta, self._space)

    def flow(self, x: Tensor) -> Tensor:
        """Diffeomorphism T(x) of the whole line, the flow of the velocity at time 1, in closed form. Any shape.

        With ``method="nearest"`` x in [a, b] is rounded to the nearest of the bins, except in float64.
        """
        return kernel.flow_of(x, self.theta, self._space, self.bins if self.method == "nearest" else None)

    def penalty(self) -> Tensor:
        """Penalty penalty_weight * theta^T P theta, a scalar, to be added to the loss once a step.

        The published code adds a gradient in backward instead: once per call, unseen by the loss and by a
        gradient scaler, and wrong. Its product P theta broadcasts to [d, d], so the data's gradient is
        multiplied by d, and theta is weighted by the sums of P's columns.
        """
        if self.published_gradient:
            return self.theta.new_zeros(())  # it is in backward
        return weighted(self.theta, self.penalty_weight, self._smoothness)

    @property
    def _space(self) -> kernel.Space:
        return self.cells, self.zero_boundary, self.a, self.b

    @property
    def _smoothness(self) -> Smoothness:
        return self.cells, self.zero_boundary, self.lambda_smooth, self.lambda_var


@activation(
    "ditac",
    formula="T(x) Phi(x) on [a, b], else GELU(x)",
    **SHARED,
)
class Ditac(Warped):
    """DiTAC: T(x) * Phi(x) on [a, b] and GELU(x) = x * Phi(x) elsewhere (Chelly et al. 2024).

    T is the flow at time 1 of a continuous velocity, affine in each of ``cells`` equal cells of [a, b] with
    the coefficients B theta; Phi is the normal distribution function. There is one theta per layer. It starts
    at a random smooth T, as in the published code, far from the identity; theta = 0 is exactly GELU.

    Where the published code departs from the paper, this follows the paper; for the penalty see `penalty`. The
    published weight of the penalty is 0.1, beside a data gradient that the same code makes d times too large (9 at
    10 cells): under Adam it acts as 0.1 / d = 0.011, so the default here is 0.01. R2 in % on the published regression
    in two variables (5 seeds, mean and 95 % interval, see results/reference/regression_2d): weight 0.01 93 [88, 96];
    weight 0.1 31 [-15, 59]; weight 0.1 with the published gradient 93 [85, 97].

    Fidelity:
        start: theta from the smoothness prior (init_smooth 5, init_var 2), [a, b] = [-0.5, 2], 10 cells, as in the
            published code
        published: the penalty acts in backward alone, and wrongly: theta.grad = d * (data gradient) + 2 * weight *
            colsum(P) * theta, with d = 9 entries of theta, instead of data gradient + 2 * weight * P theta; no reported
            loss contains it; T always has 2,048 values (the paper: 2^8 to
            2^10); eval mode gives no gradients and does not see weights that are loaded after ``eval()``; CUDA only
        ours: as the paper: the loss contains the penalty theta^T P theta (``penalty()``) once a step, with weight 0.01
            (published: 0.1, which beside the correct data gradient holds theta near 0); ``method=table`` by default,
            within 1e-5 (b - a) of the closed form, which ``method=exact``, float64 and the plain path compute;
            ``method=nearest`` quantises; any device; ``published_gradient=true`` with ``penalty_weight=0.1`` reproduces
            the published gradient, for comparisons

    Args:
        cells: in how many cells the velocity is affine.
        a: the left end of [a, b].
        b: the right end.
        zero_boundary: whether v(a) = v(b) = 0; then T fixes a and b, the activation is continuous, and theta
            has cells - 1 entries. Otherwise it jumps at a and b, and theta has cells + 1.
        init: ``"prior"``, theta drawn from the smoothness prior, or ``"identity"``, theta = 0.
        init_smooth: the prior's length scale, in widths of [a, b].
        init_var: the prior's standard deviation, in spite of its published name.
        lambda_smooth: the penalty's length scale.
        lambda_var: the penalty's standard deviation.
        penalty_weight: the weight of `penalty`; 0.1 is the published letter.
        method: ``"table"``, cubic pieces between the kinks, within 1e-5 (b - a), as fast as GELU;
            ``"fast"``, 62 pieces of one width, within 1e-3 (b - a) for thetas of the prior, too
            coarse for entries of theta much above 1; ``"exact"``, the closed form;
            ``"nearest"``, T at the nearest of ``bins`` + 1 values of [a, b], with straight-through gradients.
            Without the compiled kernels ``"table"`` and ``"fast"`` are ``"exact"``, as all are in float64.
        bins: into how many intervals ``"nearest"`` cuts [a, b].
        published_gradient: reproduce the published code's theta.grad, for exact comparison, with
            ``penalty_weight=0.1``: d times the data's gradient plus 2 * penalty_weight * (sums of P's columns) * theta,
            at every call, and no `penalty`. It is wrong (see `penalty`).

    Raises:
        ValueError: unless a < b, both finite.

    >>> Ditac(init="identity")(torch.tensor([-1.0, 1.0])).detach()
    tensor([-0.1587,  0.8413])
    """

    variant = "ditac"


@activation(
    "ge_ditac",
    formula="GELU(x) below 0, T(x) on [0, b], x above b",
    **SHARED,
)
class GeDitac(Warped):
    """GE-DiTAC: GELU(x) for x < 0, T(x) on [0, b], x above b (Chelly et al. 2024).

    Settings as those of `Ditac`, with a = 0.

    Fidelity:
        start: as ``ditac``, on [0, b]
        published: absent
        ours: the paper's definition

    >>> GeDitac(init="identity")(torch.tensor([-1.0, 1.0])).detach()
    tensor([-0.1587,  1.0000])
    """

    variant = "ge_ditac"

    def __init__(
        self,
        cells: Annotated[int, Range(at_least=2, at_most=1000)] = 10,
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
        *,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Draw theta, or set it to 0; the settings are described in `Ditac`."""
        prior, penalty = (init_smooth, init_var), (lambda_smooth, lambda_var, penalty_weight)
        super().__init__(cells, 0.0, b, zero_boundary, init, *prior, *penalty, method, bins, device=device, dtype=dtype)


@activation(
    "leaky_ditac",
    formula="T(x) on [a, b], else leaky ReLU(x) of slope 0.01",
    **SHARED,
)
class LeakyDitac(Warped):
    """L-DiTAC: T(x) on [a, b] and leaky ReLU(x), of slope 0.01, elsewhere (Chelly et al. 2024).

    By the paper's definition it jumps at a < 0: with a zero boundary T(a) = a, where leaky ReLU is a / 100.
    Settings as those of `Ditac`.

    Fidelity:
        start: as ``ditac``
        published: raises NotImplementedError
        ours: the paper's definition, which jumps at a

    >>> LeakyDitac(init="identity")(torch.tensor([-1.0, -0.5, 1.0])).detach()
    tensor([-0.0100, -0.5000,  1.0000])
    """

    variant = "leaky_ditac"


@activation(
    "inf_ditac",
    formula="T(x) on all of R",
    **SHARED,
)
class InfDitac(Warped):
    """inf-DiTAC: T(x) on all of R, the velocity's outer cells reaching to infinity (Chelly et al. 2024).

    Beyond a and b it is affine, as in the paper, with the slope e^alpha of the outer cell. Without a zero
    boundary a path may leave that cell, where the paper's formula jumps and the flow does not. Settings as
    those of `Ditac`; ``method="nearest"`` rounds x in [a, b] only.

    Fidelity:
        start: as ``ditac``
        published: absent
        ours: the flow, continuous for every theta; the paper's formula jumps where, without zero boundary, a path
            leaves the outer cell

    >>> InfDitac(init="identity")(torch.tensor([-5.0, 5.0])).detach()
    tensor([-5.,  5.])
    """

    variant = "inf_ditac"


@leaf
def warp(
    x: Tensor,
    theta: Tensor,
    variant: str,
    method: Method,
    bins: int,
    space: kernel.Space,
    smoothness: Smoothness,
    pull: float | None,
) -> Tensor:
    """Apply one of the family: the whole of `Warped.forward`."""
    if not x.is_floating_point():
        raise TypeError(f"{variant} takes floating-point inputs, not {x.dtype}")
    if is_sharded(x) or is_sharded(theta):
        rest = variant, method, bins, space, smoothness, pull
        return by_parts(lambda x, theta: warp(x, theta, *rest), x, (theta,), True)
    if pull is not None:
        precision = constant(field.penalty_matrix, *smoothness, like=theta, dtype=torch.float64)
        theta = kernel.pulled(theta, (pull * precision.sum(0)).to(theta.dtype))
    theta = theta.to(torch.promote_types(theta.dtype, torch.float32))
    if method == "nearest" and torch.float64 not in (x.dtype, theta.dtype):
        return kernel.nearest(x, theta, space, variant, bins)
    formula = kernel.plain if method == "exact" else kernel.ditac
    return formula(x, theta, *space, variant, method == "fast")


@leaf
def weighted(theta: Tensor, weight: float, smoothness: Smoothness) -> Tensor:
    """Weight * theta^T P theta: the whole of `Warped.penalty`."""
    (theta,) = pointwise.widened(whole(theta))
    precision = constant(field.penalty_matrix, *smoothness, like=theta, dtype=theta.dtype)
    # Not a matrix product, which autocast would do in 16 bits.
    return weight * (theta * (precision * theta).sum(-1)).sum()
