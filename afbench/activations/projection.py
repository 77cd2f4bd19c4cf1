"""Linear maps over the channels, one position at a time: a 1x1 convolution where the input is an image."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .channelwise import Device, check_channels, promote


class Linear(nn.Module):
    """The weight and bias of a linear map, which start as those of ``nn.Linear`` do.

    A class apart, since tools that look for ``nn.Linear`` (quantisation, low-rank adapters) put modules of their own in
    its place, and the layer around it computes in a dtype of its own.

    >>> Linear(2, 3).weight.shape
    torch.Size([3, 2])
    """

    def __init__(self, inputs: int, outputs: int, *, device: Device = None, dtype: torch.dtype | None = None) -> None:
        """Draw ``weight`` ``[outputs, inputs]`` and ``bias`` ``[outputs]``."""
        super().__init__()
        self.in_features, self.out_features = inputs, outputs
        self.weight = nn.Parameter(torch.empty(outputs, inputs, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(outputs, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw both anew."""
        draw(self.weight, self.in_features)
        draw(self.bias, self.in_features)

    def extra_repr(self) -> str:
        """Show both sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}"


def draw(parameter: Tensor, inputs: int) -> None:
    """Draw a weight or bias as ``nn.Linear`` does: uniform within 1 / sqrt(inputs).

    >>> parameter = nn.Parameter(torch.zeros(2, 3))
    >>> draw(parameter, inputs=3)
    >>> bool((parameter.abs() <= 3**-0.5).all() and parameter.abs().sum() > 0)
    True
    """
    bound = inputs**-0.5
    nn.init.uniform_(parameter, -bound, bound)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Apply a linear map to the last dimension, in the dtype of ``x``; under autocast in that of autocast.

    >>> linear(torch.ones(2, 3), torch.ones(4, 3).half(), None).dtype
    torch.float32
    """
    return F.linear(x, weight.to(x.dtype), None if bias is None else bias.to(x.dtype))


def small_linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Apply a linear map of few elements: likewise, but under autocast, too, in the dtype of ``x``.

    A gate or a switch from it serves a whole channel: rounded to 16 bits it would err everywhere.

    >>> with torch.autocast("cpu", torch.bfloat16):
    ...     small_linear(torch.ones(2, 3), torch.ones(4, 3), None).dtype
    torch.float32
    """
    kind = x.device.type
    if not torch.amp.is_autocast_available(kind) or not torch.is_autocast_enabled(kind):
        return linear(x, weight, bias)
    with torch.autocast(kind, enabled=False):
        return linear(x, weight, bias)


def project(x: Tensor, weight: Tensor, bias: Tensor | None, channel_dim: int) -> Tensor:
    """Apply a linear map to the channels at every position.

    Args:
        x: ``C`` channels at ``channel_dim``.
        weight: ``[D, C]``.
        bias: ``[D]`` or None.
        channel_dim: which dimension of ``x`` holds the channels.

    Returns:
        The D outputs in the last dimension, in float32 for 16-bit inputs.

    Raises:
        ValueError: if ``x`` has not C channels there.

    >>> project(torch.ones(2, 3, 5, 5), torch.ones(4, 3), None, 1).shape
    torch.Size([2, 5, 5, 4])
    """
    return linear(channels_last(x, weight, channel_dim), weight, bias)


def channels_last(x: Tensor, weight: Tensor, channel_dim: int) -> Tensor:
    """Move the channels to the last dimension, and cast to the dtype to compute in.

    >>> channels_last(torch.ones(2, 3, 5, 5), torch.ones(4, 3), 1).shape
    torch.Size([2, 5, 5, 3])
    """
    check_channels(x, weight.shape[1], channel_dim)
    # Dimensions counted from the front: onnxruntime refuses a transpose with a negative one.
    return promote(x, weight).movedim(channel_dim % x.dim(), x.dim() - 1)


def brought_back(y: Tensor, channel_dim: int) -> Tensor:
    """Move the channels from the last dimension to where the input has them.

    >>> brought_back(torch.ones(2, 5, 5, 4), 1).shape
    torch.Size([2, 4, 5, 5])
    """
    return y.movedim(y.dim() - 1, channel_dim % y.dim())
