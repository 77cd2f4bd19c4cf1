"""The squashing functions: tanh and the logistic sigmoid."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..registry import activation


@activation("tanh", formula="tanh(x)", tags=("sigmoidal", "smooth"))
class Tanh(nn.Module):
    """Hyperbolic tangent: tanh(x), from -1 to 1.

    >>> Tanh()(Tensor([-1.0, 2.0]))
    tensor([-0.7616,  0.9640])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return torch.tanh(x)


@activation("sigmoid", formula="1 / (1 + exp(-x))", tags=("sigmoidal", "smooth"))
class Sigmoid(nn.Module):
    """Logistic sigmoid: 1 / (1 + exp(-x)), from 0 to 1.

    >>> Sigmoid()(Tensor([-1.0, 2.0]))
    tensor([0.2689, 0.8808])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return torch.sigmoid(x)
