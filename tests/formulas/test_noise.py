"""What is drawn in training: Noisy ReLU's noise, and PAU version D's factors."""

from __future__ import annotations

import numpy as np
import torch
from numpy.polynomial.polynomial import polyval
from scipy.special import expit
from scipy.stats import kstest, norm

DRAWS = 40_000
X = np.array([-0.7, -0.3, 0.0, 0.7, 2.0])


def noisy(case, x, seed=0):
    module = case("noisy_relu").module.train()
    torch.manual_seed(seed)
    return module(torch.as_tensor(x)).detach().numpy()


def test_noisy_relu_has_the_moments_of_a_rectified_normal(case):
    y = noisy(case, np.repeat(X[None], DRAWS, 0))
    size = np.sqrt(expit(X))
    mean = X * norm.cdf(X / size) + size * norm.pdf(X / size)
    square = (X**2 + size**2) * norm.cdf(X / size) + X * size * norm.pdf(X / size)
    variance = square - mean**2
    assert (y >= 0).all()
    np.testing.assert_array_less(abs(y.mean(0) - mean), 5 * np.sqrt(variance / DRAWS))
    np.testing.assert_allclose(y.var(0), variance, rtol=0.1)


def test_noisy_relu_draws_normals_of_variance_sigmoid_each_for_itself(case):
    for x in (6.0, 30.0):  # so far right that none is cut off
        n = (noisy(case, np.full(DRAWS, x)) - x) / np.sqrt(expit(x))
        assert kstest(n, "norm").pvalue > 1e-3
        assert abs(np.corrcoef(n[1:], n[:-1])[0, 1]) < 5 / np.sqrt(DRAWS)


def test_noisy_relu_repeats_with_the_seed(case):
    x = np.linspace(-2, 2, 50)
    assert (noisy(case, x, 3) == noisy(case, x, 3)).all()
    assert (noisy(case, x, 3) != noisy(case, x, 4)).any()


def test_noisy_relu_differentiates_through_the_variance(case):
    x = torch.linspace(-2, 2, 101, dtype=torch.float64, requires_grad=True)
    torch.manual_seed(0)
    y = case("noisy_relu").module.train()(x)
    y.sum().backward()
    at, out = x.detach().numpy(), y.detach().numpy()
    # n = z sqrt(sigmoid(x)), so dn/dx = n (1 - sigmoid(x)) / 2.
    np.testing.assert_allclose(x.grad, np.where(out > 0, 1 + (out - at) * (1 - expit(at)) / 2, 0), rtol=1e-12)


def test_pau_d_multiplies_each_coefficient_in_training(case):
    built = case("pau[version=d]")
    p = built.state
    x = np.linspace(-2.5, 2.5, 40)
    terms = p["a"] * x[:, None] ** np.arange(6)
    below = 1 + abs(polyval(x, np.append(0, p["b"])))
    torch.manual_seed(0)
    factors = []
    for _ in range(400):
        above = built.module(torch.from_numpy(x)).detach().numpy() * below
        assert (abs(above - terms.sum(1)) <= 0.1 * abs(terms).sum(1) + 1e-12).all()
        found, residual, *_ = np.linalg.lstsq(terms, above, rcond=None)
        assert residual.max() < 1e-20, "one factor for each a_i, whatever x"
        factors.append(found)
    factors = np.array(factors)
    assert factors.min() > 0.9 - 1e-9 and factors.max() < 1.1 + 1e-9
    assert kstest(factors.ravel(), "uniform", (0.9, 0.2)).pvalue > 1e-3
    assert abs(np.corrcoef(factors.T) - np.eye(6)).max() < 5 / np.sqrt(400)


def test_pau_d_is_b_in_evaluation(case):
    x = torch.linspace(-5, 5, 41, dtype=torch.float64)
    b, d = case("pau[version=b]").module.eval(), case("pau[version=d]").module.eval()
    d.load_state_dict(b.state_dict())
    assert (d(x) == b(x)).all()
