from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from afbench import create
from afbench.activations.prelu import PReLU


@pytest.mark.parametrize("a", [0.25, 0.0, 1.0, -0.7, 5.0])
def test_values(curve, grid, a):
    a = float(np.float32(a))
    assert_allclose(curve(PReLU(a=a), grid), np.maximum(grid, 0) + a * np.minimum(grid, 0), rtol=1e-13)


@pytest.mark.parametrize("a", [0.25, 0.7])
def test_slopes(slope, grid, a):
    a = float(np.float32(a))
    assert_allclose(slope(PReLU(a=a), grid[grid != 0]), np.where(grid[grid != 0] > 0, 1, a), rtol=1e-13)


def test_slope_by_a(grid):
    module = PReLU().double()
    module(torch.from_numpy(grid)).sum().backward()
    assert_allclose(module.a.grad.numpy(), [grid[grid < 0].sum()], rtol=1e-12)


def test_published_start():
    assert create("prelu").a.tolist() == [0.25]
    assert create("prelu[per=channel]", 2).a.tolist() == [0.25, 0.25]


@pytest.mark.parametrize("channels", [1, 3, 64])
def test_parameter_count(channels):
    assert sum(p.numel() for p in create("prelu", channels).parameters()) == 1
    assert sum(p.numel() for p in create("prelu[per=channel]", channels).parameters()) == channels


@pytest.mark.parametrize("channel_dim", [1, -1])
def test_each_channel_has_its_slope(channel_dim):
    module = PReLU(3, channel_dim, per="channel")
    module.load_state_dict({"a": torch.tensor([0.1, 0.2, 0.3])})
    y = module(-torch.ones(2, 3, 3)).select(channel_dim, 2)
    assert_allclose(y.detach().numpy(), -0.3, rtol=1e-6)


def test_per_channel_needs_channels():
    with pytest.raises(ValueError, match="needs channels="):
        create("prelu[per=channel]")
    with pytest.raises(ValueError, match="needs channels="):
        PReLU(per="channel")


@pytest.mark.parametrize("per", ["layer", "channel"])
def test_torch_computes_the_same(per):
    torch.manual_seed(0)
    x = torch.randn(5, 3, 4, 4, requires_grad=True)
    results = []
    for module in (create(f"prelu[per={per}]", 3), torch.nn.PReLU(3 if per == "channel" else 1)):
        (slopes,) = module.parameters()
        results.append([slopes.detach(), module(x), *torch.autograd.grad(module(x).square().sum(), (x, slopes))])
    torch.testing.assert_close(results[0], results[1])  # starts, values, gradients
