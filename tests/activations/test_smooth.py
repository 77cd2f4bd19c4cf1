from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy import special

from afbench import create
from afbench.activations.smooth import SmoothReLU, Squareplus
from afbench.registry.entries import ACTIVATIONS

# The steps as they are known; those that cancel on the left are evaluated where that does no harm.
STEPS = {
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": lambda z: (1 + np.tanh(z)) / 2,
    "erf": lambda z: (1 + special.erf(z)) / 2,
    "arctan": lambda z: 0.5 + np.arctan(z) / np.pi,
    "algebraic": lambda z: (1 + z / np.sqrt(1 + z**2)) / 2,
    "softsign": lambda z: (1 + z / (1 + np.abs(z))) / 2,
}
LEFT = {"logistic": 0.0, "tanh": 0.0, "erf": 0.0, "arctan": -1 / np.pi, "algebraic": 0.0, "softsign": -0.5}

steps = pytest.mark.parametrize("step", STEPS)


def test_these_are_all_steps():
    assert set(ACTIVATIONS.find("smooth_relu")[0].settings["step"].choices) == set(STEPS)


@steps
@pytest.mark.parametrize("k", [1.0, 0.3, 4.0])
def test_smooth_relu(curve, grid, step, k):
    expected = grid * STEPS[step](k * grid)
    assert_allclose(curve(f"smooth_relu[step={step},k={k}]", grid), expected, rtol=1e-12, atol=1e-14)


@steps
def test_slopes(slope, grid, step):
    """By central differences of the formula, also at 0, where the slope is the step's value, 1/2."""
    h = 1e-5
    low, high = ((grid + s * h) * STEPS[step](grid + s * h) for s in (-1, 1))
    assert_allclose(slope(SmoothReLU(step), grid), (high - low) / (2 * h), atol=1e-7)


@steps
@pytest.mark.parametrize("k", [1.0, 2.0])
def test_limits(curve, step, k):
    left, right = curve(SmoothReLU(step, k), [-1e9, 1e9])
    assert_allclose(left, LEFT[step] / k, rtol=1e-8, atol=1e-8)
    assert_allclose(right, 1e9, rtol=1e-8)


@steps
def test_large_k_is_relu(curve, grid, step):
    assert_allclose(curve(SmoothReLU(step, 1e8), grid), np.maximum(grid, 0), atol=1e-7)


@steps
def test_float32_keeps_its_digits_on_the_left(step):
    """Against float64; the known form of arctan is off by 9e-4 at -3e4."""
    x = -torch.logspace(0, 6, 61, dtype=torch.float64)
    module = SmoothReLU(step)
    assert_allclose(module(x.float()).double().numpy(), module(x.float().double()).numpy(), rtol=2e-5, atol=1e-30)


def test_steps_without_cancellation():
    """Where 1 + z / sqrt(1 + z^2) is below float64's rounding, by its series: 1 / (4 z^2)."""
    z = np.array([-1e8, -1e10])
    got = SmoothReLU("algebraic")(torch.from_numpy(z)).numpy()
    assert_allclose(got, 1 / (4 * z), rtol=1e-12)


def test_logistic_is_silu(curve, grid):
    assert_allclose(curve("smooth_relu", grid), curve("silu", grid), rtol=1e-13)


def test_tanh_is_logistic_with_twice_the_k(curve, grid):
    assert_allclose(curve(SmoothReLU("tanh", 0.8), grid), curve(SmoothReLU("logistic", 1.6), grid), rtol=1e-13)


def test_erf_is_gelu(curve, grid):
    assert_allclose(curve(SmoothReLU("erf", 0.5**0.5), grid), curve("gelu", grid), rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("b", [4.0, 0.1, 1e-6])
def test_squareplus(curve, grid, b):
    assert_allclose(curve(Squareplus(b), grid), (grid + np.sqrt(grid**2 + b)) / 2, rtol=1e-9, atol=1e-14)


def test_squareplus_starts_at_its_papers_b(curve):
    assert repr(create("squareplus")) == "Squareplus(b=4.0)"
    assert_allclose(curve("squareplus", [0.0, 1.5, -1.5]), [1, 2, 0.5])


@pytest.mark.parametrize("b", [4.0, 0.1])
def test_the_slope_of_squareplus_is_the_algebraic_step(slope, grid, b):
    assert_allclose(slope(Squareplus(b), grid), STEPS["algebraic"](grid / np.sqrt(b)), rtol=1e-8, atol=1e-14)


def test_squareplus_far_out():
    x = torch.tensor([-1e6, -3e38, 3e38], requires_grad=True)
    y = create("squareplus")(x)
    y.sum().backward()
    assert_allclose(y.detach().numpy(), [1e-6, 0, 3e38], rtol=1e-6, atol=1e-30)
    assert_allclose(x.grad.numpy(), [1e-12, 0, 1], rtol=1e-6, atol=1e-30)


@pytest.mark.parametrize("spec", ["squareplus[b=0]", "squareplus[b=-1]", "smooth_relu[k=0]"])
def test_settings_out_of_range(spec):
    with pytest.raises(ValueError, match="above 0"):
        create(spec)


def test_no_parameters():
    assert not [*create("squareplus").parameters(), *create("smooth_relu").parameters()]
