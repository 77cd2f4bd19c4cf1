"""PReLU: a leaky ReLU that learns its slope."""

from __future__ import annotations

import torch
from torch import Tensor

from ..kernels import units
from ..registry.entries import activation
from .channelwise import Device, Learnt, Per, channel_of
from .tracing import leaf


@activation(
    "prelu",
    formula="max(x, 0) + a * min(x, 0)",
    paper="arXiv:1502.01852",
    year=2015,
    version=2,
    tags=("rectifier", "piecewise"),
)
class PReLU(Learnt):
    """PReLU: max(x, 0) + a * min(x, 0) with a learned slope a (He et al. 2015, eq. 1).

    Fidelity:
        start: a = 0.25
        published: torch: the same, but weight decay acts on a as on any parameter
        ours: per layer by default, or per channel; no weight decay on a, which would pull it to ReLU, as the paper says

    Args:
        channels: the size of the channel dimension; only ``per="channel"`` needs it.
        channel_dim: which dimension of the input holds the channels.
        per: one slope per layer ("channel-shared"), or one per channel ("channel-wise").
        a: where the slope starts.

    Raises:
        ValueError: if it is per channel and ``channels`` is missing.

    >>> PReLU()(Tensor([-1.0, 2.0])).detach()
    tensor([-0.2500,  2.0000])
    """

    a: Tensor

    def __init__(
        self,
        channels: int | None = None,
        channel_dim: int = 1,
        per: Per = "layer",
        a: float = 0.25,
        *,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Start every slope at ``a``."""
        super().__init__(channels, channel_dim, per, device, dtype, a=a)

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape that has the channels at ``channel_dim``."""
        return prelu(x, self.a, self.channel_dim)


@leaf
def prelu(x: Tensor, a: Tensor, channel_dim: int | None) -> Tensor:
    """PReLU of an input whose channels are at ``channel_dim``; None if one slope serves the layer."""
    return units.prelu(x, a, channel_of(x, a, channel_dim))
