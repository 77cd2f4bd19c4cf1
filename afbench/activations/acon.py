"""ACON-A, -B and -C: smooth maxima of two lines, with a learned switch between line and bend."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..kernels import units
from ..registry.entries import activation
from .channelwise import Device, Learnt, Per, channel_of
from .tracing import leaf

SHARED: dict[str, Any] = {"paper": "arXiv:2009.04759", "year": 2020, "tags": ("smooth", "gated", "channel")}
"""What the registry says of all three."""


@activation(
    "acon_a",
    formula="x * sigmoid(beta * x)",
    **SHARED,
)
class AconA(Learnt):
    """ACON-A: x * sigmoid(beta * x) per channel, the smooth maximum of x and 0 (Ma et al. 2020).

    It is Swish, which by default has one beta per layer.

    Fidelity:
        start: beta = 1, as in the authors' ACON-C
        published: ``nmaac/acon: acon.py`` has ACON-C and meta-ACON alone
        ours: the paper's formula, per channel or per layer

    Args:
        channels: the size of the channel dimension; ``per="layer"`` needs none.
        channel_dim: which dimension of the input holds the channels.
        per: one beta per channel, or one per layer.

    Raises:
        ValueError: if it is per channel and ``channels`` is missing or below 1.

    >>> AconA(per="layer")(Tensor([-1.0, 2.0])).detach()
    tensor([-0.2689,  1.7616])
    """

    beta: Tensor

    def __init__(
        self,
        channels: int | None = None,
        channel_dim: int = 1,
        per: Per = "channel",
        *,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Start every beta at 1."""
        super().__init__(channels, channel_dim, per, device, dtype, beta=1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape that has the channels at ``channel_dim``."""
        return acon_a(x, self.beta, self.channel_dim)


@activation(
    "acon_b",
    formula="(1 - p) * x * sigmoid(beta * (1 - p) * x) + p * x",
    **SHARED,
)
class AconB(Learnt):
    """ACON-B: (1 - p) * x * sigmoid(beta * (1 - p) * x) + p * x per channel, a smooth PReLU (Ma et al. 2020).

    It is the smooth maximum of x and p x.

    Fidelity:
        start: beta = 1, as in ACON-C; the published start of p is unknown: 0.25 is PReLU's, chosen here
        published: not in ``acon.py``
        ours: the paper's formula, per channel or per layer

    Args:
        channels: the size of the channel dimension; ``per="layer"`` needs none.
        channel_dim: which dimension of the input holds the channels.
        per: one p and beta per channel, or one pair per layer.
        p: where p starts.

    Raises:
        ValueError: if it is per channel and ``channels`` is missing or below 1.

    >>> AconB(per="layer")(Tensor([-1.0, 2.0])).detach()
    tensor([-0.4906,  1.7264])
    """

    p: Tensor
    beta: Tensor

    def __init__(
        self,
        channels: int | None = None,
        channel_dim: int = 1,
        per: Per = "channel",
        p: float = 0.25,
        *,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Start every p at ``p`` and every beta at 1."""
        super().__init__(channels, channel_dim, per, device, dtype, p=p, beta=1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape that has the channels at ``channel_dim``."""
        return acon_b(x, self.p, self.beta, self.channel_dim)


@activation(
    "acon_c",
    formula="(p1 - p2) * x * sigmoid(beta * (p1 - p2) * x) + p2 * x",
    version=2,
    **SHARED,
)
class AconC(Learnt):
    """ACON-C: (p1 - p2) * x * sigmoid(beta * (p1 - p2) * x) + p2 * x per channel (Ma et al. 2020).

    Swish is p1 = 1, p2 = 0.

    Fidelity:
        start: p1, p2 standard normal, beta = 1, as in ``acon.py``
        published: takes 4-D inputs with channels at 1 only; p1, p2 and beta take no weight decay, which ``utils.py:
            get_parameters`` gives only to names with ``weight`` and more than one dimension
        ours: the same values on any shape; no weight decay on any activation's parameters

    Args:
        channels: the size of the channel dimension; ``per="layer"`` needs none.
        channel_dim: which dimension of the input holds the channels.
        per: three parameters per channel, or three per layer.

    Raises:
        ValueError: if it is per channel and ``channels`` is missing or below 1.

    >>> AconC(3)(torch.zeros(2, 3, 5, 5)).shape
    torch.Size([2, 3, 5, 5])
    """

    p1: Tensor
    p2: Tensor
    beta: Tensor

    def __init__(
        self,
        channels: int | None = None,
        channel_dim: int = 1,
        per: Per = "channel",
        *,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Draw p1 and p2."""
        super().__init__(channels, channel_dim, per, device, dtype, p1=None, p2=None, beta=1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape that has the channels at ``channel_dim``."""
        return acon_c(x, self.p1, self.p2, self.beta, self.channel_dim)


@leaf
def acon_a(x: Tensor, beta: Tensor, channel_dim: int | None) -> Tensor:
    """ACON-A of an input whose channels are at ``channel_dim``; None if its parameters serve the layer."""
    return units.swish(x, beta, channel_of(x, beta, channel_dim))


@leaf
def acon_b(x: Tensor, p: Tensor, beta: Tensor, channel_dim: int | None) -> Tensor:
    """ACON-B, likewise."""
    return units.acon_b(x, p, beta, channel_of(x, beta, channel_dim))


@leaf
def acon_c(x: Tensor, p1: Tensor, p2: Tensor, beta: Tensor, channel_dim: int | None) -> Tensor:
    """ACON-C, likewise."""
    return units.acon_c(x, p1, p2, beta, channel_of(x, beta, channel_dim))
