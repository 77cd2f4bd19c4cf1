"""The shape of an activation: its graph before and after training, as arrays for the plots."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .factory import Factory
from .tasks.base import Arrays

GRID = torch.arange(-100, 101) / 20  # not linspace, which misses 0 by 7e-8
CHANNELS = 8
"""How many channels of a per-channel activation are kept."""


def sample(factory: Factory, start: list[nn.Module], ndims: dict[int, int]) -> Arrays:
    """Sample every activation of a network.

    Args:
        factory: what built them.
        start: copies of them, taken before training.
        ndims: how many dimensions their inputs had, by place.

    Returns:
        ``shape/PLACE/x`` [201], ``shape/PLACE/before`` and ``after`` [201] or, per channel, [201, C] with C <= 8.
        An activation that takes nothing but real data leaves no shape.
    """
    arrays: Arrays = {}
    for place, (before, after) in enumerate(zip(start, factory.built, strict=True)):
        channels, channel_dim = factory.places[place]
        try:
            graphs = [graph(module, channels, channel_dim, ndims.get(place, 2)) for module in (before, after)]
        except Exception:  # a user's layer may refuse a grid; its trial stands all the same
            continue
        arrays[f"shape/{place}/x"] = GRID.numpy()
        arrays[f"shape/{place}/before"], arrays[f"shape/{place}/after"] = graphs
    return arrays


@torch.no_grad()
def graph(module: nn.Module, channels: int | None, channel_dim: int, ndim: int) -> np.ndarray[Any, Any]:
    """Evaluate one activation on the grid in evaluation mode, every channel fed the same value."""
    sizes = [len(GRID)] + [1] * (ndim - 1)
    grid = GRID.reshape(sizes)
    if channels is not None and ndim > 1:
        sizes[channel_dim] = channels
        grid = grid.expand(sizes)
    own: Tensor = next(module.parameters(), GRID)
    y = module.to(own.device).eval()(grid.to(own.device, own.dtype)).float().cpu()
    y = y.movedim(channel_dim, -1) if channels is not None and ndim > 1 else y
    y = y.reshape(len(GRID), -1)
    alike = bool((y == y[:, :1]).all())
    kept: np.ndarray[Any, Any] = (y[:, 0] if alike else y[:, :CHANNELS]).numpy()
    return kept
