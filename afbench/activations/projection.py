"""Linear maps over the channels, one position at a time: a 1x1 convolution where the input is an image."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .channelwise import check_channels, promote


def drawn(*shape: int, inputs: int) -> nn.Parameter:
    """Draw a weight or bias as ``nn.Linear`` does: uniform within 1 / sqrt(inputs).

    >>> drawn(2, 3, inputs=3).shape
    torch.Size([2, 3])
    """
    bound = inputs**-0.5
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound))


def project(x: Tensor, weight: Tensor, bias: Tensor | None, channel_dim: int) -> Tensor:
    """Apply a linear map to the channels at every position.

    Args:
        x: ``C`` channels at ``channel_dim``.
        weight: ``[D, C]``.
        bias: ``[D]`` or None.
        channel_dim: which dimension of ``x`` holds the channels.

    Returns:
        The D outputs in the last dimension, in float32 for 16-bit inputs as long as the weight is float32.

    Raises:
        ValueError: if ``x`` has not C channels there.

    >>> project(torch.ones(2, 3, 5, 5), torch.ones(4, 3), None, 1).shape
    torch.Size([2, 5, 5, 4])
    """
    check_channels(x, weight.shape[1], channel_dim)
    last = promote(x, weight).movedim(channel_dim, -1)
    return F.linear(last, weight.to(last.dtype), None if bias is None else bias.to(last.dtype))
