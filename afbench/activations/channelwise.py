"""What per-layer and per-channel parameters share: their shape, their place in the input, the dtype to compute in."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Per = Literal["layer", "channel"]
"""Whether a layer learns one value, or one for each channel."""


def parameter_shape(per: Per, channels: int | None) -> tuple[int]:
    """Return the shape of a parameter: ``(1,)`` per layer, ``(channels,)`` per channel.

    Raises:
        ValueError: if it is per channel and ``channels`` is missing or below 1.

    >>> parameter_shape("channel", 64)
    (64,)
    """
    if per == "layer":
        return (1,)
    if channels is None:
        raise ValueError("per='channel' needs channels=, the size of the channel dimension")
    if channels < 1:
        raise ValueError(f"channels must be at least 1, not {channels}")
    return (channels,)


def check_channels(x: Tensor, channels: int, channel_dim: int) -> None:
    """Refuse an input whose dimension ``channel_dim`` has not the size that the activation was built for.

    A size of 1 on either side would broadcast and change the output's shape without a word.

    Raises:
        ValueError: naming both sizes.
    """
    if not -x.dim() <= channel_dim < x.dim():
        raise ValueError(f"channel_dim={channel_dim} is no dimension of an input of shape {tuple(x.shape)}")
    if x.shape[channel_dim] != channels:
        raise ValueError(
            f"built with channels={channels}, but dimension {channel_dim} of the input's shape {tuple(x.shape)} "
            f"has {x.shape[channel_dim]}: pass the network's channels= and channel_dim="
        )


def channel_of(x: Tensor, parameter: Tensor, channel_dim: int | None) -> int:
    """Return the dimension that the channels have in ``x``, counted from the front; 0 if the layer has none.

    Args:
        x: the activation's input, of any shape.
        parameter: ``[C]``.
        channel_dim: the dimension of ``x`` that holds the channels; None if one value serves the layer.

    Raises:
        ValueError: if ``x`` has not C channels there.

    >>> channel_of(torch.zeros(2, 5, 3), torch.ones(3), -1)
    2
    """
    if channel_dim is None:
        return 0
    check_channels(x, parameter.shape[0], channel_dim)
    return channel_dim % x.dim()


def spread(parameter: Tensor, x: Tensor, channel_dim: int | None) -> Tensor:
    """View a parameter so that it broadcasts against ``x``.

    Args:
        parameter: ``[C]``, or ``[1]`` if ``channel_dim`` is None.
        x: the activation's input, of any shape.
        channel_dim: the dimension of ``x`` that holds the channels; None if one value serves the layer.

    Raises:
        ValueError: if ``x`` has not C channels there.

    >>> spread(torch.ones(3), torch.zeros(2, 3, 5, 5), 1).shape
    torch.Size([1, 3, 1, 1])
    """
    if channel_dim is None:
        return parameter.reshape(())
    check_channels(x, parameter.shape[0], channel_dim)
    shape = [1] * x.dim()
    shape[channel_dim] = parameter.shape[0]
    return parameter.reshape(shape)


def promote(x: Tensor, parameter: Tensor) -> Tensor:
    """Cast the input to the dtype to compute in: float32 for 16-bit inputs, as long as the parameters are float32.

    A parameter's gradient sums over the whole input; in 16 bits that sum overflows or stalls.

    >>> promote(torch.ones(2, dtype=torch.bfloat16), torch.ones(1)).dtype
    torch.float32
    """
    return x.to(torch.promote_types(x.dtype, parameter.dtype))
