"""The first layer of a network whose images are bytes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Standardize(nn.Module):
    """(x / 255 - mean) / deviation for each channel of images in bytes.

    As the network's first layer it lets a whole data set stay on the device in a quarter of float32's memory.

    Args:
        mean: the mean of each channel, for pixels from 0 to 1.
        deviation: the standard deviation of each channel, above 0.

    >>> Standardize([0.5], [0.25])(torch.tensor([[[[0, 255]]]], dtype=torch.uint8)).round()
    tensor([[[[-2.,  2.]]]])
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, mean: Sequence[float], deviation: Sequence[float]) -> None:
        """Store scale and shift of x * scale + shift as buffers, which follow the network's dtype."""
        super().__init__()
        means, deviations = (torch.tensor(v, dtype=torch.float64).reshape(-1, 1, 1) for v in (mean, deviation))
        self.register_buffer("scale", (1 / (255 * deviations)).float(), persistent=False)
        self.register_buffer("shift", (-means / deviations).float(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Standardise images [N, C, H, W] of any dtype; the result has the network's dtype."""
        return torch.addcmul(self.shift, x.to(self.scale.dtype), self.scale)

    def extra_repr(self) -> str:
        """Show the channels."""
        return f"channels={len(self.scale)}"
