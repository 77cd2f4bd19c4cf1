from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.polynomial import polynomial
from numpy.testing import assert_allclose

from afbench.kernels.rational import degrees, homogeneous, rational


@pytest.mark.parametrize(("n", "m"), [(5, 4), (4, 4), (3, 2), (5, 3), (20, 18)])
def test_rational_of_any_degree(n, m):
    rng = np.random.default_rng(n + m)
    a, b, x = rng.normal(size=n + 1), rng.normal(size=m), np.linspace(-6, 6, 121)
    expected = polynomial.polyval(x, a) / polynomial.polyval(np.abs(x), [1, *np.abs(b)])
    got = rational(torch.from_numpy(x), torch.from_numpy(a), torch.from_numpy(b), "", "a", 0).numpy()
    assert_allclose(got, expected, rtol=1e-9, atol=1e-11)


def test_homogeneous_is_the_polynomial_of_the_ratio():
    rng = np.random.default_rng(0)
    u, v, c = rng.normal(size=9), rng.uniform(0.5, 2, size=9), rng.normal(size=5)
    got = homogeneous(*(torch.from_numpy(values) for values in (u, v, c))).numpy()
    assert_allclose(got, polynomial.polyval(u / v, c) * v**4, rtol=1e-12)


@pytest.mark.parametrize("text", ["", "5", "5:", ":4", "5:0", "0:0", "4:5", "5:4:3", "5.0:4", "-5:4", "5 : 4", "٥:٤"])
def test_what_is_no_degree(text):
    with pytest.raises(ValueError, match="degree must be n:m"):
        degrees(text)


def test_degrees():
    assert degrees("12:10") == (12, 10)
    assert degrees("2:2") == (2, 2)
