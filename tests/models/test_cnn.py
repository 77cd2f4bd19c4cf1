"""The CNN: shapes, parameters counted by hand, and where the activation's channels lie."""

from typing import Any

import pytest
import torch
from torch import nn

from afbench.models import cnn


def test_shape_and_parameter_count() -> None:
    network = cnn(8, 10, act=lambda **_: nn.ReLU())
    assert network(torch.zeros(3, 1, 8, 8)).shape == (3, 10)
    convolutions = (3 * 3 * 1 * 8 + 8) + (3 * 3 * 8 * 16 + 16)
    head = (16 * 2 * 2 * 32 + 32) + (32 * 10 + 10)
    assert sum(p.numel() for p in network.parameters()) == convolutions + head == 3658


def test_channels_are_the_second_dimension_in_convolutions_and_the_last_in_the_head() -> None:
    calls: list[dict[str, int]] = []

    class PerChannel(nn.Module):
        def __init__(self, channels: int, channel_dim: int = 1) -> None:
            super().__init__()
            self.channels, self.channel_dim = channels, channel_dim

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            assert x.shape[self.channel_dim] == self.channels
            return x

    def act(**places: Any) -> nn.Module:
        calls.append(places)
        return PerChannel(**places)

    cnn(8, 10, act=act)(torch.zeros(3, 1, 8, 8))
    assert calls == [{"channels": 8}, {"channels": 16}, {"channels": 32, "channel_dim": -1}]


@pytest.mark.parametrize("size", [0, 2, 6])
def test_refuses_a_size_that_cannot_be_halved_twice(size: int) -> None:
    with pytest.raises(ValueError, match="multiple of 4"):
        cnn(size, 10, act=lambda **_: nn.ReLU())
