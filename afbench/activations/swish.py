"""Swish with a learned beta."""

from __future__ import annotations

import torch
from torch import Tensor

from ..kernels import units
from ..registry.entries import activation
from .channelwise import Device, Learnt, Per, channel_of
from .tracing import leaf


@activation(
    "swish",
    formula="x * sigmoid(beta * x)",
    paper="arXiv:1710.05941",
    year=2017,
    version=2,
    tags=("smooth", "gated"),
)
class Swish(Learnt):
    """Swish: x * sigmoid(beta * x) with a learned beta (Ramachandran, Zoph and Le 2017).

    beta = 0 is x / 2, beta = 1 is SiLU, large beta tends to ReLU.

    Fidelity:
        start: beta = 1, which is Swish-1; where a trained beta starts is unknown
        ours: per layer by default, or per channel

    Args:
        channels: the size of the channel dimension; only ``per="channel"`` needs it.
        channel_dim: which dimension of the input holds the channels.
        per: one beta per layer, or one per channel.
        beta: where it starts.

    Raises:
        ValueError: if it is per channel and ``channels`` is missing.

    >>> Swish()(Tensor([-1.0, 2.0])).detach()
    tensor([-0.2689,  1.7616])
    """

    beta: Tensor

    def __init__(
        self,
        channels: int | None = None,
        channel_dim: int = 1,
        per: Per = "layer",
        beta: float = 1.0,
        *,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Start every beta at ``beta``."""
        super().__init__(channels, channel_dim, per, device, dtype, beta=beta)

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape that has the channels at ``channel_dim``."""
        return swish(x, self.beta, self.channel_dim)


@leaf
def swish(x: Tensor, beta: Tensor, channel_dim: int | None) -> Tensor:
    """Swish of an input whose channels are at ``channel_dim``; None if one beta serves the layer."""
    return units.swish(x, beta, channel_of(x, beta, channel_dim))
