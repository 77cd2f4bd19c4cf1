"""CPAB beside its definition: the flow against an ODE solver, the basis, the penalty, the start, quantisation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.special import ndtr
from scipy.stats import kstest, norm

from afbench import penalty

FAMILY = ("ditac", "ge_ditac", "leaky_ditac", "inf_ditac")
SETTINGS = ("", "[zero_boundary=false]", "[cells=3,zero_boundary=false]", "[cells=7,b=3]")
THETA = ("ditac", "inf_ditac[lambda_smooth=2,lambda_var=1]", "leaky_ditac[cells=4,zero_boundary=false]")


def velocity(u, velocities):
    """Interpolate v at u; beyond [0, 1] the first and last pieces go on."""
    knots = np.linspace(0, 1, len(velocities))
    outside = np.minimum(u, 0) * (velocities[1] - velocities[0]) + np.maximum(u - 1, 0) * np.diff(velocities)[-1]
    return np.interp(u, knots, velocities) + outside * (len(velocities) - 1)


@pytest.mark.parametrize("settings", SETTINGS)
def test_flow_solves_the_equation(settings, case):
    built = case(f"inf_ditac{settings}", channels=1, seed=2)
    a, b = built.settings["a"], built.settings["b"]
    u = np.linspace(-0.6, 1.6, 9) + 0.013
    velocities = built.state["vertices"] @ built.state["theta"]
    solver = {"method": "DOP853", "rtol": 1e-11, "atol": 1e-12, "max_step": 0.02}
    solved = solve_ivp(lambda t, y: velocity(y, velocities), (0, 1), u, **solver).y[:, -1]
    got = built.module(torch.from_numpy(a + (b - a) * u)).detach().numpy()
    np.testing.assert_allclose(got, a + (b - a) * solved, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("settings", ["", "[zero_boundary=false]", "[cells=2]"])
def test_basis_spans_the_continuous_velocities(name, settings, case, oracles):
    built = case(name + settings)
    vertices = built.state["vertices"]
    B = oracles["diffeomorphism"].basis(vertices)
    np.testing.assert_allclose(B.T @ B, np.eye(B.shape[1]), atol=1e-13)
    if built.settings["zero_boundary"]:
        np.testing.assert_allclose(vertices[[0, -1]], 0, atol=1e-14)


@pytest.mark.parametrize("spec", THETA)
def test_penalty(spec, case, oracles):
    built = case(spec)
    state, settings = built.state, built.settings
    P = oracles["diffeomorphism"].precision(state["vertices"], settings)
    got = penalty(built.module)
    got.backward()
    np.testing.assert_allclose(got.item(), 0.01 * state["theta"] @ P @ state["theta"], rtol=1e-6)
    np.testing.assert_allclose(built.module.theta.grad.numpy(), 0.02 * P @ state["theta"], rtol=1e-6, atol=1e-9)


def test_published_gradient_stands_in_for_the_penalty(case):
    assert penalty(case("ditac[published_gradient=true]").module).item() == 0


def starts(spec, case, number):
    for seed in range(number):
        yield case(spec, channels=1, seed=seed, moved=False)


@pytest.mark.parametrize("spec", ["ditac", "ditac[zero_boundary=false]", "ge_ditac[init_smooth=0.3,init_var=0.5]"])
def test_start_is_drawn_from_the_prior(spec, case, oracles):
    drawn = list(starts(spec, case, 300))
    covariance = oracles["diffeomorphism"].covariance(drawn[0].state["vertices"], drawn[0].settings)
    sizes, directions = np.linalg.eigh(covariance)
    clear = sizes > 1e-6 * sizes.max()
    theta = np.array([built.state["theta"] for built in drawn])
    whitened = (theta @ directions)[:, clear] / np.sqrt(sizes[clear])
    assert clear.sum() > 5 and kstest(whitened.ravel(), "norm").pvalue > 1e-3
    # Each variance is that of 300 normals: 1 +- 5 standard errors of sqrt(2 / 300).
    np.testing.assert_allclose(whitened.var(0), 1, atol=5 * np.sqrt(2 / 300))


@pytest.mark.parametrize(
    ("settings", "moved", "steepest"),
    [("", (0.53, 1.47), (2.1, 12.2)), ("[a=-3,b=3,init_smooth=3]", (1.28, 3.54), None)],
)
def test_start_is_as_far_from_the_identity_as_the_published_code(settings, moved, steepest, case):
    apart, slopes = [], []
    for built in starts(f"inf_ditac{settings}", case, 400):
        x = np.linspace(built.settings["a"], built.settings["b"], 500)
        y = built.module(torch.from_numpy(x)).detach().numpy()
        apart.append(abs(y - x).max())
        slopes.append((np.diff(y) / np.diff(x)).max())
    np.testing.assert_allclose(np.percentile(apart, [50, 95]), moved, rtol=0.15)
    if steepest:
        np.testing.assert_allclose(np.percentile(slopes, [50, 95]), steepest, rtol=0.25)


@pytest.mark.parametrize("name", FAMILY)
def test_nearest_takes_value_and_slope_of_the_nearest(name, case, oracles):
    built = case(f"{name}[bins=64,method=nearest]", channels=1)
    a, b = oracles["diffeomorphism"].interval(built.settings)
    width = (b - a) / 64
    k = np.array([0, 1, 9, 17, 30, 42, 50, 63, 64])
    off = np.array([0.3, -0.4, 0.2, -0.1, 0.45, -0.25, 0.05, 0.4, -0.2])
    x, q = a + (k + off) * width, a + k * width
    near = [oracles["diffeomorphism"].warp(q + move, built.state, built.settings) for move in (-1e-6, 0, 1e-6)]
    warped, steep = near[1], (near[2] - near[0]) / 2e-6
    x32 = torch.from_numpy(x).float().requires_grad_()
    y = built.module.float()(x32)
    gate, gate_slope = (ndtr(x), norm.pdf(x)) if name == "ditac" else (1, 0)
    np.testing.assert_allclose(y.detach().numpy(), warped * gate, rtol=1e-5, atol=1e-6)
    y.sum().backward()
    np.testing.assert_allclose(x32.grad.numpy(), steep * gate + warped * gate_slope, rtol=1e-4, atol=1e-5)
