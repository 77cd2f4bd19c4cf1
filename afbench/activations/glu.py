"""Gated linear units: one linear map of the channels, gated by another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..registry.entries import activation
from .channelwise import Device, in_layout_of, parameter_shape
from .projection import brought_back, draw, project
from .tracing import leaf

GATES: dict[str, Callable[[Tensor], Tensor]] = {"sigmoid": torch.sigmoid, "silu": F.silu, "gelu": F.gelu}


@activation(
    "glu",
    aliases={"swiglu": "gate=silu", "geglu": "gate=gelu"},
    formula="(W x + b) * gate(V x + c)",
    paper="arXiv:1612.08083",
    year=2016,
    version=2,
    tags=("smooth", "gated", "channel", "layer"),
)
class GLU(nn.Module):
    """GLU: (W x + b) * gate(V x + c), a linear map of the channels gated by another (Dauphin et al. 2016).

    The sigmoid is the paper's gate; SiLU and GELU are those of Shazeer 2020 (arXiv:2002.05202), which calls the units
    SwiGLU and GEGLU and gives them no biases. Here every gate comes with biases and its own projections, C -> C at
    every position (a 1x1 convolution of an image): 2 (C^2 + C) parameters, which start as PyTorch's linear layers do,
    uniform within 1 / sqrt(C), and under autocast run in its dtype, as those do. ``torch.nn.functional.glu`` is the
    product alone and halves the channels.

    Fidelity:
        start: projections
        published: torch's ``glu`` is the product alone and halves the channels
        ours: C -> C with its projections; the gates SiLU and GELU are those of arXiv:2002.05202, which has no biases;
            here they have biases

    Args:
        channels: the size of the channel dimension, C.
        channel_dim: which dimension of the input holds the channels.
        gate: what the second map goes through.

    Raises:
        ValueError: if ``channels`` is below 1.

    >>> GLU(3)(torch.zeros(2, 3, 5, 5)).shape
    torch.Size([2, 3, 5, 5])
    """

    def __init__(
        self,
        channels: int,
        channel_dim: int = 1,
        gate: Literal["sigmoid", "silu", "gelu"] = "sigmoid",
        *,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Draw W and V ``[C, C]``, b and c ``[C]``."""
        super().__init__()
        (size,) = parameter_shape("channel", channels)
        self.W, self.V = (nn.Parameter(torch.empty(size, size, device=device, dtype=dtype)) for _ in range(2))
        self.b, self.c = (nn.Parameter(torch.empty(size, device=device, dtype=dtype)) for _ in range(2))
        self.channel_dim, self.gate = channel_dim, gate
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all four anew."""
        for parameter in (self.W, self.V, self.b, self.c):
            draw(parameter, len(self.b))

    def forward(self, x: Tensor) -> Tensor:
        """Apply it at every position; any shape that has the channels at ``channel_dim``."""
        return glu(x, self.W, self.b, self.V, self.c, self.channel_dim, self.gate)

    def extra_repr(self) -> str:
        """Show the channels and the gate."""
        return f"channels={len(self.b)}, channel_dim={self.channel_dim}, gate={self.gate}"


@leaf
def glu(x: Tensor, W: Tensor, b: Tensor, V: Tensor, c: Tensor, channel_dim: int, gate: str) -> Tensor:
    """(W x + b) * gate(V x + c) at every position, in the layout of ``x``."""
    gates = GATES[gate](project(x, V, c, channel_dim))
    return in_layout_of(x, brought_back(project(x, W, b, channel_dim) * gates, channel_dim).to(x.dtype))
