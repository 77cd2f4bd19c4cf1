"""Fixed gated units, x times a smooth gate of x: GELU, SiLU, Mish."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ..registry import activation


@activation(
    "gelu",
    formula="x * (1 + erf(x / sqrt(2))) / 2",
    paper="arXiv:1606.08415",
    year=2016,
    tags=("smooth", "gated"),
)
class GELU(nn.Module):
    """GELU: x * Phi(x) = x * (1 + erf(x / sqrt(2))) / 2, the exact form (Hendrycks and Gimpel 2016).

    >>> GELU()(Tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return F.gelu(x)


@activation("silu", formula="x * sigmoid(x)", paper="arXiv:1702.03118", year=2017, tags=("smooth", "gated"))
class SiLU(nn.Module):
    """SiLU: x * sigmoid(x) (Elfwing, Uchibe and Doya 2017); Swish with beta = 1, fixed.

    >>> SiLU()(Tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return F.silu(x)


@activation(
    "mish",
    formula="x * tanh(log(1 + exp(x)))",
    paper="arXiv:1908.08681",
    year=2019,
    tags=("smooth", "gated"),
)
class Mish(nn.Module):
    """Mish: x * tanh(softplus(x)) (Misra 2019).

    >>> Mish()(Tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return F.mish(x)
