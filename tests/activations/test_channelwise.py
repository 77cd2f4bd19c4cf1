from __future__ import annotations

import pytest
import torch

from afbench.activations.channelwise import parameter_shape, promote, spread


def test_spread_lies_along_the_channels():
    c = torch.arange(3.0)
    assert spread(c, torch.zeros(2, 3), 1).shape == (1, 3)
    assert spread(c, torch.zeros(2, 5, 3), -1).shape == (1, 1, 3)
    assert spread(c, torch.zeros(3, 2), 0).shape == (3, 1)
    assert spread(torch.zeros(1), torch.tensor(1.0), None).shape == ()


@pytest.mark.parametrize(("shape", "channel_dim"), [((2, 1), 1), ((2, 4), 1), ((2, 3, 5), -1)])
def test_wrong_size_does_not_broadcast(shape, channel_dim):
    with pytest.raises(ValueError, match="built for channels=3"):
        spread(torch.zeros(3), torch.zeros(shape), channel_dim)


def test_one_channel_does_not_broadcast_either():
    with pytest.raises(ValueError, match="built for channels=1"):
        spread(torch.zeros(1), torch.zeros(2, 3), 1)


@pytest.mark.parametrize("channel_dim", [1, -2])
def test_missing_dimension(channel_dim):
    with pytest.raises(ValueError, match="does not exist in an input of shape"):
        spread(torch.zeros(3), torch.zeros(3), channel_dim)


def test_parameter_shape():
    assert parameter_shape("layer", 64) == parameter_shape("layer", None) == (1,)
    assert parameter_shape("channel", 64) == (64,)
    with pytest.raises(ValueError, match="needs channels="):
        parameter_shape("channel", None)
    with pytest.raises(ValueError, match="at least 1, not 0"):
        parameter_shape("channel", 0)


@pytest.mark.parametrize(
    ("x", "parameter", "expected"),
    [
        (torch.float16, torch.float32, torch.float32),
        (torch.float64, torch.float32, torch.float64),
        (torch.bfloat16, torch.bfloat16, torch.float32),
    ],
)
def test_promote(x, parameter, expected):
    assert promote(torch.ones(1, dtype=x), torch.ones(1, dtype=parameter)).dtype == expected
