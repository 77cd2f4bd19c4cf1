from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy import optimize, special
from torch.nn import functional as F

from afbench import create


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


def test_gelu_tanh(curve, grid):
    expected = grid / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (grid + 0.044715 * grid**3)))
    assert_allclose(curve("gelu_tanh", grid), expected, rtol=1e-12, atol=1e-14)


def test_gelu_sigmoid(curve, grid):
    assert_allclose(curve("gelu_sigmoid", grid), grid / (1 + np.exp(-1.702 * grid)), rtol=1e-13)


@pytest.mark.parametrize(("name", "error"), [("gelu_tanh", 4.732e-4), ("gelu_sigmoid", 0.020335)])
def test_distance_from_gelu(curve, name, error):
    """The largest error of the approximation, found with SciPy on a fine grid: what the docstrings round up."""
    x = np.linspace(-8, 8, 64001)
    assert_allclose(np.abs(curve(name, x) - x * special.ndtr(x)).max(), error, rtol=1e-3)


def test_hard_swish(curve, grid):
    assert_allclose(curve("hard_swish", grid), grid * np.clip(grid + 3, 0, 6) / 6, rtol=1e-14)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("gelu", F.gelu),
        ("gelu_tanh", lambda x: F.gelu(x, approximate="tanh")),
        ("silu", F.silu),
        ("hard_swish", F.hardswish),
        ("mish", F.mish),
    ],
)
def test_torch_computes_the_same(name, function):
    x = torch.linspace(-12, 12, 481)
    torch.testing.assert_close(create(name)(x), function(x))
