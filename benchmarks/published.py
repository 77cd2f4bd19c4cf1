"""The schemes that are published, rewritten from their descriptions for the CPU: candidates for ratios.py.

DiTAC: the nearest of 2,048 values, with the Jacobian gathered in backward. For every call T and its Jacobian dT/dtheta
are computed at 2,049 points of [a, b]; forward looks values up; backward gathers the Jacobian's row for every element
as [n, d], as the published code does.

PAU: all powers of x stacked in one tensor, multiplied by the coefficients and summed, by PyTorch operators.

And the libraries themselves, where they can be imported: `pip install --no-deps rational-activations torch-activation`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from afbench.kernels.field import vertex_basis
from afbench.kernels.flow import flow, flow_and_slope

BINS = 2048


class _Quantised(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, theta: Tensor, vertices: Tensor, a: float, b: float) -> Tensor:
        width = (b - a) / BINS
        inside = (x >= a) & (x <= b)
        index = ((x - a) / width).round().clamp(0, BINS).long()
        points = a + width * torch.arange(BINS + 1, dtype=x.dtype)
        values, slopes = flow_and_slope(points, theta, vertices, a, b)
        ctx.save_for_backward(points, theta, vertices, slopes, index, inside)
        ctx.ends = a, b
        return torch.where(inside, values[index], x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        points, theta, vertices, slopes, index, inside = ctx.saved_tensors
        step = theta.norm() * 1e-2 + 1e-3
        rows = [
            (flow(points, theta + e, vertices, *ctx.ends) - flow(points, theta - e, vertices, *ctx.ends))
            for e in step * torch.eye(len(theta))
        ]
        jacobian = torch.stack(rows, 1) / (2 * step)
        gathered = jacobian[index.reshape(-1)]
        theta_gradient = ((gradient * inside).reshape(-1, 1) * gathered).sum(0)
        return gradient * torch.where(inside, slopes[index], 1), theta_gradient, None, None, None


class PublishedDitac(nn.Module):
    """DiTAC on [a, b] as its code computes it."""

    def __init__(self, cells: int = 10, a: float = -3.0, b: float = 3.0) -> None:
        super().__init__()
        self.a, self.b = a, b
        self.register_buffer("vertices", torch.tensor(vertex_basis(cells), dtype=torch.float32))
        self.theta = nn.Parameter(0.3 * torch.randn(self.vertices.shape[1]))

    def forward(self, x: Tensor) -> Tensor:
        warped = _Quantised.apply(x, self.theta, self.vertices, self.a, self.b)
        return warped * 0.5 * torch.erfc(x * -(0.5**0.5))


class StackedPau(nn.Module):
    """PAU 5:4, 1 + |b_1 x| + ... below the line, from stacked powers; an approximation of leaky ReLU to begin with."""

    def __init__(self) -> None:
        super().__init__()
        self.top = nn.Parameter(torch.tensor([0.0298, 0.6184, 2.3233, 3.0519, 1.4854, 0.2510]))
        self.bottom = nn.Parameter(torch.tensor([-1.1420, 4.3932, 0.8715, 0.3472]))

    def forward(self, x: Tensor) -> Tensor:
        flat = x.reshape(-1)
        powers = [torch.ones_like(flat), flat]
        while len(powers) < len(self.top):
            powers.append(powers[-1] * flat)
        stack = torch.stack(powers, 1)
        below = (stack[:, 1 : len(self.bottom) + 1] * self.bottom).abs().sum(1)
        return ((stack * self.top).sum(1) / (1 + below)).reshape(x.shape)


def _rational() -> nn.Module:
    return importlib.import_module("rational.torch").Rational(approx_func="leaky_relu", cuda=False)  # type: ignore[no-any-return]


def _torch_activation(name: str, **settings: Any) -> Callable[[], nn.Module]:
    return lambda: getattr(importlib.import_module("torch_activation"), name)(**settings)  # type: ignore[no-any-return]


LIBRARIES = {
    "rational_activations' PAU": _rational,
    "torch_activation's PAU": _torch_activation("PAU"),
    "torch_activation's ACON-C": _torch_activation("ACONC", learnable=True),
}


def importable() -> dict[str, Callable[[], nn.Module]]:
    """The libraries that are here, and build."""
    found = {}
    for name, build in LIBRARIES.items():
        try:
            build()
        except Exception:  # whatever it was: most of them fit no torch of today
            continue
        found[name] = build
    return found
