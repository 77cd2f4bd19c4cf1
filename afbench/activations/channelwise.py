"""What per-layer and per-channel parameters share: shape, place in the input, dtype to compute in, layout."""

from __future__ import annotations

import inspect
from typing import Literal

import torch
from torch import Tensor, nn

Per = Literal["layer", "channel"]
"""Whether a layer learns one value, or one for each channel."""

Device = torch.device | str | int | None
"""Where a layer's parameters are made; None is torch's default, as for the layers of ``torch.nn``."""


class Shown(nn.Module):
    """The base of activations that keep every setting as an attribute of its name, and show it."""

    def extra_repr(self) -> str:
        """Show the settings."""
        names = inspect.signature(type(self)).parameters
        return ", ".join(f"{name}={getattr(self, name)}" for name in names if name not in ("device", "dtype"))


class Learnt(nn.Module):
    """The base of activations with parameters per layer, each ``[1]``, or per channel, each ``[C]``."""

    def __init__(
        self,
        channels: int | None,
        channel_dim: int,
        per: Per,
        device: Device,
        dtype: torch.dtype | None,
        **starts: float | None,
    ) -> None:
        """Start each named parameter at its value, or at standard normals where that is None."""
        super().__init__()
        shape = parameter_shape(per, channels)
        for name in starts:
            self.register_parameter(name, nn.Parameter(torch.empty(shape, device=device, dtype=dtype)))
        self.channel_dim, self.starts = channel_dim if per == "channel" else None, starts
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start anew: at the given values, or at draws from torch's generator."""
        for name, start in self.starts.items():
            parameter = self.get_parameter(name)
            nn.init.normal_(parameter) if start is None else nn.init.constant_(parameter, start)

    def extra_repr(self) -> str:
        """Show what shares the parameters."""
        channels = next(len(p) for p in self.parameters())
        return "per=layer" if self.channel_dim is None else f"channels={channels}, channel_dim={self.channel_dim}"


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
        raise ValueError(f"channel_dim={channel_dim} does not exist in an input of shape {tuple(x.shape)}")
    if x.shape[channel_dim] != channels:
        raise ValueError(
            f"built for channels={channels}, but dimension {channel_dim} of the input (shape {tuple(x.shape)}) has "
            f"{x.shape[channel_dim]} entries: check channels= and channel_dim="
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
    """Cast the input to the dtype to compute in: that of input and parameter, and at least float32.

    A parameter's gradient sums over the whole input; in 16 bits that sum overflows or stalls. Of a module that was
    cast to 16 bits as a whole only the parameters and the result are rounded.

    >>> promote(torch.ones(2, dtype=torch.bfloat16), torch.ones(1, dtype=torch.bfloat16)).dtype
    torch.float32
    """
    return x.to(torch.promote_types(torch.promote_types(x.dtype, parameter.dtype), torch.float32))


def in_layout_of(x: Tensor, y: Tensor) -> Tensor:
    """Lay ``y`` out in memory as ``x`` is: contiguous stays contiguous, and channels last stays channels last.

    Args:
        x: the activation's input.
        y: its output, of the same shape.

    >>> in_layout_of(torch.zeros(2, 3, 5), torch.zeros(2, 5, 3).movedim(2, 1)).is_contiguous()
    True
    """
    if x.is_contiguous():
        return y.contiguous()
    strides = x.stride()
    order = sorted(range(x.dim()), key=lambda dim: -strides[dim])
    back = [order.index(dim) for dim in range(x.dim())]
    return y.permute(order).contiguous().permute(back)
