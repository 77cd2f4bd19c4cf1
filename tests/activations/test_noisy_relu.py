from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy import special, stats

from afbench import create

SAMPLES = 40_000


@pytest.mark.parametrize("x", [-0.5, 0.0, 1.5, 6.0])
def test_noise_is_normal_with_variance_sigmoid(x):
    """Mean and mean square of max(x + n, 0) by their closed forms, within five standard errors."""
    torch.manual_seed(0)
    drawn = create("noisy_relu")(torch.full((SAMPLES,), x, dtype=torch.float64)).numpy()
    deviation = np.sqrt(special.expit(x))
    t = x / deviation
    mean = x * stats.norm.cdf(t) + deviation * stats.norm.pdf(t)
    square = (x**2 + deviation**2) * stats.norm.cdf(t) + x * deviation * stats.norm.pdf(t)
    assert abs(drawn.mean() - mean) < 5 * drawn.std() / np.sqrt(SAMPLES)
    assert abs((drawn**2).mean() - square) < 5 * (drawn**2).std() / np.sqrt(SAMPLES)


def test_noise_passes_a_test_of_normality():
    """At x = 6 the rectifier cuts nothing off that 2,000 samples would show."""
    torch.manual_seed(1)
    drawn = create("noisy_relu")(torch.full((2000,), 6.0, dtype=torch.float64)).numpy()
    assert stats.kstest((drawn - 6) / np.sqrt(special.expit(6)), "norm").pvalue > 1e-3


def test_evaluation_is_relu(curve, grid):
    np.testing.assert_array_equal(curve(create("noisy_relu").eval(), grid), np.maximum(grid, 0))


def test_a_seed_repeats_the_noise():
    module, x = create("noisy_relu"), torch.zeros(100)
    torch.manual_seed(3)
    first, second = module(x), module(x)
    torch.manual_seed(3)
    assert torch.equal(module(x), first) and not torch.equal(first, second)


def test_gradient_at_the_noise_drawn():
    x = np.linspace(-3, 3, 61)
    leaf = torch.from_numpy(x).requires_grad_()
    torch.manual_seed(0)
    create("noisy_relu")(leaf).sum().backward()
    torch.manual_seed(0)
    noise = torch.randn_like(leaf).detach().numpy()
    deviation = np.sqrt(special.expit(x))
    expected = (x + deviation * noise > 0) * (1 + noise * deviation * special.expit(-x) / 2)
    assert_allclose(leaf.grad.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_no_noise_and_no_nan_far_left(dtype):
    x = torch.tensor([-1e4, -200.0], dtype=dtype, requires_grad=True)
    create("noisy_relu")(x).sum().backward()
    assert (x.grad == 0).all()
