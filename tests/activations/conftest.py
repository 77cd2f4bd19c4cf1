"""What the tests of the activations share: a float64 grid, and values and slopes on it as NumPy arrays."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from afbench import create


@pytest.fixture
def grid():
    """481 points on [-12, 12], 0 among them."""
    return np.linspace(-12.0, 12.0, 481)


@pytest.fixture
def curve():
    """``curve(spec or module, x)``: its values at ``x`` in float64."""

    def curve(activation, x):
        module = create(activation) if isinstance(activation, str) else activation
        with torch.no_grad():
            return module.double()(torch.from_numpy(np.asarray(x, dtype=float))).numpy()

    return curve


@pytest.fixture
def slope():
    """``slope(spec or module, x)``: its derivative at ``x`` in float64."""

    def slope(activation, x):
        module = create(activation) if isinstance(activation, str) else activation
        leaf = torch.from_numpy(np.asarray(x, dtype=float)).requires_grad_()
        (gradient,) = torch.autograd.grad(module.double()(leaf).sum(), leaf)
        return gradient.numpy()

    return slope
