"""PreActResNet-18: the residual network with activations before the convolutions, for images of 32x32."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

WIDTHS = (64, 128, 256, 512)
BLOCKS = 2
"""Residual units of each width: 4 * 2 units of 2 convolutions, the stem and the last layer make 18."""


class PreActBlock(nn.Module):
    """Residual unit x + conv2(act2(norm2(conv1(act1(norm1(x)))))) (He et al. 2016, "Identity mappings", Fig. 1b).

    Args:
        channels: channels of the input.
        width: channels of the output.
        stride: stride of the first convolution.
        opens: whether this is the first unit after the stem. In this unit, and in units with a 1x1 convolution in the
            shortcut, the shortcut takes act1(norm1(x)) instead of x, as in the publication's appendix.
        act: called as ``act(channels=C)`` for each of the two activations.
    """

    def __init__(self, channels: int, width: int, stride: int, opens: bool, act: Callable[..., nn.Module]) -> None:
        """Build the unit."""
        super().__init__()
        self.norm1, self.act1 = nn.BatchNorm2d(channels), act(channels=channels)
        self.conv1 = nn.Conv2d(channels, width, 3, stride, padding=1, bias=False)
        self.norm2, self.act2 = nn.BatchNorm2d(width), act(channels=width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        same = channels == width and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(channels, width, 1, stride, bias=False)
        self.shared = opens or not same

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, channels, H, W] to [N, width, H / stride, W / stride]."""
        active = self.act1(self.norm1(x))
        residual = self.conv2(self.act2(self.norm2(self.conv1(active))))
        total: Tensor = residual + self.shortcut(active if self.shared else x)
        return total


def preact_resnet18(channels: int, classes: int, act: Callable[..., nn.Module]) -> nn.Sequential:
    """A stem of one 3x3 convolution, 8 units of width 64 to 512, and an activation before the pooling: 17 activations.

    Args:
        channels: channels of the image; its size is 32x32, or any multiple of 8.
        classes: the number of logits.
        act: called as ``act(channels=C)`` for each activation.

    Returns:
        A network from [N, channels, 32, 32] to [N, classes].

    Source:
        He, Zhang, Ren and Sun, "Identity mappings in deep residual networks", ECCV 2016 (arXiv:1603.05027). Widths and
        number of units are those of ResNet-18 (arXiv:1512.03385, Table 1); the stem for 32x32 is that of its CIFAR
        networks.

    >>> network = preact_resnet18(3, 10, act=lambda channels, channel_dim=1: nn.ReLU())
    >>> sum(p.numel() for p in network.parameters())
    11172170
    """
    layers: list[nn.Module] = [nn.Conv2d(channels, WIDTHS[0], 3, padding=1, bias=False)]
    before = WIDTHS[0]
    for width in WIDTHS:
        for _ in range(BLOCKS):
            layers.append(PreActBlock(before, width, 1 if before == width else 2, len(layers) == 1, act))
            before = width
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, classes)]
    return nn.Sequential(*layers, nn.BatchNorm2d(before), act(channels=before), *head)
