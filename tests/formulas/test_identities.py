"""Entries that are each other: what papers say coincides, module against module, and ACON's limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import cumulative_simpson, simpson
from scipy.stats import norm

from afbench import create

X = torch.arange(-480, 481, dtype=torch.float64) / 80
BELOW, WITHIN = X < 0, (X >= -0.5) & (X <= 2)

SAME = [
    ("acon_a[per=layer]", {"beta": 1.7}, "swish", {"beta": 1.7}),
    ("acon_c[per=layer]", {"p1": 1, "p2": 0, "beta": 0.6}, "swish", {"beta": 0.6}),
    ("acon_b[per=layer]", {"p": 0.3, "beta": 2}, "acon_c[per=layer]", {"p1": 1, "p2": 0.3, "beta": 2}),
    ("acon_c[per=layer]", {"p1": 0.4, "p2": -1, "beta": 2}, "acon_c[per=layer]", {"p1": -1, "p2": 0.4, "beta": 2}),
    ("ditac[init=identity]", {}, "gelu", {}),
    ("ditac", {"theta": 0}, "gelu", {}),
    ("ditac[zero_boundary=false]", {"theta": 0}, "gelu", {}),
    ("inf_ditac", {"theta": 0}, "identity", {}),
    ("swish", {}, "silu", {}),
    ("swish", {"beta": 1.702}, "gelu_sigmoid", {}),
    (f"smooth_relu[step=erf,k={math.sqrt(0.5)!r}]", {}, "gelu", {}),
    ("smooth_relu", {}, "silu", {}),
    ("smooth_relu[step=tanh,k=0.7]", {}, "smooth_relu[step=logistic,k=1.4]", {}),
    ("smooth_relu[k=1.702]", {}, "gelu_sigmoid", {}),
    ("prelu", {"a": 0.01}, "leaky_relu", {}),
    ("leaky_relu[slope=0]", {}, "relu", {}),
    ("prelu", {"a": 1}, "identity", {}),
    ("pelu", {}, "elu", {}),
    ("pelu", {"a": 0.7, "b": 0.7}, "celu[alpha=0.7]", {}),
    ("pelu", {"a": 0.02, "b": -3}, "celu[alpha=0.1]", {}),
    ("celu", {}, "elu", {}),
    ("pau", {"a": [0, 1, 0, 0, 0, 0], "b": 0}, "identity", {}),
    ("opau[basis=hermite_prob]", {"c": [0, 1, 0, 0, 0, 0], "d": 0}, "identity", {}),
    ("swiglu", {"V": [[1]], "c": 0, "W": [[0]], "b": 1}, "silu", {}),
    ("geglu", {"V": [[1]], "c": 0, "W": [[0]], "b": 1}, "gelu", {}),
    ("glu", {"V": [[1]], "c": 0, "W": [[1]], "b": 0}, "silu", {}),
    ("glu", {"V": [[1]], "c": 0, "W": [[0]], "b": 1}, "sigmoid", {}),
    ("maxout", {"W": [[[1]], [[0]]], "b": 0}, "relu", {}),
    ("maxout", {"W": [[[1]], [[0.25]]], "b": 0}, "prelu", {}),
    ("meta_acon[per=pixel]", {"p1": 1, "p2": 0}, "meta_acon[per=pixel]", {"p1": 0, "p2": 1}),
    ("meta_acon[norm=none]", {"fc2.weight": 0, "fc2.bias": 0, "p1": 1, "p2": 0}, "swish", {"beta": 0.5}),
    ("noisy_relu", {}, "relu", {}),
]


def built(spec, values):
    """Build a spec in evaluation with parameters set, of one channel."""
    module = create(spec, channels=1).double().eval()
    parameters = dict(module.named_parameters())
    with torch.no_grad():
        for name, value in values.items():
            parameters[name].copy_(torch.tensor(value, dtype=torch.float64).expand_as(parameters[name]))
    return module


def at(spec, values=(), x=X):
    return built(spec, dict(values))(x[:, None])[:, 0].detach()


@pytest.mark.parametrize(("one", "ours", "other", "theirs"), SAME)
def test_same(one, ours, other, theirs):
    np.testing.assert_allclose(at(one, ours), at(other, theirs), rtol=1e-12, atol=1e-13)


def test_swish_of_beta_zero_is_half_of_x():
    np.testing.assert_array_equal(at("swish", {"beta": 0}), X / 2)


def test_ditacs_of_theta_zero():
    start = {"theta": 0}
    np.testing.assert_allclose(at("ge_ditac", start), torch.where(BELOW, at("gelu"), X), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(at("leaky_ditac", start), torch.where(WITHIN, X, at("leaky_relu")), atol=1e-13)


def test_selu_is_a_scaled_elu_and_keeps_mean_and_variance():
    scaled = 1.0507009873554805 * at("elu[alpha=1.6732632423543772]")
    np.testing.assert_allclose(at("selu"), scaled, rtol=1e-14)
    x = torch.linspace(-12, 12, 200_001, dtype=torch.float64)
    y, density = at("selu", x=x).numpy(), norm.pdf(x.numpy())
    np.testing.assert_allclose([simpson(y * density, x=x), simpson(y**2 * density, x=x)], [0, 1], atol=1e-9)


def test_opau_is_its_basis_where_nothing_is_below_the_line():
    c = [0.3, -1, 0.5, 0.2, -0.1, 0.05]
    wanted = np.polynomial.chebyshev.chebval(X.numpy(), c)
    np.testing.assert_allclose(at("opau", {"c": c, "d": 0}), wanted, rtol=1e-11, atol=1e-12)


def test_softplus_is_the_integral_of_the_logistic_step():
    grown = cumulative_simpson(at("sigmoid").numpy(), x=X.numpy(), initial=0)
    np.testing.assert_allclose(at("softplus").numpy(), grown + at("softplus").numpy()[0], atol=1e-9)


@pytest.mark.parametrize(
    ("one", "other", "most"),
    [
        ("gelu_sigmoid", "gelu", 0.0204),
        ("gelu_tanh", "gelu", 4.8e-4),
        ("squareplus[b=0.1]", "relu", math.sqrt(0.1) / 2),
    ],
)
def test_near(one, other, most):
    assert 0.9 * most < (at(one) - at(other)).abs().max() <= most


def test_mish_has_its_minimum():
    lowest = at("mish", x=torch.linspace(-2, 0, 20_001, dtype=torch.float64)).min().item()
    assert lowest == pytest.approx(-0.30884, abs=5e-6)


ACONS = [
    ("acon_a[per=layer]", {}, 1, 0),
    ("acon_b[per=layer]", {"p": 0.25}, 1, 0.25),
    ("acon_b[per=layer]", {"p": 1.5}, 1, 1.5),
    ("acon_c[per=layer]", {"p1": 1.2, "p2": -0.8}, 1.2, -0.8),
    ("acon_c", {"p1": -0.3, "p2": 0.9}, -0.3, 0.9),
]


@pytest.mark.parametrize(("spec", "values", "p1", "p2"), ACONS)
def test_acon_tends_to_max_mean_and_min(spec, values, p1, p2):
    lines = torch.stack([p1 * X, p2 * X])
    limits = {1e6: lines.amax(0), 0.0: lines.mean(0), -1e6: lines.amin(0)}
    for beta, wanted in limits.items():
        np.testing.assert_allclose(at(spec, values | {"beta": beta}), wanted, atol=1e-6)


@pytest.mark.parametrize(("spec", "values", "p1", "p2"), ACONS)
@pytest.mark.parametrize("beta", [0.5, 3.0])
def test_acon_slopes_have_their_limits_and_extrema(beta, spec, values, p1, p2):
    x = torch.linspace(-200, 200, 400_001, dtype=torch.float64, requires_grad=True)
    built(spec, values | {"beta": beta})(x[:, None]).sum().backward()
    high, low = max(p1, p2), min(p1, p2)
    assert (x.grad[-1].item(), x.grad[0].item()) == pytest.approx((high, low), abs=1e-6)
    assert x.grad.max().item() == pytest.approx(1.0998 * high - 0.0998 * low, abs=1e-4 * (high - low))
    assert x.grad.min().item() == pytest.approx(1.0998 * low - 0.0998 * high, abs=1e-4 * (high - low))
