"""Maxout: the largest of several linear maps of the channels."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..registry.entries import activation
from ..registry.settings import Range
from .channelwise import Device, in_layout_of, parameter_shape
from .projection import brought_back, draw, project
from .tracing import leaf


@activation(
    "maxout",
    formula="max over j of (W_j x + b_j)",
    paper="arXiv:1302.4389",
    year=2013,
    version=2,
    tags=("piecewise", "channel", "layer"),
)
class Maxout(nn.Module):
    """Maxout: max over j of (W_j x + b_j), the largest of some linear maps of the channels (Goodfellow et al. 2013).

    It brings its own projections, C -> C at every position (a 1x1 convolution of an image), and so pieces * (C^2 + C)
    parameters. They start as PyTorch's linear layers do, uniform within 1 / sqrt(C), and under autocast they run in its
    dtype, as those do. Convex in x, whatever it learns.
    Where several maps are the largest, they share the gradient.

    Fidelity:
        start: projections; two pieces
        ours: max over j of (W_j x + b_j), C -> C

    Args:
        channels: the size of the channel dimension, C.
        channel_dim: which dimension of the input holds the channels.
        pieces: how many maps; one is linear.

    Raises:
        ValueError: if ``channels`` is below 1.

    >>> Maxout(3)(torch.zeros(2, 3, 5, 5)).shape
    torch.Size([2, 3, 5, 5])
    """

    def __init__(
        self,
        channels: int,
        channel_dim: int = 1,
        pieces: Annotated[int, Range(at_least=1, at_most=1024)] = 2,
        *,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Draw W ``[pieces, C, C]`` and b ``[pieces, C]``."""
        super().__init__()
        (size,) = parameter_shape("channel", channels)
        self.W = nn.Parameter(torch.empty(pieces, size, size, device=device, dtype=dtype))
        self.b = nn.Parameter(torch.empty(pieces, size, device=device, dtype=dtype))
        self.channel_dim = channel_dim
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw both anew."""
        for parameter in (self.W, self.b):
            draw(parameter, self.b.shape[1])

    def forward(self, x: Tensor) -> Tensor:
        """Apply it at every position; any shape that has the channels at ``channel_dim``."""
        return maxout(x, self.W, self.b, self.channel_dim)

    def extra_repr(self) -> str:
        """Show the channels and the pieces."""
        pieces, channels = self.b.shape
        return f"channels={channels}, channel_dim={self.channel_dim}, pieces={pieces}"


@leaf
def maxout(x: Tensor, W: Tensor, b: Tensor, channel_dim: int) -> Tensor:
    """Compute max over j of (W_j x + b_j) at every position, in the layout of ``x``."""
    maps = project(x, W.flatten(0, 1), b.flatten(), channel_dim)
    largest = maps.unflatten(maps.dim() - 1, b.shape).amax(maps.dim() - 1)
    # A leaky ReLU of slope 1 changes no value, and has second derivatives, zeros, where those of amax do not exist.
    return in_layout_of(x, brought_back(F.leaky_relu(largest, 1.0), channel_dim).to(x.dtype))
