"""Fixed gated units, x times a gate of x: GELU and its approximations, SiLU, hard Swish, Mish."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..kernels.pointwise import widened
from ..kernels.sharded import by_parts, is_sharded
from ..registry.entries import activation
from .tracing import leaf


@activation(
    "gelu",
    formula="x * (1 + erf(x / sqrt(2))) / 2",
    paper="arXiv:1606.08415",
    year=2016,
    tags=("smooth", "gated"),
)
class GELU(nn.Module):
    """GELU: x * Phi(x) = x * (1 + erf(x / sqrt(2))) / 2, the exact form (Hendrycks and Gimpel 2016).

    Fidelity:
        published: torch: the same (its approximations are entries of their own)
        ours: the exact form

    >>> GELU()(Tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return F.gelu(x)


@activation(
    "gelu_tanh",
    formula="x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2",
    paper="arXiv:1606.08415",
    year=2016,
    tags=("smooth", "gated"),
)
class GELUTanh(nn.Module):
    """GELU by tanh: x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2 (Hendrycks and Gimpel 2016).

    It differs from the exact form by at most 4.8e-4.

    Fidelity:
        published: torch, ``approximate="tanh"``: the same
        ours: at most 4.8e-4 from GELU

    >>> GELUTanh()(Tensor([-1.0, 2.0]))
    tensor([-0.1588,  1.9546])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return F.gelu(x, approximate="tanh")


@activation(
    "gelu_sigmoid",
    formula="x * sigmoid(1.702 * x)",
    paper="arXiv:1606.08415",
    year=2016,
    tags=("smooth", "gated"),
)
class GELUSigmoid(nn.Module):
    """GELU by a sigmoid: x * sigmoid(1.702 * x) (Hendrycks and Gimpel 2016); Swish with a fixed beta = 1.702.

    It differs from the exact form by at most 0.0204.

    Fidelity:
        ours: x sigmoid(1.702 x); at most 0.0204 from GELU

    >>> GELUSigmoid()(Tensor([-1.0, 2.0]))
    tensor([-0.1542,  1.9357])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return gelu_by_sigmoid(x)


@activation("silu", formula="x * sigmoid(x)", paper="arXiv:1702.03118", year=2017, tags=("smooth", "gated"))
class SiLU(nn.Module):
    """SiLU: x * sigmoid(x) (Elfwing, Uchibe and Doya 2017); Swish with beta = 1, fixed.

    Fidelity:
        published: torch: the same

    >>> SiLU()(Tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return F.silu(x)


@activation(
    "hard_swish",
    formula="x * min(max(x + 3, 0), 6) / 6",
    paper="arXiv:1905.02244",
    year=2019,
    tags=("gated", "piecewise"),
)
class HardSwish(nn.Module):
    """Hard Swish: x * min(max(x + 3, 0), 6) / 6, SiLU with a piecewise linear gate (Howard et al. 2019).

    Fidelity:
        published: torch: the same

    >>> HardSwish()(Tensor([-1.0, 2.0]))
    tensor([-0.3333,  1.6667])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return hard_swish(x)


@activation(
    "mish",
    formula="x * tanh(log(1 + exp(x)))",
    paper="arXiv:1908.08681",
    year=2019,
    tags=("smooth", "gated"),
)
class Mish(nn.Module):
    """Mish: x * tanh(softplus(x)) (Misra 2019).

    It is torch's own operator, whose second derivative is NaN beyond x = 88, where exp(x) overflows in float32.

    Fidelity:
        published: torch: the same

    >>> Mish()(Tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return F.mish(x)


@leaf
def hard_swish(x: Tensor) -> Tensor:
    """Torch's own, a part at a time where x is spread over processes: its gradient cannot be had of a DTensor."""
    return by_parts(F.hardswish, x, (), True) if is_sharded(x) else F.hardswish(x)


@leaf
def gelu_by_sigmoid(x: Tensor) -> Tensor:
    """Compute x * sigmoid(1.702 * x), in float32 for 16-bit inputs."""
    (wide,) = widened(x)
    return (wide * torch.sigmoid(1.702 * wide)).to(x.dtype)
