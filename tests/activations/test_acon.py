from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy import optimize, special

from afbench import create
from afbench.activations.acon import AconA, AconB, AconC
from afbench.activations.swish import Swish
from afbench.kernels.units import acon

LETTERS = {"acon_a": ["beta"], "acon_b": ["p", "beta"], "acon_c": ["p1", "p2", "beta"]}

each = pytest.mark.parametrize("name", LETTERS)


def filled(module, **values):
    """The module in float64 with these parameters."""
    module = module.double()
    with torch.no_grad():
        for letter, value in values.items():
            getattr(module, letter).copy_(torch.as_tensor(value, dtype=torch.float64))
    return module


def columns(module, x, channels):
    """All channels' values at the same inputs."""
    return module(torch.from_numpy(x)[:, None].expand(-1, channels)).detach().numpy()


def smooth_maximum(xa, xb, beta):
    """Ma et al. 2020: a mean of both, weighted by their softmax at beta."""
    weights = special.softmax(np.stack([beta * xa, beta * xb]), axis=0)
    return (weights * np.stack([xa, xb])).sum(0)


BETA = np.linspace(-1, 3, 5)


def test_acon_a(grid):
    x = grid[:, None]
    got = columns(filled(AconA(5), beta=BETA), grid, 5)
    assert_allclose(got, smooth_maximum(x * np.ones(5), 0 * x * np.ones(5), BETA), rtol=1e-10, atol=1e-13)


def test_acon_b(grid):
    p, x = np.array([-0.5, 0.0, 0.25, 1.0, 2.0]), grid[:, None]
    got = columns(filled(AconB(5), p=p, beta=BETA), grid, 5)
    assert_allclose(got, smooth_maximum(x * np.ones(5), p * x, BETA), rtol=1e-10, atol=1e-13)


def test_acon_c(grid):
    torch.manual_seed(0)
    module = filled(AconC(5), beta=BETA)
    p1, p2 = module.p1.detach().numpy(), module.p2.detach().numpy()
    expected = smooth_maximum(p1 * grid[:, None], p2 * grid[:, None], BETA)
    assert_allclose(columns(module, grid, 5), expected, rtol=1e-10, atol=1e-13)


def test_acon_c_is_what_the_authors_code_computes():
    """Their acon.py: (p1 x - p2 x) sigmoid(beta (p1 x - p2 x)) + p2 x, with parameters [1, C, 1, 1]."""
    torch.manual_seed(0)
    module, x = AconC(3), torch.randn(2, 3, 4, 4)
    p1, p2, beta = (p.detach().numpy().astype(float)[None, :, None, None] for p in module.parameters())
    lines = p1 * x.numpy() - p2 * x.numpy()
    assert_allclose(module(x).detach().numpy(), lines / (1 + np.exp(-beta * lines)) + p2 * x.numpy(), rtol=1e-5)


def test_acon_a_is_swish(curve, grid):
    module = filled(AconA(per="layer"), beta=1.7)
    assert_allclose(curve(module, grid), curve(filled(Swish(), beta=1.7), grid), rtol=1e-14)


def test_acon_b_with_p_0_is_swish(curve, grid):
    module = filled(AconB(per="layer"), p=0.0, beta=1.7)
    assert_allclose(curve(module, grid), curve(filled(Swish(), beta=1.7), grid), rtol=1e-14)


def test_acon_c_with_lines_x_and_0_is_swish(curve, grid):
    module = filled(AconC(per="layer"), p1=1.0, p2=0.0, beta=1.7)
    assert_allclose(curve(module, grid), curve(filled(Swish(), beta=1.7), grid), rtol=1e-14)


def test_acon_c_with_lines_x_and_px_is_acon_b(curve, grid):
    c, b = filled(AconC(per="layer"), p1=1.0, p2=0.3, beta=1.7), filled(AconB(per="layer"), p=0.3, beta=1.7)
    assert_allclose(curve(c, grid), curve(b, grid), rtol=1e-14)


@pytest.mark.parametrize(("p1", "p2"), [(1.3, -0.4), (-0.4, 1.3), (1.0, 0.25)])
def test_limits_in_beta(curve, grid, p1, p2):
    """The larger line for large beta, their mean for 0, the smaller for large negative beta."""
    lines = np.stack([p1 * grid, p2 * grid])
    for beta, expected in ((1e6, lines.max(0)), (0.0, lines.mean(0)), (-1e6, lines.min(0))):
        assert_allclose(curve(filled(AconC(per="layer"), p1=p1, p2=p2, beta=beta), grid), expected, atol=1e-12)


def test_large_beta_is_relu_and_leaky_relu(curve, grid):
    assert_allclose(curve(filled(AconA(per="layer"), beta=1e6), grid), np.maximum(grid, 0), atol=1e-12)
    leaky = np.maximum(grid, 0) + 0.25 * np.minimum(grid, 0)
    assert_allclose(curve(filled(AconB(per="layer"), beta=1e6), grid), leaky, atol=1e-12)


@pytest.mark.parametrize(("p1", "p2"), [(1.3, -0.4), (-0.7, 0.9)])
def test_slopes_and_their_limits(slope, p1, p2):
    """With the larger p first, the slope tends to p1 and p2, its extrema are 1.0998 p1 - 0.0998 p2 and reversed."""
    p1, p2 = max(p1, p2), min(p1, p2)
    module = filled(AconC(per="layer"), p1=p1, p2=p2)
    assert_allclose(slope(module, [60.0, -60.0]), [p1, p2], rtol=1e-10)
    for sign, ends, first, second in ((-1, (0, 5), p1, p2), (1, (-5, 0), p2, p1)):
        found = optimize.minimize_scalar(lambda x, s=sign: s * slope(module, [x])[0], bounds=ends, method="bounded")
        assert_allclose(sign * found.fun, 1.0998 * first - 0.0998 * second, atol=1e-4)


@each
def test_fixed_starts(name):
    module = create(name, 3)
    assert [letter for letter, _ in module.named_parameters()] == LETTERS[name]
    assert module.beta.tolist() == [1, 1, 1]
    if name == "acon_b":
        assert module.p.tolist() == [0.25, 0.25, 0.25]


def test_lines_of_acon_c_start_as_standard_normals():
    torch.manual_seed(0)
    module = AconC(4096)
    for p in (module.p1, module.p2):
        assert abs(p.mean().item()) < 0.1 and abs(p.std().item() - 1) < 0.1


@each
@pytest.mark.parametrize("channels", [1, 3, 64])
def test_parameter_count(name, channels):
    own = len(LETTERS[name])
    assert sum(p.numel() for p in create(name, channels).parameters()) == own * channels
    assert sum(p.numel() for p in create(f"{name}[per=layer]", channels).parameters()) == own


@each
@pytest.mark.parametrize(("shape", "channel_dim"), [((5, 3), 1), ((5, 3, 4), -2), ((5, 4, 3), -1), ((3,), 0)])
def test_each_channel_has_its_own(name, shape, channel_dim):
    """What a channel computes alone, per layer, it computes among others."""
    values = {letter: [0.5, 1.0, 2.0 + i] for i, letter in enumerate(LETTERS[name])}
    module = filled(create(name, 3, channel_dim), **values)
    x = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for channel in range(3):
        alone = filled(create(f"{name}[per=layer]"), **{letter: v[channel] for letter, v in values.items()})
        torch.testing.assert_close(
            module(x).select(channel_dim, channel), alone(x.select(channel_dim, channel).clone())
        )


@each
def test_needs_channels(name):
    with pytest.raises(ValueError, match="needs channels="):
        create(name)
    with pytest.raises(ValueError, match="channels must be at least 1"):
        create(name, channels=0)


def test_repr():
    assert repr(create("acon_b[per=layer]")) == "AconB(per=layer)"
    assert repr(create("acon_c", 3, -1)) == "AconC(channels=3, channel_dim=-1)"


def test_function_broadcasts():
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    assert acon(x, torch.ones(3), 0.0, torch.ones(4, 1)).shape == (4, 3)
