"""Meta-ACON: ACON-C whose switch is computed from the input."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..kernels import units
from ..registry.entries import activation
from ..registry.settings import Range
from .channelwise import Device, channel_of, parameter_shape, promote, spread
from .projection import Linear, small_linear
from .squeeze import mean_of_positions
from .tracing import is_traced, leaf

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

    Fidelity:
        start: p1, p2 standard normal; linear maps as PyTorch's layers
        published: the paper writes a sum over positions and no norm; ``acon.py`` takes the mean, and a batch norm after
            each linear map; it has the channel-wise beta only; training on a batch of one fails (its author's advice:
            drop the norms). The authors' networks draw the maps anew, as all their convolutions (ResNet: Kaiming
            normal, fan out; ShuffleNetV2: normal with deviation 1 / inputs, biases 0), with weight decay 1e-4 on the
            maps and none on p1 and p2. yolov5 has no norms
        ours: as ``acon.py``, on any shape, with r, max(r, C // r), eps 1e-5 and momentum 0.1; no weight decay on the
            maps unless ``activation_weight_decay`` sets it; ``norm=none`` drops the norms; also the paper's
            ``per=layer`` and ``per=pixel``, with the mean instead of the sum

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

    fc1: Linear
    fc2: Linear
    norm1: nn.Module
    norm2: nn.Module

    def __init__(
        self,
        channels: int,
        channel_dim: int = 1,
        per: Literal["channel", "layer", "pixel"] = "channel",
        r: Annotated[int, Range(at_least=1, at_most=2**20)] = REDUCTION,
        norm: Literal["batch", "none"] = "batch",
        *,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Draw p1, p2 and the weights of both linear maps."""
        super().__init__()
        shape = parameter_shape("channel", channels)
        self.p1 = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.p2 = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.channel_dim, self.per, self.norm = channel_dim, per, norm
        nn.init.normal_(self.p1)
        nn.init.normal_(self.p2)
        if per == "channel":
            hidden = max(r, channels // r)
            for number, (inputs, outputs) in enumerate(((channels, hidden), (hidden, channels)), start=1):
                norms = nn.BatchNorm1d(outputs, device=device, dtype=dtype) if norm == "batch" else nn.Identity()
                self.add_module(f"fc{number}", Linear(inputs, outputs, device=device, dtype=dtype))
                norms.__dict__["is_activation"] = True  # in a graph of this layer alone it stands by itself
                self.add_module(f"norm{number}", norms)
        elif (r, norm) != (REDUCTION, "batch"):
            raise ValueError(f"r and norm need per='channel'; per={per!r} has no linear maps")

    def reset_parameters(self) -> None:
        """Draw p1, p2 and the weights of both linear maps anew, and forget the batch norms' averages."""
        nn.init.normal_(self.p1)
        nn.init.normal_(self.p2)
        for part in self.children():
            if not isinstance(part, nn.Identity):
                part.reset_parameters()  # type: ignore[operator]

    def forward(self, x: Tensor) -> Tensor:
        """Apply it with the betas of each sample; any shape that has the channels at ``channel_dim``."""
        if self.per == "pixel":
            return acon_by_pixel(x, self.p1, self.p2, self.channel_dim)
        if self.per == "layer":
            return acon_by_layer(x, self.p1, self.p2, self.channel_dim)
        if not is_traced(x):
            channel = channel_of(x, self.p1, self.channel_dim)
            if x.numel() and self.training and self.norm == "batch" and (channel == 0 or x.shape[0] == 1):
                needs = "meta_acon uses batch statistics in training, which need more than one sample"
                raise ValueError(f"{needs}; use a larger batch or norm='none'")
        return acon_by_beta(x, self.p1, self.p2, self.switch(x), self.channel_dim)

    def switch(self, x: Tensor) -> Tensor:
        """Compute beta from the input, for ``per="channel"``: ``[N, C]``."""
        empty = not is_traced(x) and x.numel() == 0
        hidden = normed(self.norm1, mapped_mean(x, self.fc1.weight, self.fc1.bias, self.channel_dim), empty)
        return torch.sigmoid(normed(self.norm2, mapped(hidden, self.fc2.weight, self.fc2.bias), empty))

    def extra_repr(self) -> str:
        """Show the channels and where beta comes from."""
        own = f", norm={self.norm}" if self.per == "channel" else ""
        return f"channels={len(self.p1)}, channel_dim={self.channel_dim}, per={self.per}{own}"


@leaf
def acon_by_pixel(x: Tensor, p1: Tensor, p2: Tensor, channel_dim: int) -> Tensor:
    """Compute ACON-C with beta = sigmoid(x)."""
    wide = promote(x, p1)
    p1, p2 = (spread(p, x, channel_dim).to(wide.dtype) for p in (p1, p2))
    return units.acon(wide, p1, p2, torch.sigmoid(wide)).to(x.dtype)


@leaf
def acon_by_layer(x: Tensor, p1: Tensor, p2: Tensor, channel_dim: int) -> Tensor:
    """Compute ACON-C with beta = sigmoid(mean of the sample)."""
    channel = channel_of(x, p1, channel_dim)
    mean = mean_of_positions(promote(x, p1), channel).mean(channel)
    return units.acon_c(x, p1, p2, torch.sigmoid(mean.reshape(*(x.shape[:1] if channel else ()), 1)), channel)


@leaf
def acon_by_beta(x: Tensor, p1: Tensor, p2: Tensor, beta: Tensor, channel_dim: int) -> Tensor:
    """Compute ACON-C with beta ``[N, C]``, N being 1 if the channels are dimension 0 of ``x``."""
    channel = channel_of(x, p1, channel_dim)
    return units.acon_c(x, p1, p2, beta if channel else beta.reshape(p1.shape), channel)


@leaf
def mapped_mean(x: Tensor, weight: Tensor, bias: Tensor, channel_dim: int) -> Tensor:
    """Map the channels' means ``[N, C]``: from 16 bits in float32."""
    mean = mean_of_positions(promote(x, weight), channel_dim % x.dim())
    return small_linear(mean.reshape(-1, weight.shape[1]), weight, bias)


@leaf
def mapped(hidden: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Map what was normed."""
    return small_linear(hidden, weight, bias)


def normed(norm: nn.Module, hidden: Tensor, empty: bool) -> Tensor:
    """Norm over the batch; where not all are of one dtype, in the widest, and not below float32.

    An empty batch is normed by the averages, which it must not change.
    """
    if is_traced(hidden) or isinstance(norm, nn.Identity):
        return norm(hidden)  # type: ignore[no-any-return]
    numbers = {name: t for name, t in (*norm.named_parameters(), *norm.named_buffers()) if t.is_floating_point()}
    if not empty and all(tensor.dtype == hidden.dtype for tensor in numbers.values()):
        return norm(hidden)  # type: ignore[no-any-return]
    dtype = torch.float32
    for tensor in (hidden, *numbers.values()):
        dtype = torch.promote_types(dtype, tensor.dtype)
    cast: dict[str, Any] = {name: tensor.to(dtype) for name, tensor in numbers.items()}
    if empty:
        weight, bias = cast.get("weight"), cast.get("bias")
        return F.batch_norm(hidden.to(dtype), cast["running_mean"], cast["running_var"], weight, bias)
    cast["num_batches_tracked"] = norm.num_batches_tracked
    y: Tensor = torch.func.functional_call(norm, cast, (hidden.to(dtype),))
    if norm.training:
        with torch.no_grad():
            for name in ("running_mean", "running_var"):
                norm.get_buffer(name).copy_(cast[name])
    return y
