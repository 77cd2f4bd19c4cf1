"""The squashing functions: tanh, the logistic sigmoid and softsign."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..kernels.pointwise import widened
from ..registry.entries import activation
from .tracing import leaf


@activation("tanh", formula="tanh(x)", tags=("sigmoidal", "smooth"))
class Tanh(nn.Module):
    """Hyperbolic tangent: tanh(x), from -1 to 1.

    Fidelity:
        published: torch: the same

    >>> Tanh()(Tensor([-1.0, 2.0]))
    tensor([-0.7616,  0.9640])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return torch.tanh(x)


@activation("sigmoid", formula="1 / (1 + exp(-x))", tags=("sigmoidal", "smooth"))
class Sigmoid(nn.Module):
    """Logistic sigmoid: 1 / (1 + exp(-x)), from 0 to 1.

    Fidelity:
        published: torch: the same

    >>> Sigmoid()(Tensor([-1.0, 2.0]))
    tensor([0.2689, 0.8808])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return torch.sigmoid(x)


@activation("softsign", formula="x / (1 + abs(x))", tags=("sigmoidal",))
class Softsign(nn.Module):
    """Softsign: x / (1 + abs(x)), from -1 to 1, which nears its limits as slowly as 1 / x.

    Fidelity:
        published: torch: the same

    >>> Softsign()(Tensor([-1.0, 2.0]))
    tensor([-0.5000,  0.6667])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return softsign(x)


@leaf
def softsign(x: Tensor) -> Tensor:
    """Compute x / (1 + abs(x)), in float32 for 16-bit inputs."""
    (wide,) = widened(x)
    return (wide / (1 + wide.abs())).to(x.dtype)
