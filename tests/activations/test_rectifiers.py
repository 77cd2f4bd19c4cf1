from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy import integrate, special
from torch.nn import functional as F

from afbench import create


def test_relu(curve, grid):
    np.testing.assert_array_equal(curve("relu", grid), np.maximum(grid, 0))


@pytest.mark.parametrize("slope", [0.01, 0.2])
def test_leaky_relu(curve, grid, slope):
    expected = np.maximum(grid, 0) + slope * np.minimum(grid, 0)
    assert_allclose(curve(f"leaky_relu[slope={slope}]", grid), expected, rtol=1e-14)


@pytest.mark.parametrize("alpha", [1.0, 0.3])
def test_elu(curve, grid, alpha):
    expected = np.maximum(grid, 0) + alpha * np.expm1(np.minimum(grid, 0))
    assert_allclose(curve(f"elu[alpha={alpha}]", grid), expected, rtol=1e-13)


@pytest.mark.parametrize("alpha", [1.0, 0.3, 5.0])
def test_celu(curve, grid, alpha):
    expected = np.maximum(grid, 0) + alpha * np.expm1(np.minimum(grid, 0) / alpha)
    assert_allclose(curve(f"celu[alpha={alpha}]", grid), expected, rtol=1e-13)


def test_celu_is_elu_for_alpha_1_and_has_slope_1_at_zero_for_all(curve, slope, grid):
    assert_allclose(curve("celu", grid), curve("elu", grid), rtol=1e-14)
    for alpha in (0.3, 5.0):
        assert_allclose(slope(f"celu[alpha={alpha}]", [-1e-9, 0.0, 1e-9]), 1, rtol=1e-8)


def test_softplus_of_both_signs_differ_by_x(curve, slope, grid):
    """log(1 + exp(x)) - log(1 + exp(-x)) = x, and its slope is the sigmoid."""
    assert_allclose(curve("softplus", grid) - curve("softplus", -grid), grid, atol=1e-14)
    assert_allclose(slope("softplus[beta=3]", grid), special.expit(3 * grid), rtol=1e-12)


@pytest.mark.parametrize(
    ("spec", "function"),
    [
        ("relu", F.relu),
        ("leaky_relu", F.leaky_relu),
        ("elu", F.elu),
        ("celu[alpha=0.3]", lambda x: F.celu(x, 0.3)),
        ("selu", F.selu),
        ("softplus", F.softplus),
    ],
)
def test_torch_computes_the_same(spec, function):
    x = torch.linspace(-12, 12, 481)
    torch.testing.assert_close(create(spec)(x), function(x))


def test_defaults_are_the_published_ones():
    assert repr(create("leaky_relu")) == "LeakyReLU(slope=0.01)"
    assert repr(create("elu")) == "ELU(alpha=1.0)"
    assert repr(create("celu")) == "CELU(alpha=1.0)"
    assert repr(create("softplus")) == "Softplus(beta=1.0)"


def test_selu_keeps_mean_and_variance(curve):
    """Its two constants are those that make mean 0 and variance 1 a fixed point."""

    def moment(power):
        def integrand(x):
            return curve("selu", [x])[0] ** power * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)

        return sum(integrate.quad(integrand, *ends)[0] for ends in ((-12, 0), (0, 12)))

    assert_allclose([moment(1), moment(2)], [0, 1], atol=1e-7)
    assert_allclose(curve("selu", [1.0, -40.0]), [1.0507, -1.0507 * 1.67326], rtol=1e-4)


@pytest.mark.parametrize("beta", [1.0, 0.1, 50.0, 1e6])
def test_softplus(curve, grid, beta):
    expected = np.logaddexp(0, beta * grid) / beta
    assert_allclose(curve(f"softplus[beta={beta}]", grid), expected, rtol=1e-13, atol=1e-300)


def test_softplus_is_exact_where_it_becomes_linear(curve):
    x = np.linspace(15, 40, 2001)  # PyTorch's own threshold, 20, is off by 2e-9 here
    assert_allclose(curve("softplus", x), np.logaddexp(0, x), rtol=1e-15)


@pytest.mark.parametrize("spec", ["elu[alpha=0]", "elu[alpha=-1]", "celu[alpha=0]", "softplus[beta=0]"])
def test_settings_out_of_range(spec):
    with pytest.raises(ValueError, match="above 0"):
        create(spec)


def test_no_parameters():
    for name in ("relu", "leaky_relu", "elu", "celu", "selu", "softplus"):
        assert not list(create(name).parameters())


def test_relu_passes_no_gradient_at_zero():
    x = torch.zeros(1, requires_grad=True)
    create("relu")(x).backward()
    assert x.grad.item() == 0
