from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy import optimize, special

from afbench import create
from afbench.activations.acon import AconC, MetaAcon
from afbench.activations.swish import Swish


def column(module, x):
    """One channel's values, or all channels' at the same inputs."""
    return module(torch.from_numpy(x)[:, None].expand(-1, len(module.p1))).detach().numpy()


def smooth_maximum(xa, xb, beta):
    """Ma et al. 2020: a mean of both, weighted by their softmax at beta."""
    weights = special.softmax(np.stack([beta * xa, beta * xb]), axis=0)
    return (weights * np.stack([xa, xb])).sum(0)


def test_acon_c(grid):
    torch.manual_seed(0)
    module = AconC(5).double()
    with torch.no_grad():
        module.beta.copy_(torch.linspace(-1, 3, 5))
    p1, p2, beta = (p.detach().numpy() for p in (module.p1, module.p2, module.beta))
    expected = smooth_maximum(p1 * grid[:, None], p2 * grid[:, None], beta)
    assert_allclose(column(module, grid), expected, rtol=1e-10, atol=1e-13)


def test_acon_c_with_lines_x_and_0_is_swish(curve, grid):
    module = AconC(1).double()
    module.load_state_dict({"p1": torch.tensor([1.0]), "p2": torch.tensor([0.0]), "beta": torch.tensor([1.7])})
    assert_allclose(column(module, grid)[:, 0], curve(Swish(beta=1.7), grid), rtol=1e-7)


def test_slopes_and_their_limits():
    """The slope tends to p1 and p2, and overshoots to 1.0998 p1 - 0.0998 p2 on the way (Ma et al. 2020)."""
    p1, p2 = 1.3, -0.4
    module = AconC(1).double()
    with torch.no_grad():
        module.p1.fill_(p1)
        module.p2.fill_(p2)

    def slope(x):
        leaf = torch.tensor([[x]], dtype=torch.float64, requires_grad=True)
        return torch.autograd.grad(module(leaf), leaf)[0].item()

    assert_allclose([slope(60.0), slope(-60.0)], [p1, p2], rtol=1e-10)
    steepest = optimize.minimize_scalar(lambda x: -slope(x), bounds=(0, 5), method="bounded")
    assert_allclose(-steepest.fun, 1.0998 * p1 - 0.0998 * p2, atol=1e-4)


def test_starts():
    torch.manual_seed(0)
    module = AconC(4096)
    assert (module.beta == 1).all()
    for p in (module.p1, module.p2):
        assert abs(p.mean().item()) < 0.1 and abs(p.std().item() - 1) < 0.1


@pytest.mark.parametrize(("channels", "acon_c", "meta"), [(1, 3, 85), (3, 9, 159), (64, 192, 2416)])
def test_parameter_count(channels, acon_c, meta):
    assert sum(p.numel() for p in create("acon_c", channels).parameters()) == acon_c
    assert sum(p.numel() for p in create("meta_acon", channels).parameters()) == meta


def test_reduction():
    assert MetaAcon(64).fc1.out_features == 16  # max(16, 64 // 16)
    assert MetaAcon(512).fc1.out_features == 32


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_meta_acon(norm):
    """Against the formula in NumPy, with the statistics of the batch."""
    torch.manual_seed(0)
    module = MetaAcon(3, r=2, norm=norm).double()
    with torch.no_grad():
        for p in module.parameters():
            p.add_(0.1 * torch.randn_like(p))
    held = {name: value.detach().numpy().copy() for name, value in module.named_parameters()}
    x = np.random.default_rng(0).normal(size=(5, 3, 4, 2))

    def layer(h, k):
        h = h @ held[f"fc{k}.weight"].T + held[f"fc{k}.bias"]
        if norm == "batch":
            h = (h - h.mean(0)) / np.sqrt(h.var(0) + 1e-5) * held[f"norm{k}.weight"] + held[f"norm{k}.bias"]
        return h

    beta = special.expit(layer(layer(x.mean((2, 3)), 1), 2))[:, :, None, None]
    p1, p2 = held["p1"][:, None, None], held["p2"][:, None, None]
    got = module(torch.from_numpy(x)).detach().numpy()
    assert_allclose(got, smooth_maximum(p1 * x, p2 * x, beta), rtol=1e-9)


def test_meta_acon_starts_with_two_normals_and_one_switch_a_sample():
    torch.manual_seed(0)
    module = MetaAcon(2048, norm="none")
    assert abs(module.p1.std().item() - 1) < 0.1 and abs(module.p2.std().item() - 1) < 0.1
    assert module.switch(torch.randn(2, 2048, 3)).shape == (2, 2048, 1)


def test_one_sample_in_training():
    x = torch.randn(1, 3, 4, 4)
    module = create("meta_acon", 3)
    with pytest.raises(ValueError, match="one sample: pass norm='none'"):
        module(x)
    assert module.eval()(x).shape == x.shape
    assert create("meta_acon[norm=none]", 3)(x).shape == x.shape


def test_dimension_zero_may_hold_the_channels():
    torch.manual_seed(0)
    module = MetaAcon(3, channel_dim=0, norm="none")
    x = torch.randn(3, 7)
    batched = MetaAcon(3, channel_dim=1, norm="none")
    batched.load_state_dict(module.state_dict())
    torch.testing.assert_close(module(x), batched(x[None])[0])


def test_an_empty_batch_leaves_the_running_averages():
    module = create("meta_acon", 3)
    module(torch.zeros(0, 3))
    assert module.norm1.running_mean.isfinite().all() and module.norm1.num_batches_tracked == 0


@pytest.mark.parametrize("name", ["acon_c", "meta_acon"])
def test_needs_channels(name):
    with pytest.raises(ValueError, match="needs channels="):
        create(name)
    with pytest.raises(ValueError, match="channels must be at least 1"):
        create(name, channels=0)
