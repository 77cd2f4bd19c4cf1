"""A convolutional network for images of about 8x8 pixels."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

CHANNELS = (8, 16)
HIDDEN = 32


def cnn(size: int, classes: int, act: Callable[..., nn.Module]) -> nn.Sequential:
    """Two 3x3 convolutions (8 and 16 channels), each halved by max pooling, and a head with one hidden layer of 32.

    Args:
        size: height and width of the grey image, a multiple of 4.
        classes: the number of logits.
        act: called as ``act(channels=C)`` after a convolution, as ``act(channels=C, channel_dim=-1)`` in the head.

    Returns:
        A network from [N, 1, size, size] to [N, classes].

    Raises:
        ValueError: if the size cannot be halved twice.

    >>> count = sum(p.numel() for p in cnn(8, 10, act=lambda channels, channel_dim=1: nn.ReLU()).parameters())
    >>> count == (9 + 1) * 8 + (9 * 8 + 1) * 16 + (4 * 16 + 1) * 32 + (32 + 1) * 10
    True
    """
    if size < 4 or size % 4:
        raise ValueError(f"the image's size must be a multiple of 4, not {size}")
    first, second = CHANNELS
    return nn.Sequential(
        nn.Conv2d(1, first, 3, padding=1),
        act(channels=first),
        nn.MaxPool2d(2),
        nn.Conv2d(first, second, 3, padding=1),
        act(channels=second),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(second * (size // 4) ** 2, HIDDEN),
        act(channels=HIDDEN, channel_dim=-1),
        nn.Linear(HIDDEN, classes),
    )
