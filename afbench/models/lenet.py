"""LeNet-5, the convolutional network of LeCun et al. 1998, for grey images of 28x28 and colour images of 32x32."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

FILTERS = (6, 16)
HIDDEN = (120, 84)


def lenet5(channels: int, size: int, classes: int, act: Callable[..., nn.Module]) -> nn.Sequential:
    """Two 5x5 convolutions (6 and 16 filters), each halved by 2x2 average pooling, and hidden layers of 120 and 84.

    An activation follows each convolution and each hidden layer. The layout is that of LeCun et al. 1998, Fig. 2, with
    the usual simplifications: the pooling has no learned coefficients, each of the 16 filters sees all 6 maps, and the
    output is a linear layer instead of radial basis functions.

    Args:
        channels: the number of the image's channels.
        size: the image's height and width: 32, or 28, which the first convolution pads to 32 as in the publication.
        classes: the number of logits.
        act: called as ``act(channels=C)`` after a convolution, as ``act(channels=C, channel_dim=-1)`` after a
            hidden layer.

    Returns:
        A network from [N, channels, size, size] to [N, classes].

    Raises:
        ValueError: for another size.

    >>> network = lenet5(1, 28, 10, act=lambda channels, channel_dim=1: nn.ReLU())
    >>> sum(p.numel() for p in network.parameters())
    61706
    """
    if size not in (28, 32):
        raise ValueError(f"LeNet-5 takes images of 28x28 or 32x32, not {size}x{size}")
    first, second = FILTERS
    wide, narrow = HIDDEN
    return nn.Sequential(
        nn.Conv2d(channels, first, 5, padding=(32 - size) // 2),
        act(channels=first),
        nn.AvgPool2d(2),
        nn.Conv2d(first, second, 5),
        act(channels=second),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(second * 5 * 5, wide),
        act(channels=wide, channel_dim=-1),
        nn.Linear(wide, narrow),
        act(channels=narrow, channel_dim=-1),
        nn.Linear(narrow, classes),
    )
