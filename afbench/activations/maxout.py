"""Maxout: the largest of several linear maps of the channels."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor, nn

from ..registry import activation
from ..settings import Range
from .channelwise import parameter_shape
from .projection import drawn, project


@activation(
    "maxout",
    formula="max over j of (W_j x + b_j)",
    paper="arXiv:1302.4389",
    year=2013,
    tags=("piecewise", "channel", "layer"),
)
class Maxout(nn.Module):
    """Maxout: max over j of (W_j x + b_j), the largest of some linear maps of the channels (Goodfellow et al. 2013).

    It brings its own projections, C -> C at every position (a 1x1 convolution of an image), and so pieces * (C^2 + C)
    parameters. They start as PyTorch's linear layers do, uniform within 1 / sqrt(C). Convex in x, whatever it learns.

    Args:
        channels: the size of the channel dimension, C.
        channel_dim: which dimension of the input holds the channels.
        pieces: how many maps; one is linear.

    Raises:
        ValueError: if ``channels`` is below 1.

    >>> import torch
    >>> Maxout(3)(torch.zeros(2, 3, 5, 5)).shape
    torch.Size([2, 3, 5, 5])
    """

    def __init__(
        self, channels: int, channel_dim: int = 1, pieces: Annotated[int, Range(at_least=1, at_most=1024)] = 2
    ) -> None:
        """Draw W ``[pieces, C, C]`` and b ``[pieces, C]``."""
        super().__init__()
        (size,) = parameter_shape("channel", channels)
        self.W = drawn(pieces, size, size, inputs=size)
        self.b = drawn(pieces, size, inputs=size)
        self.channel_dim = channel_dim

    def forward(self, x: Tensor) -> Tensor:
        """Apply it at every position; any shape that has the channels at ``channel_dim``."""
        maps = project(x, self.W.flatten(0, 1), self.b.flatten(), self.channel_dim)
        largest: Tensor = maps.unflatten(-1, self.b.shape).amax(-2)
        return largest.movedim(-1, self.channel_dim).to(x.dtype)

    def extra_repr(self) -> str:
        """Show the channels and the pieces."""
        pieces, channels = self.b.shape
        return f"channels={channels}, channel_dim={self.channel_dim}, pieces={pieces}"
