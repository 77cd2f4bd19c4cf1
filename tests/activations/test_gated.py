from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose
from scipy import optimize, special


def test_gelu(curve, grid):
    assert_allclose(curve("gelu", grid), grid * (1 + special.erf(grid / np.sqrt(2))) / 2, rtol=1e-13, atol=1e-15)


def test_gelu_is_not_its_tanh_approximation(curve, grid):
    approximation = grid / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (grid + 0.044715 * grid**3)))
    assert np.abs(curve("gelu", grid) - approximation).max() > 1e-4


def test_silu(curve, grid):
    assert_allclose(curve("silu", grid), grid * special.expit(grid), rtol=1e-13)


def test_mish(curve, grid):
    assert_allclose(curve("mish", grid), grid * np.tanh(np.logaddexp(0, grid)), rtol=1e-12)


def test_mish_minimum(curve):
    least = optimize.minimize_scalar(lambda x: curve("mish", [x])[0], bounds=(-3, 0), method="bounded")
    assert_allclose(least.fun, -0.30884, atol=1e-5)
