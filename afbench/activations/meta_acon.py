"""Meta-ACON: ACON-C whose switch is computed from the input."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from .. import kernels
from ..kernels.gated import acon
from ..registry import activation
from ..settings import Range
from .channelwise import channel_of, parameter_shape, promote, spread
from .squeeze import mean_of_positions

REDUCTION = 16


@activation(
    "meta_acon",
    formula="acon_c with beta = sigmoid(norm(fc2(norm(fc1(mean(x))))))",
    paper="arXiv:2009.04759",
    year=2020,
    version=2,
    tags=("smooth", "gated", "channel"),
    exceptions={"vmap": "batch statistics"},
)
class MetaAcon(nn.Module):
    """Meta-ACON: ACON-C whose beta = sigmoid(norm(fc2(norm(fc1(mean(x)))))) comes from the input (Ma et al. 2020).

    As in the authors' ``acon.py``, the mean over all but batch and channels replaces the paper's sum, and each of the
    two linear maps is followed by a batch norm, of which the paper says nothing. Dimension 0 is the batch; an input
    whose dimension 0 holds the channels is a batch of one.

    That is the paper's channel-wise design, the one that it and the authors' code use. Of its two others, which learn
    nothing but p1 and p2, the authors' code has neither: the layer-wise one, beta = sigmoid(mean of the sample) (in
    the paper its sum, which saturates as images grow), and the pixel-wise one, beta = sigmoid(x).

    Args:
        channels: the size of the channel dimension, C.
        channel_dim: which dimension of the input holds the channels.
        per: one beta a sample and channel, one a sample (``"layer"``), or one an element (``"pixel"``).
        r: the reduction; fc1 maps C to max(r, C // r) and fc2 back to C.
        norm: ``"batch"``, or ``"none"`` to leave the batch norms out, as the authors advise for batches of one.

    Raises:
        ValueError: if ``channels`` is below 1; if ``r`` or ``norm`` is set for a ``per`` that has no linear maps; in
            training, if the batch is one sample and takes batch statistics.

    >>> MetaAcon(3)(torch.zeros(2, 3, 5, 5)).shape
    torch.Size([2, 3, 5, 5])
    """

    def __init__(
        self,
        channels: int,
        channel_dim: int = 1,
        per: Literal["channel", "layer", "pixel"] = "channel",
        r: Annotated[int, Range(at_least=1, at_most=2**20)] = REDUCTION,
        norm: Literal["batch", "none"] = "batch",
    ) -> None:
        """Draw p1, p2 and the weights of both linear maps."""
        super().__init__()
        shape = parameter_shape("channel", channels)
        self.p1 = nn.Parameter(torch.randn(shape))
        self.p2 = nn.Parameter(torch.randn(shape))
        self.channel_dim, self.per, self.norm = channel_dim, per, norm
        if per == "channel":
            hidden = max(r, channels // r)
            self.fc1 = nn.Linear(channels, hidden)
            self.norm1 = nn.BatchNorm1d(hidden) if norm == "batch" else nn.Identity()
            self.fc2 = nn.Linear(hidden, channels)
            self.norm2 = nn.BatchNorm1d(channels) if norm == "batch" else nn.Identity()
        elif (r, norm) != (REDUCTION, "batch"):
            raise ValueError(f"r and norm belong to the linear maps of per='channel'; per={per!r} has none")

    def forward(self, x: Tensor) -> Tensor:
        """Apply it with the betas of each sample; any shape that has the channels at ``channel_dim``."""
        channel = channel_of(x, self.p1, self.channel_dim)
        if x.numel() == 0:  # no mean to take, and batch norm would turn its averages into NaN
            return kernels.acon_c(x, self.p1, self.p2, self.p1, channel)
        wide = promote(x, self.p1)
        if self.per == "pixel":
            p1, p2 = (spread(p, x, channel) for p in (self.p1, self.p2))
            return acon(wide, p1, p2, torch.sigmoid(wide)).to(x.dtype)
        return kernels.acon_c(x, self.p1, self.p2, self.switch(wide), channel)

    def switch(self, x: Tensor) -> Tensor:
        """Compute beta from the input: ``[N, C]``, or ``[N, 1]`` if a sample shares one; without N if there is none."""
        channel = self.channel_dim % x.dim()
        mean = mean_of_positions(x, channel)
        samples = x.shape[:1] if channel else ()
        if self.per == "layer":
            return torch.sigmoid(mean.mean(channel).reshape(*samples, 1))
        if samples in ((), (1,)) and self.training and self.norm == "batch":
            raise ValueError("meta_acon in training takes batch statistics and got one sample: pass norm='none'")
        hidden = self.norm1(self.fc1(mean.reshape(-1, len(self.p1)).to(self.fc1.weight.dtype)))
        return torch.sigmoid(self.norm2(self.fc2(hidden))).reshape(*samples, len(self.p1))

    def extra_repr(self) -> str:
        """Show the channels and where beta comes from."""
        own = f", norm={self.norm}" if self.per == "channel" else ""
        return f"channels={len(self.p1)}, channel_dim={self.channel_dim}, per={self.per}{own}"
