from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from afbench import create
from afbench.activations.pelu import PELU


def formula(x, a, b):
    """Trottier et al. 2016: a line with slope a / b on the right, a decaying exponential on the left."""
    return np.where(x >= 0, a / b * x, a * np.expm1(np.minimum(x, 0) / b))


def pelu(a, b):
    module = PELU().double()
    module.load_state_dict({"a": torch.tensor([a], dtype=torch.float64), "b": torch.tensor([b], dtype=torch.float64)})
    return module


@pytest.mark.parametrize(("a", "b"), [(1.0, 1.0), (0.3, 2.0), (1.9, 0.2)])
def test_values_and_slopes(curve, slope, grid, a, b):
    assert_allclose(curve(pelu(a, b), grid), formula(grid, a, b), rtol=1e-12)
    assert_allclose(slope(pelu(a, b), grid), a / b * np.exp(np.minimum(grid, 0) / b), rtol=1e-12, atol=1e-300)


def test_slopes_by_a_and_b(grid):
    a, b, h = 0.7, 1.3, 1e-6
    module = pelu(a, b)
    module(torch.from_numpy(grid)).sum().backward()
    by_a = (formula(grid, a + h, b) - formula(grid, a - h, b)).sum() / (2 * h)
    by_b = (formula(grid, a, b + h) - formula(grid, a, b - h)).sum() / (2 * h)
    assert_allclose([module.a.grad.item(), module.b.grad.item()], [by_a, by_b], rtol=1e-7)


def test_starts_as_elu(curve, grid):
    assert create("pelu").a.tolist() == [1] and create("pelu").b.tolist() == [1]
    assert_allclose(curve("pelu", grid), curve("elu", grid), rtol=1e-14)


@pytest.mark.parametrize("low", [0.05, 0.0, -3.0])
def test_stays_positive(curve, grid, low):
    """Below 0.1, values are those of 0.1, and a gradient still arrives that can bring the parameter back."""
    module = pelu(low, low)
    assert_allclose(curve(module, grid), formula(grid, 0.1, 0.1), rtol=1e-12)
    module(torch.from_numpy(grid)).sum().backward()
    assert module.a.grad.abs() > 1 and module.b.grad.abs() > 1
    assert module.a.item() == low  # forward writes nothing


@pytest.mark.parametrize("spec", ["pelu[a=0]", "pelu[b=0.05]", "pelu[a=-1]"])
def test_starts_out_of_range(spec):
    with pytest.raises(ValueError, match="at least 0.1"):
        create(spec)


@pytest.mark.parametrize("channels", [1, 3, 64])
def test_parameter_count(channels):
    assert sum(p.numel() for p in create("pelu", channels).parameters()) == 2
    assert sum(p.numel() for p in create("pelu[per=channel]", channels).parameters()) == 2 * channels


@pytest.mark.parametrize("channel_dim", [1, -1])
def test_each_channel_has_its_pair(channel_dim):
    module = PELU(3, channel_dim, per="channel")
    a, b = np.float32([0.5, 1, 2]), np.float32([2, 1, 0.5])
    module.load_state_dict({"a": torch.from_numpy(a), "b": torch.from_numpy(b)})
    y = module(-torch.ones(2, 3, 3)).movedim(channel_dim, -1)
    assert_allclose(y.detach().numpy()[1, 1], formula(np.float64(-1), a, b), rtol=1e-6)
