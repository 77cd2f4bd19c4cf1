from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.polynomial import polynomial
from numpy.testing import assert_allclose

from afbench import create
from afbench.activations.rational import rational

# rational_activations, rationals_config.json: version A, degree 5:4, leaky ReLU with slope 0.01.
A = [0.029792778657, 0.618373526499, 2.323309062531, 3.051936237265, 1.485420326383, 0.251024496111]
B = [-1.141954835729, 4.393159974992, 0.871471230996, 0.347196623396]


def reference(x, a, b):
    return polynomial.polyval(x, a) / polynomial.polyval(np.abs(x), [1, *np.abs(b)])


def reference_slope(x, a, b):
    p, q = a, [1, *np.abs(b)]
    top, bottom = polynomial.polyval(x, p), polynomial.polyval(np.abs(x), q)
    dtop = polynomial.polyval(x, polynomial.polyder(p))
    dbottom = polynomial.polyval(np.abs(x), polynomial.polyder(q)) * np.sign(x)
    return (dtop * bottom - top * dbottom) / bottom**2


@pytest.fixture
def pau():
    """PAU in float64 with the coefficients as published, not rounded to float32."""
    module = create("pau").double()
    module.load_state_dict({"a": torch.tensor(A, dtype=torch.float64), "b": torch.tensor(B, dtype=torch.float64)})
    return module


LARGE = np.concatenate([s * np.logspace(0.0, 30.0, 61) for s in (1.0, -1.0)])


def test_published_start():
    module = create("pau")
    assert_allclose(module.a.detach().numpy(), A, rtol=1e-7)
    assert_allclose(module.b.detach().numpy(), B, rtol=1e-7)


@pytest.mark.parametrize("channels", [1, 3, 64])
def test_parameter_count(channels):
    assert sum(p.numel() for p in create("pau", channels).parameters()) == 10


def test_values(curve, pau, grid):
    assert_allclose(curve(pau, grid), reference(grid, A, B), rtol=1e-11, atol=1e-14)


def test_values_far_out(curve, pau):
    assert_allclose(curve(pau, LARGE), reference(LARGE, A, B), rtol=1e-12)


def test_slopes(slope, pau, grid):
    x = grid[grid != 0]
    assert_allclose(slope(pau, x), reference_slope(x, A, B), rtol=1e-9, atol=1e-12)


def test_slopes_far_out(slope, pau):
    assert_allclose(slope(pau, LARGE), reference_slope(LARGE, A, B), rtol=1e-11)


def test_slopes_by_coefficients(pau):
    x = np.array([-50.0, -3.0, -0.5, 0.2, 1.0, 4.0, 100.0])
    pau(torch.from_numpy(x)).sum().backward()
    bottom = polynomial.polyval(np.abs(x), [1, *np.abs(B)])
    assert_allclose(pau.a.grad.numpy(), [(x**i / bottom).sum() for i in range(6)], rtol=1e-10)
    expected = [(-reference(x, A, B) * np.sign(B[j]) * np.abs(x) ** (j + 1) / bottom).sum() for j in range(4)]
    assert_allclose(pau.b.grad.numpy(), expected, rtol=1e-10)


def test_fits_leaky_relu_within_the_published_error(curve):
    x = np.linspace(-3, 3, 601)
    error = np.abs(curve("pau", x) - np.where(x > 0, x, 0.01 * x))
    assert error.max() < 0.030
    assert error.argmax() == 300  # at 0, where the value is a_0


def test_drifts_from_leaky_relu_outside(curve):
    assert_allclose(curve("pau", [10.0, 20.0, -10.0, -20.0]), [9.02, 16.6, -2.73, -9.2], atol=0.05)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_no_power_overflows(dtype):
    """x^5 of 1e30 is far beyond float32; the ratio is about 0.72 x."""
    module = create("pau")
    x = torch.tensor([1e10, -1e10, 1e30, -1e30], dtype=dtype, requires_grad=True)
    y = module(x)
    y.sum().backward()
    assert_allclose((y / x).detach().float().numpy(), A[5] / B[3], rtol=1e-2)
    assert_allclose(x.grad.float().numpy(), A[5] / B[3], rtol=1e-2)
    assert module.a.grad.isfinite().all() and module.b.grad.isfinite().all()


def test_float32_is_accurate_on_both_sides_of_one():
    x = np.float32([-1.0000001, -1.0, -0.99999994, 0.99999994, 1.0, 1.0000001, 7.0, 1e4])
    got = create("pau")(torch.from_numpy(x)).detach().numpy()
    assert_allclose(got, reference(x.astype(float), A, B), rtol=1e-5)


@pytest.mark.parametrize(("n", "m"), [(5, 4), (4, 4), (3, 2), (5, 3), (2, 0)])
def test_rational_of_any_degree(n, m):
    rng = np.random.default_rng(n + m)
    a, b, x = rng.normal(size=n + 1), rng.normal(size=m), np.linspace(-6, 6, 121)
    got = rational(*(torch.from_numpy(v) for v in (x, a, b))).numpy()
    assert_allclose(got, reference(x, a, b), rtol=1e-9, atol=1e-11)
