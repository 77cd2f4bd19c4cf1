from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from numpy.polynomial import chebyshev, hermite, hermite_e, laguerre, legendre, polynomial
from numpy.testing import assert_allclose
from scipy import special

from afbench.kernels.orthogonal import Basis, homogeneous_values, in_powers

IN_POWERS = {
    "chebyshev1": chebyshev.cheb2poly,
    "legendre": legendre.leg2poly,
    "laguerre": laguerre.lag2poly,
    "hermite_prob": hermite_e.herme2poly,
    "hermite_phys": hermite.herm2poly,
}


def powers(basis, i):
    """Coefficients of f_i in powers of x, by NumPy; of U_i from its zeros, cos(k pi / (i + 1)), and U_i(1) = i + 1."""
    if basis in IN_POWERS:
        return IN_POWERS[basis](np.eye(i + 1)[i])
    zeros = np.cos(np.arange(1, i + 1) * np.pi / (i + 1))
    monic = polynomial.polyfromroots(zeros) if i else np.ones(1)
    return monic * (i + 1) / polynomial.polyval(1.0, monic)


@pytest.mark.parametrize("basis", get_args(Basis))
def test_in_powers(basis):
    for i, row in enumerate(in_powers(basis, 9)):
        assert_allclose([float(c) for c in row[: i + 1]], powers(basis, i), rtol=1e-12, atol=1e-11)
        assert not any(row[i + 1 :])


@pytest.mark.parametrize("basis", get_args(Basis))
def test_homogeneous_values(basis):
    rng = np.random.default_rng(0)
    u, v = rng.uniform(-1, 1, 40), rng.uniform(0.1, 1, 40)
    for i, got in enumerate(homogeneous_values(basis, torch.from_numpy(u), torch.from_numpy(v), 7), start=1):
        wanted = polynomial.polyval(u / v, powers(basis, i)) * v**i
        if basis == "chebyshev2":
            assert_allclose(special.eval_chebyu(i, u / v) * v**i, wanted, rtol=1e-9, atol=1e-12)
        assert_allclose(got.numpy(), wanted, rtol=1e-9, atol=1e-11)
