"""Fixed rectifiers: ReLU, and those that bend its negative half."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor, nn
from torch.nn import functional as F

from ..kernels.pointwise import widened
from ..registry.entries import activation
from ..registry.settings import Range
from .channelwise import Shown
from .tracing import leaf


@activation("relu", formula="max(x, 0)", year=2010, tags=("rectifier", "piecewise"))
class ReLU(nn.Module):
    """ReLU: max(x, 0) (Nair and Hinton, ICML 2010).

    Fidelity:
        published: torch: the same
        ours: max(x, 0) (Nair and Hinton, ICML 2010)

    >>> ReLU()(Tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return F.relu(x)


@activation("leaky_relu", formula="max(x, 0) + slope * min(x, 0)", year=2013, tags=("rectifier", "piecewise"))
class LeakyReLU(Shown):
    """Leaky ReLU: max(x, 0) + slope * min(x, 0) with a fixed slope (Maas, Hannun and Ng, ICML 2013).

    Fidelity:
        start: slope 0.01
        published: torch: the same

    Args:
        slope: the slope of the negative half.

    >>> LeakyReLU(slope=0.5)(Tensor([-1.0, 2.0]))
    tensor([-0.5000,  2.0000])
    """

    def __init__(self, slope: float = 0.01) -> None:
        """Set the slope."""
        super().__init__()
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return F.leaky_relu(x, self.slope)


@activation(
    "elu",
    formula="x if x > 0 else alpha * (exp(x) - 1)",
    paper="arXiv:1511.07289",
    year=2015,
    tags=("rectifier", "piecewise"),
)
class ELU(Shown):
    """ELU: x if x > 0 else alpha * (exp(x) - 1) (Clevert, Unterthiner and Hochreiter 2015).

    Fidelity:
        start: alpha = 1
        published: torch: the same

    Args:
        alpha: minus the limit at minus infinity; the function is smooth at 0 only for alpha = 1.

    >>> ELU()(Tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    def __init__(self, alpha: Annotated[float, Range(above=0)] = 1.0) -> None:
        """Set alpha."""
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return F.elu(x, self.alpha)


@activation(
    "celu",
    formula="x if x > 0 else alpha * (exp(x / alpha) - 1)",
    paper="arXiv:1704.07483",
    year=2017,
    tags=("rectifier", "piecewise"),
)
class CELU(Shown):
    """CELU: x if x > 0 else alpha * (exp(x / alpha) - 1), an ELU with slope 1 at 0 for every alpha (Barron 2017).

    Fidelity:
        start: alpha = 1, torch's default
        published: torch rounds 1 / alpha to float32 in its gradient: 4e-8 off in float64 for alpha = 0.3
        ours: the exact gradient

    Args:
        alpha: minus the limit at minus infinity; 1 is ELU, and small values tend to ReLU.

    >>> CELU()(Tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    def __init__(self, alpha: Annotated[float, Range(above=0)] = 1.0) -> None:
        """Set alpha."""
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return celu(x, self.alpha)


@activation(
    "selu",
    formula="lambda * (x if x > 0 else alpha * (exp(x) - 1)), lambda = 1.0507, alpha = 1.67326",
    paper="arXiv:1706.02515",
    year=2017,
    tags=("rectifier", "piecewise"),
)
class SELU(nn.Module):
    """SELU: lambda * (x if x > 0 else alpha * (exp(x) - 1)), lambda = 1.0507, alpha = 1.67326 (Klambauer et al. 2017).

    The two constants make mean 0 and variance 1 a fixed point of a layer with LeCun-normal weights.

    Fidelity:
        published: torch: the same

    >>> SELU()(Tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return F.selu(x)


@activation("softplus", formula="log(1 + exp(beta * x)) / beta", year=2000, tags=("rectifier", "smooth"))
class Softplus(Shown):
    """Softplus: log(1 + exp(beta * x)) / beta (Dugas et al., NIPS 2000).

    Fidelity:
        start: beta = 1
        published: torch turns linear at beta x = 20: 2e-9 off in float64
        ours: turns linear at beta x = 37, where float64 shows no difference

    Args:
        beta: the sharpness; ReLU is the limit of large beta.

    >>> Softplus()(Tensor([-1.0, 2.0]))
    tensor([0.3133, 2.1269])
    """

    # Beyond it the function is x: log(1 + exp(-37)) is below float64's rounding of 37. PyTorch's own 20 errs by 2e-9.
    THRESHOLD = 37.0

    def __init__(self, beta: Annotated[float, Range(above=0)] = 1.0) -> None:
        """Set beta."""
        super().__init__()
        self.beta = beta

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape. Autocast on CUDA would return float32; the input's dtype comes back."""
        return F.softplus(x, self.beta, self.THRESHOLD).to(x.dtype)


@leaf
def celu(x: Tensor, alpha: float) -> Tensor:
    """Compute CELU as an ELU: PyTorch's own rounds 1 / alpha to float32 in its gradient, 4e-8 off for alpha = 0.3."""
    (wide,) = widened(x)
    return (alpha * F.elu(wide / alpha)).to(x.dtype)
