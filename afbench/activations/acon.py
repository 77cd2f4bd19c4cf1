"""ACON: smooth maxima of two learnt lines, with a learnt switch (ACON-C) or one computed from the input (meta-ACON)."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from ..registry import activation
from ..settings import Range
from .channelwise import check_channels, parameter_shape, promote, spread


def acon(x: Tensor, p1: Tensor, p2: Tensor, beta: Tensor) -> Tensor:
    """Smooth maximum of two lines: (p1 - p2) * x * sigmoid(beta * (p1 - p2) * x) + p2 * x.

    It is S_beta(p1 * x, p2 * x), S_beta the smooth maximum of Ma et al. 2020: max(p1 x, p2 x) for large beta, the
    mean of both lines for beta = 0. Arguments broadcast.

    >>> acon(torch.tensor(2.0), torch.tensor(1.0), torch.tensor(0.0), torch.tensor(1.0))
    tensor(1.7616)
    """
    difference = (p1 - p2) * x
    return difference * torch.sigmoid(beta * difference) + p2 * x


@activation(
    "acon_c",
    formula="(p1 - p2) * x * sigmoid(beta * (p1 - p2) * x) + p2 * x",
    paper="arXiv:2009.04759",
    year=2020,
    tags=("smooth", "gated", "channel"),
)
class AconC(nn.Module):
    """ACON-C: (p1 - p2) * x * sigmoid(beta * (p1 - p2) * x) + p2 * x per channel (Ma et al. 2020).

    p1 and p2 start as standard normals and beta as 1, as in the authors' ``acon.py``. Swish is p1 = 1, p2 = 0.

    Args:
        channels: the size of the channel dimension.
        channel_dim: which dimension of the input holds the channels.

    Raises:
        ValueError: if ``channels`` is below 1.

    >>> AconC(3)(torch.zeros(2, 3, 5, 5)).shape
    torch.Size([2, 3, 5, 5])
    """

    def __init__(self, channels: int, channel_dim: int = 1) -> None:
        """Draw p1 and p2."""
        super().__init__()
        shape = parameter_shape("channel", channels)
        self.p1 = nn.Parameter(torch.randn(shape))
        self.p2 = nn.Parameter(torch.randn(shape))
        self.beta = nn.Parameter(torch.ones(shape))
        self.channel_dim = channel_dim

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape that has the channels at ``channel_dim``."""
        p1, p2, beta = (spread(p, x, self.channel_dim) for p in (self.p1, self.p2, self.beta))
        return acon(promote(x, self.p1), p1, p2, beta).to(x.dtype)

    def extra_repr(self) -> str:
        """Show the channels."""
        return f"channels={len(self.p1)}, channel_dim={self.channel_dim}"


@activation(
    "meta_acon",
    formula="acon_c with beta = sigmoid(norm(fc2(norm(fc1(mean(x))))))",
    paper="arXiv:2009.04759",
    year=2020,
    tags=("smooth", "gated", "channel"),
    exceptions={"vmap": "batch statistics"},
)
class MetaAcon(nn.Module):
    """Meta-ACON: ACON-C whose beta = sigmoid(norm(fc2(norm(fc1(mean(x)))))) comes from the input (Ma et al. 2020).

    As in the authors' ``acon.py``, the mean over all but batch and channels replaces the paper's sum, and each of the
    two linear maps is followed by a batch norm, of which the paper says nothing. Dimension 0 is the batch; an input
    whose dimension 0 holds the channels is a batch of one.

    Args:
        channels: the size of the channel dimension, C.
        channel_dim: which dimension of the input holds the channels.
        r: the reduction; fc1 maps C to max(r, C // r) and fc2 back to C.
        norm: ``"batch"``, or ``"none"`` to leave the batch norms out, as the authors advise for batches of one.

    Raises:
        ValueError: if ``channels`` is below 1; in training, if the batch is one sample and ``norm="batch"``.

    >>> MetaAcon(3)(torch.zeros(2, 3, 5, 5)).shape
    torch.Size([2, 3, 5, 5])
    """

    def __init__(
        self,
        channels: int,
        channel_dim: int = 1,
        r: Annotated[int, Range(at_least=1)] = 16,
        norm: Literal["batch", "none"] = "batch",
    ) -> None:
        """Draw p1, p2 and the weights of both linear maps."""
        super().__init__()
        shape = parameter_shape("channel", channels)
        hidden = max(r, channels // r)
        self.p1 = nn.Parameter(torch.randn(shape))
        self.p2 = nn.Parameter(torch.randn(shape))
        self.fc1 = nn.Linear(channels, hidden)
        self.norm1 = nn.BatchNorm1d(hidden) if norm == "batch" else nn.Identity()
        self.fc2 = nn.Linear(hidden, channels)
        self.norm2 = nn.BatchNorm1d(channels) if norm == "batch" else nn.Identity()
        self.channel_dim, self.norm = channel_dim, norm

    def forward(self, x: Tensor) -> Tensor:
        """Apply it with one beta per sample and channel; any shape that has the channels at ``channel_dim``."""
        p1, p2 = (spread(p, x, self.channel_dim) for p in (self.p1, self.p2))
        if x.numel() == 0:
            return acon(x, p1, p2, p1).to(x.dtype)  # no mean to take, and batch norm would turn its averages into NaN
        wide = promote(x, self.p1)
        return acon(wide, p1, p2, self.switch(wide)).to(x.dtype)

    def switch(self, x: Tensor) -> Tensor:
        """Compute beta from the input; its shape is that of ``x`` with 1 in all but batch and channels."""
        check_channels(x, len(self.p1), self.channel_dim)
        channel = self.channel_dim % x.dim()
        batch = x.shape[0] if channel else 1
        if batch == 1 and self.training and self.norm == "batch":
            raise ValueError("meta_acon in training takes batch statistics and got one sample: pass norm='none'")
        rest = [dim for dim in range(1, x.dim()) if dim != channel]
        mean = x.mean(rest, keepdim=True) if rest else x
        hidden = self.norm1(self.fc1(mean.reshape(batch, len(self.p1)).to(self.fc1.weight.dtype)))
        return torch.sigmoid(self.norm2(self.fc2(hidden))).reshape(mean.shape)

    def extra_repr(self) -> str:
        """Show the channels and the norm."""
        return f"channels={len(self.p1)}, channel_dim={self.channel_dim}, norm={self.norm}"
