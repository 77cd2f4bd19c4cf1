"""The CPAB flow against an integrated differential equation."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from afbench.kernels import flow as kernel
from afbench.kernels.field import basis, vertex_basis

CELLS = (2, 3, 10, 40)
BOUNDARIES = (True, False)
COLUMNS = pytest.mark.parametrize(
    ("cells", "zero_boundary"), [(c, z) for c in CELLS for z in BOUNDARIES], ids=lambda v: str(v)
)


def draw(cells, zero_boundary, scale, seed=0):
    rng = np.random.default_rng([seed, cells, zero_boundary])
    return scale * rng.standard_normal(cells - 1 if zero_boundary else cells + 1)


def field(x, cells, zero_boundary, a, b):
    """dv/dtheta and the slope's B_alpha at x, from the definition: v = (b - a) (alpha_i u + beta_i)."""
    B = basis(cells, zero_boundary)
    u = (x - a) / (b - a)
    i = np.clip(np.floor(u * cells).astype(int), 0, cells - 1)
    return (b - a) * (B[2 * i] * u[:, None] + B[2 * i + 1]), B[2 * i]


def integrate(x, theta, cells, zero_boundary, a, b):
    """T, dT/dx and dT/dtheta at x: the flow and its variational equations, integrated."""
    n, d = len(x), len(theta)

    def rate(_, state):
        phi, sensitivity = state[:n], state[n:].reshape(n, 1 + d)
        columns, slopes = field(phi, cells, zero_boundary, a, b)
        change = (slopes @ theta)[:, None] * sensitivity
        change[:, 1:] += columns
        return np.concatenate([columns @ theta, change.ravel()])

    start = np.concatenate([x, np.tile(np.eye(1, 1 + d).ravel(), n)])
    state = solve_ivp(rate, (0.0, 1.0), start, method="DOP853", rtol=1e-9, atol=1e-11).y[:, -1]
    sensitivity = state[n:].reshape(n, 1 + d)
    return state[:n], sensitivity[:, 0], sensitivity[:, 1:]


def step_through_cells(y, W):
    """The published algorithm, cell by cell: an exponential within a cell, a logarithm to its edge."""
    last, left = len(W) - 2, 1.0
    c = int(np.clip(np.floor(y), 0, last))
    while True:
        alpha, v = W[c + 1] - W[c], W[c] + (W[c + 1] - W[c]) * (y - c)
        if v == 0:
            return y
        edge = c + 1 if v > 0 else c
        time = np.inf
        if 0 < edge <= last and W[edge] * v > 0:
            time = np.log(W[edge] / v) / alpha if abs(alpha) > 1e-12 else (edge - y) / v
        if time >= left:
            return y + v * (np.expm1(alpha * left) / alpha if abs(alpha) > 1e-12 else left)
        left, y, c = left - time, edge, c + (1 if v > 0 else -1)


def tensors(theta, cells, zero_boundary, dtype=torch.float64):
    vertices = torch.tensor(vertex_basis(cells, zero_boundary), dtype=dtype)
    return torch.tensor(theta, dtype=dtype, requires_grad=True), vertices


@COLUMNS
@pytest.mark.parametrize("scale", [1e-8, 0.3, 2.0, pytest.param(10.0, marks=pytest.mark.slow)])
def test_flow_and_derivatives_solve_the_equation(cells, zero_boundary, scale):
    rng = np.random.default_rng([7, cells])
    a = rng.uniform(-4, 1)
    b = a + rng.uniform(0.5, 6)
    theta = draw(cells, zero_boundary, scale)
    x = rng.uniform(a - 0.1 * (b - a), b + 0.1 * (b - a), 4)
    T, slope, jacobian = integrate(x, theta, cells, zero_boundary, a, b)

    parameter, vertices = tensors(theta, cells, zero_boundary)
    leaf = torch.tensor(x, requires_grad=True)
    got, got_slope = kernel.flow_and_slope(leaf, parameter, vertices, a, b)
    rows = [torch.autograd.grad(y, (leaf, parameter), retain_graph=True) for y in got]
    np.testing.assert_allclose(got.detach(), T, rtol=1e-6, atol=1e-6 * (b - a))
    np.testing.assert_allclose(got_slope.detach(), slope, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose([r[0][i] for i, r in enumerate(rows)], slope, rtol=1e-5, atol=1e-6)
    wanted = pytest.approx(jacobian, rel=1e-5, abs=1e-6 * abs(jacobian).max())
    assert torch.stack([r[1] for r in rows]).numpy() == wanted


@COLUMNS
@pytest.mark.parametrize("scale", [1e-8, 0.1, 1.0, 4.0, pytest.param(10.0, marks=pytest.mark.slow)])
def test_flow_steps_through_cells(cells, zero_boundary, scale):
    theta = draw(cells, zero_boundary, scale, seed=1)
    y = np.random.default_rng(2).uniform(-1, cells + 1, 200)
    y[:3] = 0, 1, cells
    W = cells * vertex_basis(cells, zero_boundary) @ theta
    wanted = [step_through_cells(start, W) for start in y]
    parameter, vertices = tensors(theta, cells, zero_boundary)
    got = kernel.flow(torch.tensor(y), parameter, vertices, 0.0, float(cells))
    np.testing.assert_allclose(got.detach(), wanted, rtol=1e-10, atol=1e-10)


@COLUMNS
@pytest.mark.parametrize("scale", [1e-8, 0.3, 3.0])
def test_derivatives_along_the_flow_are_velocities(cells, zero_boundary, scale):
    """phi(x; t) solves d phi/dt = v(phi); t scales theta, and moving x by v(x) is letting time pass."""
    theta, vertices = tensors(draw(cells, zero_boundary, scale, seed=8), cells, zero_boundary)
    x = torch.linspace(-1.0, 3.0, 203, dtype=torch.float64, requires_grad=True)
    T = kernel.flow(x, theta, vertices, -1.0, 3.0)
    dx, dtheta = torch.autograd.grad(T, (x, theta), torch.cos(7 * x))
    before, after = (kernel.velocity(place, theta, vertices, -1.0, 3.0) for place in (x, T))
    terms = torch.cos(7 * x) * after
    torch.testing.assert_close(dx * before, terms, rtol=1e-8, atol=1e-10 * scale)
    assert (dtheta @ theta - terms.sum()).abs() < 1e-12 * terms.abs().sum() + 1e-15  # roundings of x


@COLUMNS
def test_velocity_is_that_of_the_coefficients(cells, zero_boundary):
    theta = draw(cells, zero_boundary, 1.0)
    x = np.linspace(-2.0, 5.0, 57)
    parameter, vertices = tensors(theta, cells, zero_boundary)
    got = kernel.velocity(torch.tensor(x).view(3, 19), parameter, vertices, -1.0, 3.0)
    wanted = field(x, cells, zero_boundary, -1.0, 3.0)[0] @ theta
    np.testing.assert_allclose(got.detach().view(-1), wanted, atol=1e-12)


@COLUMNS
def test_derivatives_at_theta_zero(cells, zero_boundary):
    """There T = x, dT/dtheta is the basis, and d2T/dxdtheta its slopes."""
    x = np.linspace(-0.9, 2.9, 41)
    columns, slopes = field(x, cells, zero_boundary, -1.0, 3.0)
    parameter, vertices = tensors(np.zeros(columns.shape[1]), cells, zero_boundary)
    leaf = torch.tensor(x, requires_grad=True)
    for i in range(0, 41, 8):
        T = kernel.flow(leaf, parameter, vertices, -1.0, 3.0)
        assert torch.equal(T, leaf)
        dx, dtheta = torch.autograd.grad(T[i], (leaf, parameter), create_graph=True)
        (mixed,) = torch.autograd.grad(dx[i], parameter)
        assert dx[i] == 1
        np.testing.assert_allclose(dtheta.detach(), columns[i], atol=1e-12)
        np.testing.assert_allclose(mixed, slopes[i], atol=1e-12)


def test_fixed_points_stay_and_have_the_slope_of_their_cell():
    theta = draw(10, True, 3.0, seed=3)
    W = 10 * vertex_basis(10, True) @ theta
    c = np.flatnonzero(W[:-1] * W[1:] < 0)
    y = np.concatenate([[0.0, 10.0], c - W[c] / (W[c + 1] - W[c])])
    alpha = np.concatenate([[W[1], -W[9]], W[c + 1] - W[c]])
    parameter, vertices = tensors(theta, 10, True)
    leaf = torch.tensor(y, requires_grad=True)
    T = kernel.flow(leaf, parameter, vertices, 0.0, 10.0)
    dx, dtheta = torch.autograd.grad(T.sum(), (leaf, parameter))
    np.testing.assert_allclose(T.detach(), y, atol=1e-12)
    np.testing.assert_allclose(dx, np.exp(alpha), rtol=1e-9)
    assert dtheta.isfinite().all()


@pytest.mark.parametrize("scale", [0.0, 1e-8, 1.0, 4.0])
@pytest.mark.parametrize(("cells", "zero_boundary"), [(2, True), (5, True), (5, False)])
def test_gradcheck(cells, zero_boundary, scale):
    parameter, vertices = tensors(draw(cells, zero_boundary, scale, seed=4), cells, zero_boundary)
    x = torch.linspace(-0.73, 2.21, 9, dtype=torch.float64, requires_grad=True)  # no kink within 1e-6

    def both(x, theta):
        return kernel.flow_and_slope(x, theta, vertices, -0.5, 2.0)

    def flow(x, theta):
        return both(x, theta)[0]

    assert torch.autograd.gradcheck(both, (x, parameter))
    assert torch.autograd.gradgradcheck(flow, (x, parameter))


@pytest.mark.parametrize("scale", [1e-8, 0.3, 3.0])
@COLUMNS
def test_float32_keeps_its_digits(cells, zero_boundary, scale):
    theta = draw(cells, zero_boundary, scale, seed=5).astype(np.float32)
    x = np.random.default_rng(6).uniform(-0.5, 2.0, 500).astype(np.float32)
    results = []
    for dtype in (torch.float32, torch.float64):
        parameter, vertices = tensors(theta, cells, zero_boundary, dtype)
        leaf = torch.tensor(x, dtype=dtype, requires_grad=True)
        T = kernel.flow(leaf, parameter, vertices, -0.5, 2.0)
        results.append((T.detach(), *torch.autograd.grad(T.sum(), (leaf, parameter))))
    for got, wanted in zip(*results, strict=True):
        assert got.dtype == torch.float32
        torch.testing.assert_close(got.double(), wanted, rtol=1e-3, atol=1e-4 * wanted.abs().max().item())


@pytest.mark.parametrize("zero_boundary", BOUNDARIES)
@pytest.mark.parametrize("scale", [0.0, 1e-30, 1e-8, 1.0, 10.0])
def test_far_away_is_finite_in_float32(zero_boundary, scale):
    parameter, vertices = tensors(draw(10, zero_boundary, scale), 10, zero_boundary, torch.float32)
    x = torch.tensor([0.0, 1e-30, 0.3, 2.0, 2.5, 10.0, 88.0, 1e4])
    x = torch.cat([x, -x]).requires_grad_()
    T = kernel.flow(x, parameter, vertices, -0.5, 2.0)
    dx, dtheta = torch.autograd.grad(T.sum(), (x, parameter), create_graph=True)
    second = torch.autograd.grad(dx.sum(), (x, parameter))
    assert all(t.isfinite().all() for t in (T, dx, dtheta, *second))


def test_nan_stays_where_it_is():
    parameter, vertices = tensors(draw(10, True, 1.0), 10, True)
    T = kernel.flow(torch.tensor([0.5, torch.nan, 1.0], dtype=torch.float64), parameter, vertices, -0.5, 2.0)
    assert T.isnan().tolist() == [False, True, False]


def test_backward_keeps_two_numbers_an_element():
    parameter, vertices = tensors(draw(10, True, 1.0), 10, True, torch.float32)
    x = torch.randn(1000, requires_grad=True)
    kept = {}

    def keep(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        kernel.flow(x, parameter, vertices, -0.5, 2.0)
    assert sum(kept.values()) < 1000 * 8 + 1000


def test_vmap_and_func_grad():
    thetas = torch.tensor(np.stack([draw(10, True, 2.0, seed) for seed in range(3)]))
    vertices = torch.tensor(vertex_basis(10))
    x = torch.linspace(-0.5, 2.0, 12, dtype=torch.float64)

    def flow(x, theta):
        return kernel.flow(x, theta, vertices, -0.5, 2.0)

    def loss(theta, x):
        return flow(x, theta).square().sum()

    loop = torch.stack([flow(x, theta) for theta in thetas])
    torch.testing.assert_close(torch.func.vmap(flow, (None, 0))(x, thetas), loop)
    leaves = thetas.clone().requires_grad_()
    (wanted,) = torch.autograd.grad(sum(loss(t, x) for t in leaves), leaves)
    torch.testing.assert_close(torch.func.vmap(torch.func.grad(loss), (0, None))(thetas, x), wanted)
    leaf = x.clone().requires_grad_()
    (first,) = torch.autograd.grad(flow(leaf, thetas[0]).sum(), leaf, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), leaf)
    slope = torch.func.grad(flow)
    torch.testing.assert_close(torch.func.vmap(slope, (0, None))(x, thetas[0]), first)
    torch.testing.assert_close(torch.func.vmap(torch.func.grad(slope), (0, None))(x, thetas[0]), second)


@pytest.mark.slow
# torch.compile itself makes an instance of torch.autograd.Function, against torch's own advice.
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_compile():
    parameter, vertices = tensors(draw(10, True, 2.0), 10, True)
    x = torch.linspace(-0.5, 2.0, 12, dtype=torch.float64, requires_grad=True)

    def flow(x, theta):
        return kernel.flow(x, theta, vertices, -0.5, 2.0)

    got, wanted = torch.compile(flow, fullgraph=True, backend="aot_eager")(x, parameter), flow(x, parameter)
    torch.testing.assert_close(got, wanted)
    gradients = [torch.autograd.grad(y.square().sum(), (x, parameter)) for y in (got, wanted)]
    torch.testing.assert_close(*gradients)


FIELDS = st.integers(2, 40).flatmap(
    lambda cells: st.tuples(
        st.just(cells), st.booleans(), st.lists(st.floats(-1, 1), min_size=cells + 1, max_size=cells + 1)
    )
)


@settings(max_examples=60, deadline=None)
@given(FIELDS, st.floats(-5, 5), st.floats(0.1, 10))
def test_group_of_diffeomorphisms(drawn, a, width):
    """T increases; -theta undoes it; theta twice is 2 theta; a zero boundary fixes a and b."""
    cells, zero_boundary, theta = drawn
    theta, vertices = tensors(theta[: cells - 1] if zero_boundary else theta, cells, zero_boundary)
    x = torch.linspace(a, a + width, 101, dtype=torch.float64)

    def flow(x, times):
        return kernel.flow(x, times * theta, vertices, a, a + width).detach()

    T = flow(x, 1)
    close = {"rtol": 1e-7, "atol": 1e-7 * width}
    assert (T.diff() > 0).all()
    torch.testing.assert_close(flow(T, -1), x, **close)
    torch.testing.assert_close(flow(T, 1), flow(x, 2), **close)
    if zero_boundary:
        torch.testing.assert_close(T[[0, -1]], x[[0, -1]], rtol=0, atol=1e-12 * (width + abs(a)))
