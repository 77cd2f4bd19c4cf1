from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy import special

from afbench import create
from afbench.activations.squeeze import SqueezeExcitation, mean_of_positions


@pytest.mark.parametrize(("shape", "channel_dim"), [((5, 6), 1), ((5, 6, 4, 2), 1), ((5, 4, 6), -1), ((5, 2, 6, 3), 2)])
def test_values(shape, channel_dim):
    torch.manual_seed(0)
    module = SqueezeExcitation(6, channel_dim, r=2).double()
    W1, W2 = module.W1.detach().numpy(), module.W2.detach().numpy()
    x = np.random.default_rng(0).normal(size=shape)
    last = np.moveaxis(x, channel_dim, -1)
    means = last.reshape(5, -1, 6).mean(1)
    gates = special.expit(np.maximum(means @ W1.T, 0) @ W2.T)
    expected = last * gates.reshape(5, *[1] * (len(shape) - 2), 6)
    got = module(torch.from_numpy(x)).detach().numpy()
    assert_allclose(np.moveaxis(got, channel_dim, -1), expected, rtol=1e-11)


@pytest.mark.parametrize(("channels", "count"), [(1, 2), (3, 6), (64, 512), (512, 32768)])
def test_parameter_count(channels, count):
    """2 C max(1, C // 16)."""
    assert sum(p.numel() for p in create("se", channels).parameters()) == count


def test_gates_lie_between_0_and_1_and_are_one_a_sample_and_channel():
    torch.manual_seed(0)
    gates = create("se", 64).gate(torch.randn(2, 64, 5, 5))
    assert gates.shape == (2, 64, 1, 1) and (gates > 0).all() and (gates < 1).all()
    assert (gates[0] != gates[1]).any()


def test_dimension_zero_may_hold_the_channels():
    torch.manual_seed(0)
    module, batched, x = create("se", 3, 0), create("se", 3, 1), torch.randn(3, 7)
    batched.load_state_dict(module.state_dict())
    torch.testing.assert_close(module(x), batched(x[None])[0])


def test_mean_of_positions():
    x = torch.arange(24.0).reshape(2, 3, 4)
    assert_allclose(mean_of_positions(x, 1).numpy(), x.numpy().mean(2, keepdims=True))
    assert_allclose(mean_of_positions(x, -1).numpy(), x.numpy().mean(1, keepdims=True))
    assert mean_of_positions(x[0], 1) is not None and torch.equal(mean_of_positions(x[0], 1), x[0])


def test_wrong_channels_are_refused():
    with pytest.raises(ValueError, match="built for channels=3"):
        create("se", 3)(torch.zeros(2, 4))
    with pytest.raises(ValueError, match="needs channels="):
        create("se")
