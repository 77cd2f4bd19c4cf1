"""PreActResNet-18: its parameters counted by hand, its places, and a unit against the formula written apart."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from afbench.models import preact_resnet18
from afbench.models.preact_resnet import PreActBlock


def unit(before, width):
    """Two 3x3 convolutions, two batch norms of 2 numbers a channel, and a 1x1 convolution where the width changes."""
    return 9 * before * width + 9 * width * width + 2 * before + 2 * width + (before * width if before != width else 0)


@pytest.mark.parametrize(("classes", "total"), [(10, 11_172_170), (100, 11_218_340)])
def test_parameter_count(classes, total):
    with torch.device("meta"):
        network = preact_resnet18(3, classes, act=lambda **_: nn.ReLU())
    units = [(64, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512)]
    count = 9 * 3 * 64 + sum(unit(*sizes) for sizes in units) + 2 * 512 + 512 * classes + classes
    assert sum(p.numel() for p in network.parameters()) == count == total


def test_seventeen_places_with_the_channels_that_arrive_there():
    calls = []

    def act(channels):
        calls.append(channels)
        return nn.ReLU()

    with torch.device("meta"):
        network = preact_resnet18(3, 10, act=act)
        assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    assert calls == [64] * 4 + [64] + [128] * 3 + [128] + [256] * 3 + [256] + [512] * 3 + [512]


@pytest.mark.parametrize(
    ("channels", "width", "stride", "opens"), [(4, 4, 1, False), (4, 4, 1, True), (4, 6, 2, False)]
)
def test_a_unit_is_what_the_publication_says(channels, width, stride, opens):
    torch.manual_seed(0)
    block = PreActBlock(channels, width, stride, opens, act=lambda channels: nn.Tanh()).double().eval()
    for norm in (block.norm1, block.norm2):
        for value in (norm.weight.data, norm.bias.data, norm.running_mean):
            value.normal_()
        norm.running_var.uniform_(0.5, 2)

    def norm(x, n):
        scale = n.weight / (n.running_var + 1e-5).sqrt()
        return (x - n.running_mean[:, None, None]) * scale[:, None, None] + n.bias[:, None, None]

    x = torch.randn(2, channels, 8, 8, dtype=torch.float64)
    active = torch.tanh(norm(x, block.norm1))
    residual = F.conv2d(active, block.conv1.weight, stride=stride, padding=1)
    residual = F.conv2d(torch.tanh(norm(residual, block.norm2)), block.conv2.weight, padding=1)
    shortcut = x
    if stride == 2:
        shortcut = torch.einsum("oi,nihw->nohw", block.shortcut.weight[:, :, 0, 0], active[:, :, ::2, ::2])
    elif opens:
        shortcut = active
    torch.testing.assert_close(block(x), residual + shortcut)


def test_only_the_first_unit_and_the_wider_ones_share_their_activation_with_the_shortcut():
    with torch.device("meta"):
        network = preact_resnet18(3, 10, act=lambda **_: nn.ReLU())
    shared = [module.shared for module in network if isinstance(module, PreActBlock)]
    assert shared == [True, False] * 4
