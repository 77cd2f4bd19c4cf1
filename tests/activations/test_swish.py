from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy import special

from afbench import create
from afbench.activations.swish import Swish


@pytest.mark.parametrize("beta", [1.0, 0.0, -0.5, 3.0])
def test_values(curve, grid, beta):
    assert_allclose(curve(Swish(beta=beta), grid), grid * special.expit(beta * grid), rtol=1e-12)


def test_starts_at_silu(curve, grid):
    assert_allclose(curve("swish", grid), curve("silu", grid), rtol=1e-13)


def test_slope_by_beta():
    module = Swish().double()
    x = torch.linspace(-5, 5, 21, dtype=torch.float64)
    module(x).sum().backward()
    s = special.expit(x.numpy())
    assert_allclose(module.beta.grad.numpy(), [(x.numpy() ** 2 * s * (1 - s)).sum()], rtol=1e-12)


@pytest.mark.parametrize("channels", [1, 3, 64])
def test_parameter_count(channels):
    assert sum(p.numel() for p in create("swish", channels).parameters()) == 1
    assert sum(p.numel() for p in create("swish[per=channel]", channels).parameters()) == channels


@pytest.mark.parametrize(("shape", "channel_dim"), [((5, 3), 1), ((5, 3, 4), -2), ((5, 4, 3), -1), ((3,), 0)])
def test_each_channel_has_its_beta(shape, channel_dim):
    module = Swish(3, channel_dim, per="channel").double()
    beta = np.array([0.5, 1.0, 2.0])
    module.load_state_dict({"beta": torch.from_numpy(beta)})
    x = np.random.default_rng(0).normal(size=shape)
    got = np.moveaxis(module(torch.from_numpy(x)).detach().numpy(), channel_dim, -1)
    last = np.moveaxis(x, channel_dim, -1)
    assert_allclose(got, last * special.expit(beta * last), rtol=1e-12)


def test_large_inputs_and_large_beta():
    module = Swish(beta=1e4)
    x = torch.tensor([-3e38, -1e4, 0.0, 1e4, 3e38], requires_grad=True)
    y = module(x)
    y.sum().backward()
    assert_allclose(y.detach().numpy(), [0, 0, 0, 1e4, 3e38], rtol=1e-6)
    assert_allclose(x.grad.numpy(), [0, 0, 0.5, 1, 1])
    assert module.beta.grad.item() == 0


def test_half_precision_sums_in_float32():
    """In float16 the gradient by beta, about 0.2 a value, would pass 65504."""
    module = Swish()
    module(torch.ones(2**20, dtype=torch.float16)).float().sum().backward()
    assert_allclose(module.beta.grad.item(), 2**20 * 0.19661193, rtol=1e-3)


def test_repr():
    assert repr(create("swish")) == "Swish(per=layer)"
    assert repr(create("swish[per=channel]", 3, -1)) == "Swish(channels=3, channel_dim=-1)"
