"""Smooth ReLUs built from smooth parts: x times a smooth step, and squareplus from a smooth |x|."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from torch import Tensor

from ..kernels.pointwise import widened
from ..registry.entries import activation
from ..registry.settings import Range
from .channelwise import Shown
from .tracing import leaf

Step = Literal["logistic", "tanh", "erf", "arctan", "algebraic", "softsign"]


def smooth_step(z: Tensor, step: Step) -> Tensor:
    """Smooth step from 0 to 1 with the value 1/2 at 0.

    ========= ===========================  =========================================
    step      as it is known               as it is computed here
    ========= ===========================  =========================================
    logistic  1 / (1 + exp(-z))            the same
    tanh      (1 + tanh(z)) / 2            1 / (1 + exp(-2 z))
    erf       (1 + erf(z)) / 2             erfc(-z) / 2
    arctan    1 / 2 + arctan(z) / pi       atan2(1, -z) / pi
    algebraic (1 + z / sqrt(1 + z^2)) / 2  1 / (2 s (s - z)) for z < 0, s = sqrt(1 + z^2)
    softsign  (1 + z / (1 + abs(z))) / 2   1 / (2 (1 - z)) for z < 0
    ========= ===========================  =========================================

    What is known subtracts nearly equal numbers for large negative z, and x times the rest would show it: in float32
    x (1/2 + arctan(x) / pi) errs by 9e-4 at -3e4, where it is -0.318.

    >>> smooth_step(torch.tensor([-1.0, 0.0, 1.0]), "arctan")
    tensor([0.2500, 0.5000, 0.7500])
    """
    if step == "logistic":
        return torch.sigmoid(z)
    if step == "tanh":
        return torch.sigmoid(2 * z)
    if step == "erf":
        complement: Tensor = torch.special.erfc(-z)
        return complement / 2
    if step == "arctan":
        return torch.atan2(torch.ones_like(z), -z) / math.pi
    # So that the branch that is not taken has a finite gradient. Not by clamp: at 0, the slope of the branch that is
    # taken would be clamp's at its bound, which is 1 in some versions of torch and 0 in others.
    positive = z > 0
    below, above = torch.where(positive, 0.0, z), torch.where(positive, z, 0.0)
    if step == "algebraic":
        root = hypotenuse(z, 1.0)
        return torch.where(positive, (1 + above / root) / 2, 0.5 / root / (root - below))
    return torch.where(positive, 1 - 0.5 / (1 + above), 0.5 / (1 - below))


def hypotenuse(z: Tensor, b: float) -> Tensor:
    """Compute sqrt(z^2 + b) without the overflow of z^2.

    >>> hypotenuse(torch.tensor([3.0, 1e30]), 16.0)
    tensor([5.0000e+00, 1.0000e+30])
    """
    if not torch.compiler.is_exporting():
        return torch.hypot(z, torch.full_like(z, math.sqrt(b)))
    # ONNX has no hypot. Far out b is below the rounding of z^2, in float64 too.
    far = z.abs() > 1e9 * max(1.0, math.sqrt(b))
    return torch.where(far, z.abs(), torch.sqrt(torch.where(far, 0.0, z).square() + b))


@activation("smooth_relu", formula="x * H(k * x), H a smooth step from 0 to 1", tags=("smooth", "gated", "rectifier"))
class SmoothReLU(Shown):
    """x * H(k * x), a ReLU whose step is replaced by a smooth one.

    ReLU is x times the step from 0 to 1 at 0, and the limit of large k for every H. ``logistic`` with k = 1 is SiLU,
    ``tanh`` with k is ``logistic`` with 2 k, ``erf`` with k = 1 / sqrt(2) is GELU. ``arctan`` and ``softsign`` do not
    tend to 0 on the left but to -1 / (pi k) and -1 / (2 k). H is a setting and k = 1 an unscaled step: no publication
    gives a default.

    Fidelity:
        start: no parameters; the logistic step and k = 1, chosen here
        ours: x * H(k x), evaluated without the cancellation of the steps' usual forms

    Args:
        step: H(z), one of (1 + tanh z) / 2, (1 + erf z) / 2, 1/2 + arctan(z) / pi, (1 + z / sqrt(1 + z^2)) / 2
            (``algebraic``), (1 + z / (1 + abs(z))) / 2 (``softsign``) and 1 / (1 + exp(-z)) (``logistic``).
        k: the steepness.

    >>> SmoothReLU(step="erf", k=0.5**0.5)(Tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """

    def __init__(self, step: Step = "logistic", k: Annotated[float, Range(above=0)] = 1.0) -> None:
        """Set the step and its steepness."""
        super().__init__()
        self.step, self.k = step, k

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return smooth_relu(x, self.step, self.k)


@activation(
    "squareplus",
    formula="(x + sqrt(x^2 + b)) / 2",
    paper="arXiv:2112.11687",
    year=2021,
    tags=("smooth", "rectifier"),
)
class Squareplus(Shown):
    """Squareplus: (x + sqrt(x^2 + b)) / 2, a softplus without transcendental functions (Barron 2021).

    The default b = 4 is that of its paper. As a ReLU with a smooth abs(x) = sqrt(x^2 + b) it is also written with
    b = 0.1, which bends less: the value at 0 is sqrt(b) / 2.

    Fidelity:
        start: no parameters; b = 4, its paper's
        ours: evaluated without cancellation on the left; b = 0.1 is the other value in use

    Args:
        b: the size of the bend; ReLU is the limit b = 0.

    >>> Squareplus()(Tensor([-1.5, 1.5]))
    tensor([0.5000, 2.0000])
    """

    def __init__(self, b: Annotated[float, Range(above=0)] = 4.0) -> None:
        """Set b."""
        super().__init__()
        self.b = b

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return squareplus(x, self.b)


@leaf
def smooth_relu(x: Tensor, step: Step, k: float) -> Tensor:
    """Compute x * H(k * x), in float32 for 16-bit inputs."""
    (wide,) = widened(x)
    return (wide * smooth_step(k * wide, step)).to(x.dtype)


@leaf
def squareplus(x: Tensor, b: float) -> Tensor:
    """(x + sqrt(x^2 + b)) / 2, in float32 for 16-bit inputs."""
    (wide,) = widened(x)
    root = hypotenuse(wide, b)
    positive = wide > 0
    # The same ratio, without the difference that would lose all digits of x + root for negative x.
    left = b / 2 / (root - torch.where(positive, 0.0, wide))
    return torch.where(positive, wide / 2 + root / 2, left).to(x.dtype)
