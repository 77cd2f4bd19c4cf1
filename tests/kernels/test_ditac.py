"""The DiTAC operator's compiled table against an integrated flow and against the closed form in float64."""

import math
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.special import ndtr
from torch.nn import functional as F

from afbench.kernels import ditac, library
from afbench.kernels.field import prior_covariance, vertex_basis

VARIANTS = pytest.mark.parametrize("variant", list(ditac.COMBINE))
UNIFORM = pytest.mark.parametrize("uniform", [False, True])
NATIVE = pytest.mark.skipif(library.instructions() is None, reason="no compiled kernels")


def field(cells, zero_boundary=True):
    """Which velocities theta chooses from, as the operator takes it."""
    return cells, zero_boundary


def draw(scale, cells=10, zero_boundary=True, seed=0):
    torch.manual_seed(seed)
    return scale * torch.randn(vertex_basis(cells, zero_boundary).shape[1])


def prior(seed, cells=10):
    rng = np.random.default_rng(seed)
    covariance = prior_covariance(cells, True, 5.0, 2.0)
    return torch.tensor(rng.multivariate_normal(np.zeros(len(covariance)), covariance), dtype=torch.float32)


def integrated(x, theta, cells, zero_boundary, a, b, variant):
    """y by integrating the velocity, interpolated between the vertices and extended beyond them."""
    vertices = np.linspace(a, b, cells + 1)
    speeds = (b - a) * vertex_basis(cells, zero_boundary) @ theta.double().numpy()
    slopes = np.diff(speeds) / np.diff(vertices)

    def rate(_, phi):
        below, above = np.minimum(phi - a, 0), np.maximum(phi - b, 0)
        return np.interp(phi, vertices, speeds) + slopes[0] * below + slopes[-1] * above

    T = solve_ivp(rate, (0, 1), x, method="DOP853", rtol=1e-10, atol=1e-12).y[:, -1]
    inside = (x >= a) & (x <= b)
    if variant == "ditac":
        return np.where(inside, T, x) * ndtr(x)
    if variant == "ge_ditac":
        return np.where(inside, T, np.where(x < 0, x * ndtr(x), x))
    return np.where(inside, T, np.where(x < 0, 0.01 * x, x)) if variant == "leaky_ditac" else T


def both(x, theta, weight, *rest):
    """y and the gradients of its weighted sum: by the operator in x's dtype, and in float64."""
    results = []
    for dtype in (x.dtype, torch.float64):
        leaf, own = x.detach().to(dtype).requires_grad_(), theta.detach().clone().requires_grad_()
        parameter = own if dtype != torch.float64 else own.double()
        y = ditac.ditac(leaf, parameter, *rest)
        results.append((y.detach(), *torch.autograd.grad(y, (leaf, own), weight.to(dtype))))
    return results


def relative(got, wanted):
    return ((got.double() - wanted.double()).norm() / wanted.double().norm().clamp(min=1e-30)).item()


@VARIANTS
@pytest.mark.parametrize(("cells", "zero_boundary"), [(2, True), (10, True), (7, False), (40, True)])
@pytest.mark.parametrize("scale", [0.0, 1e-8, 0.3, 2.0])
def test_values_solve_the_equation(variant, cells, zero_boundary, scale):
    a, b = (0.0, 2.0) if variant == "ge_ditac" else (-1.5, 2.0)
    theta = draw(scale, cells, zero_boundary)
    x = torch.cat([torch.linspace(-4, 5, 301), torch.tensor([a, b, 0.0])])
    got = ditac.ditac(x, theta, *field(cells, zero_boundary), a, b, variant, False)
    wanted = integrated(x.double().numpy(), theta, cells, zero_boundary, a, b, variant)
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5 * (b - a))


@VARIANTS
@pytest.mark.parametrize("start", ["prior", "normal"])
def test_accuracy(variant, start):
    """The bars: y within 1e-5, dy/dx and dL/dtheta within 1e-4, all relative and over ten thetas."""
    a, b = (0.0, 3.0) if variant == "ge_ditac" else (-3.0, 3.0)
    errors = []
    for seed in range(10):
        theta = prior(seed) if start == "prior" else draw(0.3, seed=seed)
        x, ones = torch.randn(20000), torch.ones(20000)
        got, wanted = both(x, theta, ones, *field(10), a, b, variant, False)
        errors.append([relative(*pair) for pair in zip(got, wanted, strict=True)])
    y, slope, gradient = np.sqrt(np.mean(np.square(errors), 0))
    assert y < 1e-5 and slope < 1e-4 and gradient < 1e-4, (y, slope, gradient)


@pytest.mark.parametrize("cells", [10, 20])
def test_fast_is_no_less_accurate_than_the_nearest_of_2048(cells):
    squares = []
    for seed in range(20):
        theta, x = draw(0.3, cells, seed=seed), torch.randn(5000)
        got, wanted = both(x, theta, torch.ones(5000), *field(cells), -3.0, 3.0, "ditac", True)
        squares.append((got[0] - wanted[0]).square().mean())
    assert torch.stack(squares).mean().sqrt() < (5.1e-4 if cells == 10 else 1e-3)


@VARIANTS
@pytest.mark.parametrize("theta", [draw(0.0), draw(1e-30), draw(1e-4), draw(10.0), torch.full((9,), 0.2), prior(3)])
def test_extreme_thetas(variant, theta):
    x = torch.cat([torch.linspace(-3.5, 3.5, 701), torch.linspace(-3, 3, 11)])
    got, wanted = both(x, theta, torch.ones(len(x)), *field(10), -3.0, 3.0, variant, False)
    torch.testing.assert_close(got[0].double(), wanted[0], rtol=1e-4, atol=2e-4)
    assert relative(got[2], wanted[2]) < 1e-2


@VARIANTS
@UNIFORM
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_special_inputs(variant, uniform, dtype):
    knots = [*np.linspace(-3, 3, 11), *np.nextafter(np.float32([-3, 3]), np.float32(9))]
    values = [0.0, -0.0, 1e-40, -1e-40, 1e-30, 1e30, -1e30, math.nan, math.inf, -math.inf, *knots]
    x = torch.tensor(values, dtype=torch.float32).to(dtype)
    rest = (*field(10), -3.0, 3.0, variant, uniform)
    got, wanted = ditac.ditac(x, draw(0.3), *rest), ditac.plain(x, draw(0.3), *rest)
    tolerance = {torch.float32: 6e-3 if uniform else 6e-5, torch.bfloat16: 2e-2}[dtype]
    torch.testing.assert_close(got, wanted, rtol=tolerance, atol=tolerance, equal_nan=True)


@NATIVE
@VARIANTS
@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,), (7,), (513,), (3, 5, 7), (2, 3, 33, 31)])
def test_shapes(variant, shape):
    x, weight = torch.randn(shape), torch.randn(shape)
    got, wanted = both(x, draw(0.3), weight, *field(10), -3.0, 3.0, variant, False)
    assert got[0].shape == got[1].shape == shape
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one.double(), other.double(), rtol=1e-3, atol=1e-3)


def test_layouts():
    theta, rest = draw(0.3), (*field(10), -3.0, 3.0, "ditac", False)
    x = torch.randn(4, 6, 8, 10)
    for view in (
        x.transpose(0, 3),
        x[1:, ::2, :, 3:],
        x[:1].expand(3, 6, 8, 10),
        x.contiguous(memory_format=torch.channels_last),
    ):
        leaf = view.detach().requires_grad_()
        y = ditac.ditac(leaf, theta, *rest)
        assert y.stride() == torch.empty_like(view).stride()
        torch.testing.assert_close(y.detach(), ditac.ditac(view.contiguous(), theta, *rest), rtol=0, atol=0)
        (got,) = torch.autograd.grad(y, leaf, torch.ones(view.shape))
        flat = view.contiguous().requires_grad_()
        (wanted,) = torch.autograd.grad(ditac.ditac(flat, theta, *rest), flat, torch.ones(view.shape))
        assert torch.equal(got, wanted)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(2, 30), st.floats(-6, 1), st.floats(-4, 3), st.floats(0.2, 8), st.sampled_from(list(ditac.COMBINE)),
    st.booleans(), st.integers(0, 99),
)  # fmt: skip
@example(2, 0.0, 0.75, 0.75, "ditac", False, 0)  # a piece of GELU whose error in the middle is 0
def test_any_setting(cells, magnitude, a, width, variant, zero_boundary, seed):
    theta = draw(10**magnitude, cells, zero_boundary, seed)
    x = torch.cat([torch.randn(200) * 3, torch.tensor([a, a + width]), torch.linspace(a, a + width, cells + 1)])
    rest = (*field(cells, zero_boundary), a, a + width, variant, False)
    got, wanted = both(x, theta, torch.ones(len(x)), *rest)
    # In float32 a table is no nearer than the input's rounding times the slope.
    # x at the ends, rounded, may be in [a, b] in one dtype and not in the other.
    near = ((x - a).abs() < 1e-5) | ((x - a - width).abs() < 1e-5)
    error = (got[0].double() - wanted[0]).abs()[~near]
    assert (error <= 2e-5 * width + 1e-6 * (1 + wanted[0].abs() + x.abs() * wanted[1].abs())[~near]).all()


def test_the_same_bits_for_every_number_of_threads():
    x, weight, theta = torch.randn(100_003), torch.randn(100_003), draw(0.3)
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 2):
            torch.set_num_threads(threads)
            results.append(both(x, theta, weight, *field(10), -3.0, 3.0, "ditac", False)[0])
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for result in results[1:] for a, b in zip(results[0], result, strict=True))


@UNIFORM
def test_many_thetas_in_one_call(uniform):
    thetas, x = torch.stack([draw(0.3, seed=s) for s in range(6)]).view(2, 3, 9), torch.randn(2, 3, 50)
    rest = (*field(10), -3.0, 3.0, "ditac", uniform)
    wanted = torch.stack([ditac.ditac(a, t, *rest) for a, t in zip(x.view(6, 50), thetas.view(6, 9), strict=True)])
    assert torch.equal(ditac.ditac(x, thetas, *rest).view(6, 50), wanted)

    def loss(theta, x):
        return ditac.ditac(x, theta, *rest).square().sum()

    each = [torch.func.grad(loss, (0, 1))(t, a) for a, t in zip(x.view(6, 50), thetas.view(6, 9), strict=True)]
    theta, own = torch.func.vmap(torch.func.vmap(torch.func.grad(loss, (0, 1))))(thetas, x)
    torch.testing.assert_close(theta.view(6, 9), torch.stack([g[0] for g in each]))
    torch.testing.assert_close(own.view(6, 50), torch.stack([g[1] for g in each]))
    shared = torch.func.vmap(loss, (0, None))(thetas[0], x[0, 0])
    torch.testing.assert_close(shared, torch.stack([loss(t, x[0, 0]) for t in thetas[0]]))
    with pytest.raises(ValueError, match="does not lie along"):
        ditac.ditac(x, thetas[:, :2], *rest) if library.instructions() else ditac._dense(x, thetas[:, :2])


@VARIANTS
@UNIFORM
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e30, -1e30, 1e5])
def test_a_theta_that_has_diverged_does_no_harm(variant, uniform, value):
    """No table is right for it: the closed form is taken, backward too."""
    theta = draw(0.3)
    theta[0] = value
    x = torch.randn(40, requires_grad=True)
    theta.requires_grad_()
    y = ditac.ditac(x, theta, *field(10), -3.0, 3.0, variant, uniform)
    y.sum().backward()
    wanted = ditac.plain(x, theta, *field(10), -3.0, 3.0, variant, uniform)
    assert torch.equal(y.isnan(), wanted.isnan())
    assert x.grad.shape == x.shape and theta.grad.shape == theta.shape


@pytest.mark.parametrize("path", [*library.available()[-1:], None], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_torch_func_in_any_depth(path, dtype):
    """Each level differentiates the one above it, and eager autograd all of them."""
    rest, weight = (*field(4), -1.0, 2.0, "ditac", False), torch.linspace(1, 2, 5, dtype=dtype)
    x, theta = torch.linspace(-0.7, 1.9, 5, dtype=dtype), draw(0.5, 4).to(dtype)

    def loss(x, theta):
        return (ditac.ditac(x, theta, *rest) * weight).sum()

    def second(i, j, x, theta):
        tensors = [t.double().requires_grad_() for t in (x, theta)]
        wide = (ditac.plain(*tensors, *rest) * weight.double()).sum()
        (first,) = torch.autograd.grad(wide, tensors[i], create_graph=True)
        return torch.autograd.grad(first.sum(), tensors[j])[0]

    with library.using(path):
        for i in (0, 1):
            for j in (0, 1):
                got = torch.func.grad(lambda *t, i=i: torch.func.grad(loss, i)(*t).sum(), j)(x, theta)
                torch.testing.assert_close(got.double(), second(i, j, x, theta), rtol=1e-3, atol=1e-3)
                leaves = [t.clone().requires_grad_() for t in (x, theta)]
                got = torch.autograd.grad(torch.func.grad(loss, i)(*leaves).sum(), leaves[j])[0]
                torch.testing.assert_close(got.double(), second(i, j, x, theta), rtol=1e-3, atol=1e-3)
        stacked = torch.stack([theta, 0.9 * theta, 1.1 * theta])
        one = torch.func.vmap(lambda t: ditac.ditac(x, t, *rest))(stacked)
        torch.testing.assert_close(one, torch.stack([ditac.ditac(x, t, *rest) for t in stacked]))


def test_derivatives_of_every_kind():
    rest = (*field(4), -1.0, 2.0, "ditac", False)
    x, theta = torch.linspace(-1.7, 2.9, 13, dtype=torch.float64), draw(0.5, 4).double()
    inputs = x.requires_grad_(), theta.requires_grad_()
    assert torch.autograd.gradcheck(lambda *t: ditac.ditac(*t, *rest), inputs)
    assert torch.autograd.gradgradcheck(lambda *t: ditac.ditac(*t, *rest), inputs)
    single = [t.detach().float().requires_grad_() for t in inputs]
    (first,) = torch.autograd.grad(ditac.ditac(*single, *rest).sum(), single[0], create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), single[1])
    (double,) = torch.autograd.grad(ditac.ditac(*inputs, *rest).sum(), inputs[0], create_graph=True)
    (wanted,) = torch.autograd.grad(double.sum(), inputs[1])
    torch.testing.assert_close(second.double(), wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_opcheck(dtype):
    x = torch.randn(5, 7).to(dtype).requires_grad_()
    args = (x, draw(0.3).requires_grad_(), *field(10), -3.0, 3.0, "ditac", False)
    torch.library.opcheck(torch.ops.afbench.ditac.default, args)
    torch.library.opcheck(torch.ops.afbench.ditac_backward.default, (torch.randn(5, 7).to(dtype), *args))


def test_compile_without_a_graph_break():
    theta, rest = draw(0.3).requires_grad_(), (*field(10), -3.0, 3.0, "ditac", False)
    compiled = torch.compile(
        lambda x, theta: ditac.ditac(x, theta, *rest) * 2, fullgraph=True, dynamic=True, backend="aot_eager"
    )
    for size in (5, 9):
        x = torch.randn(3, size, requires_grad=True)
        got, wanted = compiled(x, theta), ditac.ditac(x, theta, *rest) * 2
        torch.testing.assert_close(got, wanted)
        for one, other in zip(*(torch.autograd.grad(y.sum(), (x, theta)) for y in (got, wanted)), strict=True):
            torch.testing.assert_close(one, other)


def test_nothing_but_the_input_is_kept():
    x, kept = torch.randn(1000, requires_grad=True), []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        ditac.ditac(x, draw(0.3).requires_grad_(), *field(10), -3.0, 3.0, "ditac", False)
    assert library.instructions() is None or sorted(t.numel() for t in kept) == [9, 1000]


def test_theta_zero_is_gelu():
    x = torch.linspace(-8, 8, 4001)
    got = ditac.ditac(x, torch.zeros(9), *field(10), -3.0, 3.0, "ditac", False)
    torch.testing.assert_close(got.double(), F.gelu(x.double()), rtol=0, atol=6e-5)


@NATIVE
def test_the_tails_of_gelu_keep_their_digits():
    """Beyond +-3 y is x Phi(x), which goes to 0: to a few units of rounding, and dy/dx too where it is not near 0."""
    x = torch.cat([torch.linspace(-11, -3.001, 4001), torch.linspace(3.001, 11, 4001)])
    got, _ = both(x, torch.zeros(9), torch.ones_like(x), *field(10), -3.0, 3.0, "ditac", False)
    at = x.double().numpy()
    density = np.exp(-0.5 * at**2) / math.sqrt(2 * math.pi)
    for found, wanted in zip(got[:2], (at * ndtr(at), ndtr(at) + at * density), strict=True):
        # e^(-x^2 / 2) in float32 is within x^2 / 2 units: its argument is rounded.
        np.testing.assert_array_less(abs(found.numpy() / wanted - 1), 3e-7 + 6e-8 * at**2)


FEW_CELLS = [
    (4, -3.0, 3.0, [-0.28070101, 0.09736855, 0.10515867]),
    (3, -3.0, 3.0, [-0.099481463, -1.675737619]),
    (4, -5.0, 95.0, [0.847293794, 1.200644255, -0.401550323]),
    (6, -50.0, 50.0, [0.177700222, 1.455673933, 0.640313148, 1.935530424, -1.140154719]),
]
"""Whose first pieces' cubics cross the activation in their middles, where alone the error was once measured."""


@NATIVE
@pytest.mark.parametrize(("cells", "a", "b", "theta"), FEW_CELLS)
def test_a_table_keeps_its_promise(cells, a, b, theta):
    x, theta = torch.linspace(a - 1, b + 1, 40001), torch.tensor(theta)
    got = ditac.ditac(x, theta, *field(cells), a, b, "ditac", False).double()
    wanted = ditac.ditac(x.double(), theta.double(), *field(cells), a, b, "ditac", False)
    assert (got - wanted).abs().max() <= 1e-5 * (b - a)


@pytest.mark.parametrize("variant", ["leaky_ditac", "inf_ditac", "ge_ditac"])
def test_slopes_at_the_ends_of_the_numbers(variant):
    x = torch.tensor([2e38, -2e38, math.inf, -math.inf], requires_grad=True)
    y = ditac.ditac(x, draw(0.3), *field(10), -3.0, 3.0, variant, False)
    (slope,) = torch.autograd.grad(y.sum(), x)
    below = {"leaky_ditac": 0.01, "inf_ditac": slope[1].item(), "ge_ditac": 0.0}[variant]
    above = slope[0].item() if variant == "inf_ditac" else 1.0
    torch.testing.assert_close(slope[:2], torch.tensor([above, below]))
    if variant != "ge_ditac":
        torch.testing.assert_close(slope[2:], slope[:2])


FORKED = """
import os, torch
from afbench.kernels import ditac
torch.set_num_threads(2)
x = torch.randn(200_000)
def call():
    return ditac.ditac(x, torch.full((9,), 0.2), 10, True, -3.0, 3.0, "ditac", False)
wanted = call()
child = os.fork()
if child == 0:
    torch.set_num_threads(1)
    os._exit(0 if torch.equal(call(), wanted) else 1)
assert os.waitpid(child, 0)[1] == 0
"""


def test_a_forked_child_may_call_it():
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], check=True, timeout=120)


def test_several_threads_may_call_it():
    arguments = (torch.randn(200_000), draw(0.3), *field(10), -3.0, 3.0, "ditac", False)
    wanted, got = ditac.ditac(*arguments), []
    workers = [threading.Thread(target=lambda: got.append(ditac.ditac(*arguments))) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(got) == 4 and all(torch.equal(one, wanted) for one in got)
