"""Noisy ReLU: a rectifier that samples."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..kernels.pointwise import widened
from ..registry.entries import activation
from .tracing import leaf


@activation(
    "noisy_relu",
    formula="max(x + n, 0), n ~ N(0, sigmoid(x)) in training, n = 0 in evaluation",
    year=2010,
    tags=("rectifier", "noisy"),
)
class NoisyReLU(nn.Module):
    """Noisy ReLU: max(x + n, 0), n normal with mean 0 and variance sigmoid(x) (Nair and Hinton, ICML 2010).

    Noise is drawn in training only, from PyTorch's global generator, so that a seed repeats it; in evaluation it is
    ReLU.

    Fidelity:
        ours: variance sigmoid(x) as in its paper (Nair and Hinton, ICML 2010), in training only; the gradient is that
            of the formula at the noise drawn, through the variance too; the paper needs no such gradient, since it
            samples inside a Boltzmann machine

    >>> NoisyReLU().eval()(Tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return noisy_relu(x) if self.training else F.relu(x)


@leaf
def noisy_relu(x: Tensor) -> Tensor:
    """max(x + n, 0), n ~ N(0, sigmoid(x)), in float32 for 16-bit inputs."""
    (wide,) = widened(x)
    # The square root of sigmoid(x), by its logarithm: that of the rounded sigmoid has no finite slope at 0.
    deviation = torch.exp(F.logsigmoid(wide) / 2)
    return F.relu(wide + deviation * torch.randn_like(wide)).to(x.dtype)
