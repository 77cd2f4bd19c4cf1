"""Squeeze and excitation: channels gated by what all positions of all channels say together."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..registry import activation
from ..settings import Range
from .channelwise import check_channels, parameter_shape, promote
from .projection import drawn, project


@activation(
    "se",
    formula="x * sigmoid(W2 relu(W1 mean(x)))",
    paper="arXiv:1709.01507",
    year=2017,
    tags=("gated", "channel", "layer"),
)
class SqueezeExcitation(nn.Module):
    """Squeeze-and-excitation gating: x * sigmoid(W2 relu(W1 mean(x))), one gate a sample and channel (Hu et al. 2017).

    The mean goes over all but batch and channels; dimension 0 is the batch, and an input whose dimension 0 holds the
    channels is a batch of one. An input ``[N, C]`` has nothing to average. Both maps are without biases, as in the
    paper's formula: 2 C max(1, C // r) parameters, which start as PyTorch's linear layers do. At C < 2 r one unit is
    left between them, and gates are 1/2 wherever its ReLU is off. It puts no nonlinearity of its own along x: networks
    place it beside their activation; here it takes the activation's place.

    Args:
        channels: the size of the channel dimension, C.
        channel_dim: which dimension of the input holds the channels.
        r: the reduction; W1 maps C to max(1, C // r) and W2 back to C.

    Raises:
        ValueError: if ``channels`` is below 1.

    >>> SqueezeExcitation(3)(torch.zeros(2, 3, 5, 5)).shape
    torch.Size([2, 3, 5, 5])
    """

    def __init__(
        self, channels: int, channel_dim: int = 1, r: Annotated[int, Range(at_least=1, at_most=2**20)] = 16
    ) -> None:
        """Draw W1 and W2."""
        super().__init__()
        (size,) = parameter_shape("channel", channels)
        hidden = max(1, size // r)
        self.W1 = drawn(hidden, size, inputs=size)
        self.W2 = drawn(size, hidden, inputs=hidden)
        self.channel_dim = channel_dim

    def forward(self, x: Tensor) -> Tensor:
        """Apply it to each sample; any shape that has the channels at ``channel_dim``."""
        check_channels(x, len(self.W2), self.channel_dim)
        if x.numel() == 0:
            return x.clone()  # there is no mean to take
        wide = promote(x, self.W1)
        return (wide * self.gate(wide)).to(x.dtype)

    def gate(self, x: Tensor) -> Tensor:
        """Compute the gates; their shape is that of ``x`` with 1 in all but batch and channels."""
        mean = mean_of_positions(x, self.channel_dim)
        hidden = F.relu(project(mean, self.W1, None, self.channel_dim))
        return torch.sigmoid(F.linear(hidden, self.W2.to(hidden.dtype))).movedim(-1, self.channel_dim)

    def extra_repr(self) -> str:
        """Show the channels and the units between the maps."""
        channels, hidden = self.W2.shape
        return f"channels={channels}, channel_dim={self.channel_dim}, hidden={hidden}"


def mean_of_positions(x: Tensor, channel_dim: int) -> Tensor:
    """Average over all dimensions but the batch, which is dimension 0, and the channels; they stay with size 1.

    >>> mean_of_positions(torch.ones(2, 3, 5, 5), 1).shape
    torch.Size([2, 3, 1, 1])
    """
    rest = [dim for dim in range(1, x.dim()) if dim != channel_dim % x.dim()]
    return x.mean(rest, keepdim=True) if rest else x
