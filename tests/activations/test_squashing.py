from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose
from scipy import special


def test_tanh(curve, grid):
    assert_allclose(curve("tanh", grid), 1 - 2 / (np.exp(2 * grid) + 1), rtol=1e-12, atol=1e-15)


def test_sigmoid(curve, grid):
    assert_allclose(curve("sigmoid", grid), special.expit(grid), rtol=1e-13)
