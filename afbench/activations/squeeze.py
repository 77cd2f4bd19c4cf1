"""Squeeze and excitation: channels gated by what all positions of all channels say together."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..registry.entries import activation
from ..registry.settings import Range
from .channelwise import Device, check_channels, parameter_shape, promote
from .projection import brought_back, channels_last, draw, small_linear
from .tracing import leaf


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

    Fidelity:
        start: projections; r = 16
        ours: x * sigmoid(W2 relu(W1 mean(x))), without biases as in the formula; at least one unit between the maps

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
        self,
        channels: int,
        channel_dim: int = 1,
        r: Annotated[int, Range(at_least=1, at_most=2**20)] = 16,
        *,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Draw W1 and W2."""
        super().__init__()
        (size,) = parameter_shape("channel", channels)
        hidden = max(1, size // r)
        self.W1 = nn.Parameter(torch.empty(hidden, size, device=device, dtype=dtype))
        self.W2 = nn.Parameter(torch.empty(size, hidden, device=device, dtype=dtype))
        self.channel_dim = channel_dim
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw W1 and W2 anew."""
        for parameter in (self.W1, self.W2):
            draw(parameter, parameter.shape[1])

    def forward(self, x: Tensor) -> Tensor:
        """Apply it to each sample; any shape that has the channels at ``channel_dim``."""
        return excite(x, self.W1, self.W2, self.channel_dim)

    def gate(self, x: Tensor) -> Tensor:
        """Compute the gates; their shape is that of ``x`` with 1 in all but batch and channels."""
        return gates(promote(x, self.W1), self.W1, self.W2, self.channel_dim)

    def extra_repr(self) -> str:
        """Show the channels and the units between the maps."""
        channels, hidden = self.W2.shape
        return f"channels={channels}, channel_dim={self.channel_dim}, hidden={hidden}"


@leaf
def excite(x: Tensor, W1: Tensor, W2: Tensor, channel_dim: int) -> Tensor:
    """Compute x * sigmoid(W2 relu(W1 mean(x))), with one gate a sample and channel."""
    check_channels(x, len(W2), channel_dim)
    wide = promote(x, W1)
    return (wide * gates(wide, W1, W2, channel_dim)).to(x.dtype)


def gates(x: Tensor, W1: Tensor, W2: Tensor, channel_dim: int) -> Tensor:
    """Compute sigmoid(W2 relu(W1 mean(x))): one gate a sample and channel, and 1 in the other dimensions.

    >>> gates(torch.zeros(2, 3, 5, 5), torch.zeros(1, 3), torch.zeros(3, 1), 1).shape
    torch.Size([2, 3, 1, 1])
    """
    mean = channels_last(mean_of_positions(x, channel_dim), W1, channel_dim)
    hidden = F.relu(small_linear(mean, W1, None))
    return brought_back(torch.sigmoid(small_linear(hidden, W2, None)), channel_dim)


def mean_of_positions(x: Tensor, channel_dim: int) -> Tensor:
    """Average over all dimensions but the batch, which is dimension 0, and the channels; they stay with size 1.

    >>> mean_of_positions(torch.ones(2, 3, 5, 5), 1).shape
    torch.Size([2, 3, 1, 1])
    """
    rest = [dim for dim in range(1, x.dim()) if dim != channel_dim % x.dim()]
    if not rest:
        return x
    # Of no positions it is 0, not NaN: a weight's gradient from an empty input is zeros, as that of torch's layers.
    return x.mean(rest, keepdim=True) if x.numel() else x.sum(rest, keepdim=True)
