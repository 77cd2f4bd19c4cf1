"""The shape of an activation, as arrays for the plots: its graph before and after training, and its inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..registry.factory import Factory
from ..tasks.base import Arrays

GRID = torch.arange(-100, 101) / 20  # not linspace, which misses 0 by 7e-8
CHANNELS = 8
"""How many channels of a per-channel activation are kept."""
EDGES = np.linspace(-5, 5, 51, dtype=np.float32)
"""Of the histograms of inputs: they span the grid."""
SAMPLES = 512
"""Of the validation data, whose inputs are counted: in the networks of the tasks, thousands of values at each place."""
VALUES = 2**20
"""Values of a place's input that are counted at most; of more, every second, every third, ... is counted."""


def sample(factory: Factory, start: list[nn.Module], ndims: dict[int, int]) -> Arrays:
    """Sample every activation of a network.

    Args:
        factory: what built them.
        start: copies of them, taken before training.
        ndims: how many dimensions their inputs had, by place.

    Returns:
        ``shape/PLACE/x`` [201], ``shape/PLACE/before`` and ``after`` [201] or, per channel, [201, C] with C <= 8.
        An activation that cannot take the grid leaves no shape.
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


def inputs(network: nn.Module, activations: Sequence[nn.Module], samples: Tensor) -> Arrays:
    """Count the inputs of the activations of a trained network, in evaluation mode.

    Args:
        network: the whole of it.
        activations: those in it, by place.
        samples: of the validation data, never of the test data; the first 512 are taken.

    Returns:
        ``shape/PLACE/edges`` [51], from -5 to 5, and ``shape/PLACE/hist`` [52], how many inputs lie between them; its
        ends count those below and above. Some 400 bytes a place. An activation that is not called leaves none.
    """
    counts: dict[int, np.ndarray[Any, Any]] = {}
    try:
        with counting(activations, counts), torch.no_grad():
            network.eval()(samples[:SAMPLES])
    except Exception:  # a user's network may refuse a batch of this size; its trial stands all the same
        return {}
    arrays: Arrays = {}
    for place, histogram in counts.items():
        if 0 < histogram.sum() < 2**32:
            arrays |= {f"shape/{place}/hist": histogram.astype(np.uint32), f"shape/{place}/edges": EDGES}
    return arrays


@contextmanager
def counting(activations: Sequence[nn.Module], counts: dict[int, np.ndarray[Any, Any]]) -> Iterator[None]:
    """Add the inputs of the activations within the block to the counts, by place."""

    def hook(place: int) -> Any:
        def count(module: nn.Module, given: tuple[Any, ...]) -> None:
            if given and isinstance(given[0], Tensor):
                x = given[0].detach().flatten()
                x = x[:: -(-len(x) // VALUES) or 1].float()
                x = x[torch.isfinite(x)].cpu()
                where = np.searchsorted(EDGES, x.numpy(), side="right")
                counts[place] = counts.get(place, 0) + np.bincount(where, minlength=len(EDGES) + 1)

        return count

    handles = [module.register_forward_pre_hook(hook(place)) for place, module in enumerate(activations)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
