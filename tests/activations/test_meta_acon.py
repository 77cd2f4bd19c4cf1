from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy import special

from afbench import create
from afbench.activations.meta_acon import MetaAcon
from afbench.testing import CHECKS, Subject


def smooth_maximum(xa, xb, beta):
    """Ma et al. 2020: a mean of both, weighted by their softmax at beta."""
    weights = special.softmax(np.stack([beta * xa, beta * xb]), axis=0)
    return (weights * np.stack([xa, xb])).sum(0)


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
    assert module.switch(torch.randn(2, 2048, 3)).shape == (2, 2048)


def test_one_sample_in_training():
    x = torch.randn(1, 3, 4, 4)
    module = create("meta_acon", 3)
    with pytest.raises(ValueError, match="need more than one sample"):
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


def test_parameters_in_16_bits_beside_averages_in_float32():
    """So are they under FSDP2's mixed precision, which casts no buffers."""
    torch.manual_seed(0)
    module, x = create("meta_acon", 3), torch.randn(5, 3, 4)
    for parameter in module.parameters():
        parameter.data = parameter.data.bfloat16()
    wide = create("meta_acon", 3).double()
    wide.load_state_dict(module.state_dict())
    torch.testing.assert_close(module(x), wide(x.double()).float())
    torch.testing.assert_close(module.norm1.running_var, wide.norm1.running_var.float())
    assert module.norm2.num_batches_tracked == 1


@pytest.mark.parametrize("per", ["layer", "pixel"])
@pytest.mark.parametrize(("shape", "channel_dim"), [((5, 3), 1), ((5, 3, 4, 2), 1), ((5, 4, 3), -1)])
def test_layer_and_pixel(per, shape, channel_dim):
    """One beta a sample from the mean over all of it, or one an element from the element."""
    torch.manual_seed(0)
    module = MetaAcon(3, channel_dim, per).double()
    x = np.random.default_rng(0).normal(size=shape)
    last = np.moveaxis(x, channel_dim, -1)
    beta = special.expit(last if per == "pixel" else last.mean(tuple(range(1, x.ndim)), keepdims=True))
    expected = smooth_maximum(*(p.detach().numpy() * last for p in (module.p1, module.p2)), beta)
    got = module(torch.from_numpy(x)).detach().numpy()
    assert_allclose(np.moveaxis(got, channel_dim, -1), expected, rtol=1e-9)


@pytest.mark.parametrize("channels", [1, 3, 64])
def test_parameter_count(channels):
    """p1 and p2; per channel also two linear maps with biases and two batch norms, C to max(16, C // 16) and back."""
    hidden = max(16, channels // 16)
    maps = 2 * channels * hidden + hidden + channels
    norms = 2 * (hidden + channels)
    for settings, more in (("", maps + norms), ("[norm=none]", maps), ("[per=layer]", 0), ("[per=pixel]", 0)):
        module = create(f"meta_acon{settings}", channels)
        assert sum(p.numel() for p in module.parameters()) == 2 * channels + more


@pytest.mark.parametrize("settings", ["norm=none", "per=layer", "per=pixel"])
def test_vmap_works_without_batch_statistics(settings):
    CHECKS["vmap"](Subject.of(f"meta_acon[{settings}]"))


@pytest.mark.parametrize("settings", ["per=layer,norm=none", "per=pixel,r=4"])
def test_maps_that_are_not_there_cannot_be_set(settings):
    with pytest.raises(ValueError, match="need per='channel'"):
        create(f"meta_acon[{settings}]", 3)


def test_needs_channels():
    with pytest.raises(ValueError, match="needs channels="):
        create("meta_acon")
    with pytest.raises(ValueError, match="channels must be at least 1"):
        create("meta_acon", channels=0)
