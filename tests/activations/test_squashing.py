from __future__ import annotations

import numpy as np
import torch
from numpy.testing import assert_allclose
from scipy import special
from torch.nn import functional as F

from afbench import create


def test_tanh(curve, grid):
    assert_allclose(curve("tanh", grid), 1 - 2 / (np.exp(2 * grid) + 1), rtol=1e-12, atol=1e-15)


def test_sigmoid(curve, grid):
    assert_allclose(curve("sigmoid", grid), special.expit(grid), rtol=1e-13)


def test_softsign(curve, grid):
    expected = np.where(grid > 0, 1 - 1 / (1 + np.abs(grid)), 1 / (1 + np.abs(grid)) - 1)
    assert_allclose(curve("softsign", grid), expected, rtol=1e-13, atol=1e-15)


def test_slope_of_softsign(slope, grid):
    assert_allclose(slope("softsign", grid), (1 + np.abs(grid)) ** -2.0, rtol=1e-13)


def test_torch_computes_the_same():
    x = torch.linspace(-12, 12, 481)
    torch.testing.assert_close(create("softsign")(x), F.softsign(x))
    torch.testing.assert_close(create("tanh")(x), torch.nn.Tanh()(x))
    torch.testing.assert_close(create("sigmoid")(x), torch.nn.Sigmoid()(x))
