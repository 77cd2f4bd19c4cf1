"""LeNet-5: shapes, parameters counted by hand, and where the activation's channels lie."""

import pytest
import torch
from torch import nn

from afbench.models import lenet5

FULL = (120 * 84 + 84) + (16 * 5 * 5 * 120 + 120) + (5 * 5 * 6 * 16 + 16)


@pytest.mark.parametrize(
    ("channels", "size", "classes", "count"),
    [
        (1, 28, 10, (5 * 5 * 1 * 6 + 6) + FULL + (84 * 10 + 10)),
        (3, 32, 10, (5 * 5 * 3 * 6 + 6) + FULL + (84 * 10 + 10)),
        (3, 32, 100, (5 * 5 * 3 * 6 + 6) + FULL + (84 * 100 + 100)),
    ],
)
def test_shape_and_parameter_count(channels, size, classes, count):
    network = lenet5(channels, size, classes, act=lambda **_: nn.ReLU())
    assert network(torch.zeros(2, channels, size, size)).shape == (2, classes)
    assert sum(p.numel() for p in network.parameters()) == count
    assert {(1, 28, 10): 61_706, (3, 32, 10): 62_006, (3, 32, 100): 69_656}[channels, size, classes] == count


def test_an_activation_after_every_layer_but_the_last_with_its_channels():
    calls = []

    class PerChannel(nn.Module):
        def __init__(self, channels, channel_dim=1):
            super().__init__()
            self.channels, self.channel_dim = channels, channel_dim

        def forward(self, x):
            assert x.shape[self.channel_dim] == self.channels
            return x

    def act(**places):
        calls.append(places)
        return PerChannel(**places)

    network = lenet5(1, 28, 10, act=act)
    network(torch.zeros(3, 1, 28, 28))
    assert calls[:2] == [{"channels": 6}, {"channels": 16}]
    assert calls[2:] == [{"channels": 120, "channel_dim": -1}, {"channels": 84, "channel_dim": -1}]
    layers = [module for module in network if isinstance(module, (nn.Conv2d, nn.Linear, PerChannel))]
    assert [isinstance(layer, PerChannel) for layer in layers] == [False, True] * 4 + [False]


@pytest.mark.parametrize("size", [16, 27, 64])
def test_refuses_another_size(size):
    with pytest.raises(ValueError, match=f"28x28 or 32x32, not {size}x{size}"):
        lenet5(1, size, 10, act=lambda **_: nn.ReLU())
