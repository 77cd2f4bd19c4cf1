"""PELU: an ELU that learns its scale and its decay."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from ..kernels import units
from ..registry.entries import activation
from ..registry.settings import Range
from .channelwise import Device, Learnt, Per, channel_of
from .tracing import leaf


@activation(
    "pelu",
    formula="(a / b) * x if x >= 0 else a * (exp(x / b) - 1)",
    paper="arXiv:1605.09332",
    year=2016,
    version=2,
    tags=("rectifier", "smooth"),
)
class PELU(Learnt):
    """PELU: (a / b) * x if x >= 0 else a * (exp(x / b) - 1) with learned a, b > 0 (Trottier et al. 2016).

    Both halves have the slope a / b at 0. a = b = 1 is ELU.

    Fidelity:
        start: a = b = 1 (ELU), as in the authors' code
        published: ``ltrottier/pelu.resnet.torch: models/PELU/PELU.lua`` writes 0.11 into a or b when it falls to 0.1 or
            below, and 1.99 into a when it reaches 2; SGD's weight decay of 1e-4 acts on a and b as on all parameters
            (``train.lua``)
        ours: values below 0.1 count as 0.1, and the gradient still reaches the parameter, so that it can come back;
            ``forward`` writes nothing; no upper limit, which the formula does not need

    Args:
        channels: the size of the channel dimension; only ``per="channel"`` needs it.
        channel_dim: which dimension of the input holds the channels.
        per: one pair per layer, as published, or one per channel.
        a: where minus the limit at minus infinity starts.
        b: where the length of the decay starts.

    Raises:
        ValueError: if it is per channel and ``channels`` is missing.

    >>> PELU()(Tensor([-1.0, 2.0])).detach()
    tensor([-0.6321,  2.0000])
    """

    a: Tensor
    b: Tensor

    def __init__(
        self,
        channels: int | None = None,
        channel_dim: int = 1,
        per: Per = "layer",
        a: Annotated[float, Range(at_least=units.LEAST)] = 1.0,
        b: Annotated[float, Range(at_least=units.LEAST)] = 1.0,
        *,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Start every a at ``a`` and every b at ``b``."""
        super().__init__(channels, channel_dim, per, device, dtype, a=a, b=b)

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape that has the channels at ``channel_dim``."""
        return pelu(x, self.a, self.b, self.channel_dim)


@leaf
def pelu(x: Tensor, a: Tensor, b: Tensor, channel_dim: int | None) -> Tensor:
    """PELU of an input whose channels are at ``channel_dim``; None if one pair serves the layer."""
    return units.pelu(x, a, b, channel_of(x, a, channel_dim))
