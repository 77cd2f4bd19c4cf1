"""The multilayer perceptron."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import nn


def mlp(*sizes: int, act: Callable[..., nn.Module]) -> nn.Sequential:
    """Linear, activation, Linear, ..., Linear: an activation between linear layers, none at the end.

    Args:
        sizes: the number of features of the input, of each hidden layer, and of the output.
        act: called once for each hidden layer as ``act(channels=C, channel_dim=-1)``, with C its features.

    Returns:
        A network from [..., sizes[0]] to [..., sizes[-1]].

    Raises:
        ValueError: if fewer than two sizes are given.

    >>> mlp(2, 50, 1, act=lambda channels, channel_dim: nn.ReLU())
    Sequential(
      (0): Linear(in_features=2, out_features=50, bias=True)
      (1): ReLU()
      (2): Linear(in_features=50, out_features=1, bias=True)
    )
    """
    if len(sizes) < 2:
        raise ValueError(f"an MLP needs at least two sizes, of its input and output, not {sizes}")
    layers: list[nn.Module] = [nn.Linear(sizes[0], sizes[1])]
    for features, following in pairwise(sizes[1:]):
        layers += [act(channels=features, channel_dim=-1), nn.Linear(features, following)]
    return nn.Sequential(*layers)
