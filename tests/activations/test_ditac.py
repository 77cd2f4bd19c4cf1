"""The DiTAC family against an integrated flow and the formulas of its four variants."""

import copy
import pickle

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.special import ndtr
from torch.nn import functional as F

from afbench import UsageError, create
from afbench.kernels import field

NAMES = ("ditac", "ge_ditac", "leaky_ditac", "inf_ditac")
FAMILY = pytest.mark.parametrize("name", NAMES)


def build(spec, seed=0):
    torch.manual_seed(seed)
    return create(spec)


def warp(module, x):
    """T(x) by integrating the velocity: a linear interpolation of the vertices', extended beyond a and b."""
    theta = module.theta.detach().double().numpy()
    vertices = np.linspace(module.a, module.b, module.cells + 1)
    speeds = (module.b - module.a) * field.vertex_basis(module.cells, module.zero_boundary) @ theta
    slopes = np.diff(speeds) / np.diff(vertices)

    def rate(_, phi):
        below, above = np.minimum(phi - module.a, 0), np.maximum(phi - module.b, 0)
        return np.interp(phi, vertices, speeds) + slopes[0] * below + slopes[-1] * above

    return solve_ivp(rate, (0, 1), x, method="DOP853", rtol=1e-9, atol=1e-11).y[:, -1]


def formula(name, x, T, a, b):
    """The four variants, as the paper defines them."""
    inside = (x >= a) & (x <= b)
    if name == "ditac":
        return np.where(inside, T, x) * ndtr(x)
    if name == "ge_ditac":
        return np.where(x < 0, x * ndtr(x), np.where(inside, T, x))
    if name == "leaky_ditac":
        return np.where(inside, T, np.where(x < 0, 0.01 * x, x))
    return T


@FAMILY
@pytest.mark.parametrize("settings", ["", "[b=3]", "[cells=4,zero_boundary=false,init_var=0.5]"])
def test_values(name, settings):
    module = build(name + settings)
    x = np.sort(np.append(np.random.default_rng(0).uniform(-4, 5, 40), [module.a, module.b, 0.0]))
    wanted = formula(name, x, warp(module, x), module.a, module.b)
    got = module(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-6)


@FAMILY
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_the_interval_is_closed(name, dtype):
    """At a and b, rounded to the input's dtype, it is T that applies, and T moves them here."""
    module = build(f"{name}[b=0.7,zero_boundary=false{'' if name == 'ge_ditac' else ',a=-0.3'}]", seed=3)
    ends = torch.tensor([module.a, module.b], dtype=dtype)
    x = ends.double().numpy()
    T = warp(module, x)
    assert (abs(T - x) > 0.05).all()
    tolerance = 4 * torch.finfo(dtype).eps + 1e-6
    wanted = T * ndtr(x) if name == "ditac" else T
    np.testing.assert_allclose(module(ends).detach().double(), wanted, rtol=tolerance, atol=tolerance)


@FAMILY
def test_a_zero_boundary_fixes_a_and_b(name):
    module = build(name)
    ends = torch.tensor([module.a, module.b], dtype=torch.float64)
    assert torch.equal(module.flow(ends), ends)
    assert torch.equal(module.velocity(ends), torch.zeros_like(ends))


def test_theta_zero_is_gelu():
    x = torch.linspace(-4, 4, 101, dtype=torch.float64)
    torch.testing.assert_close(create("ditac[init=identity]")(x), F.gelu(x))
    torch.testing.assert_close(create("inf_ditac[init=identity]")(x), x)
    torch.testing.assert_close(create("ge_ditac[init=identity]")(x), torch.where(x < 0, F.gelu(x), x))


@pytest.mark.parametrize("name", ["ditac", "ge_ditac"])
def test_the_tail_keeps_its_digits_in_float32(name):
    x = np.linspace(-12, -3, 19, dtype=np.float32)
    got = create(name)(torch.tensor(x)).detach().numpy()
    wanted = x.astype(float) * ndtr(x.astype(float))
    np.testing.assert_allclose(got, wanted, rtol=1e-4)


def test_leaky_ditac_jumps_at_a():
    module = build("leaky_ditac[a=-2]")
    x = torch.tensor([-2 - 1e-9, -2, 2, 2 + 1e-9], dtype=torch.float64)
    np.testing.assert_allclose(module(x).detach(), [-0.02, -2, 2, 2], atol=1e-8)


@pytest.mark.parametrize("boundary", ["true", "false"])
def test_inf_ditac_is_continuous_and_affine_far_away(boundary):
    module = build(f"inf_ditac[zero_boundary={boundary},init_var=1]").double()
    for end in (module.a, module.b):
        near = module(torch.tensor([end - 1e-9, end, end + 1e-9], dtype=torch.float64))
        assert near.diff().abs().max() < 1e-7
    scale = module.cells / (module.b - module.a)
    alpha = scale * module.velocity(torch.tensor([-0.5, -0.25, 1.75, 2.0], dtype=torch.float64)).diff()[::2]
    x = torch.tensor([-1e4, 1e4], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(module(x).sum(), x)
    stays = (module(x) < module.a) | (module(x) > module.b)
    torch.testing.assert_close(slope[stays], alpha.exp()[stays])
    assert stays.any()


@FAMILY
@pytest.mark.parametrize("method", ["table", "fast"])
def test_a_table_is_near_the_closed_form(name, method):
    exact, table = build(f"{name}[method=exact]"), build(f"{name}[method={method}]")
    x, weight = torch.randn(2, 2000)
    results = []
    for module in (exact, table):
        leaf = x.clone().requires_grad_()
        y = module(leaf)
        results.append((y.detach(), *torch.autograd.grad(y, (leaf, module.theta), weight)))
    bars = (1e-5, 1e-4, 5e-4) if method == "table" else (1e-3, 2e-2, 5e-2)
    for wanted, got, bar in zip(*results, bars, strict=True):
        assert (got - wanted).norm() < bar * wanted.norm()
    assert torch.equal(table(x.double()), exact(x.double()))


@FAMILY
def test_nearest_is_the_closed_form_of_the_quantised_input(name):
    exact, nearest = build(f"{name}[method=exact]"), build(f"{name}[method=nearest,bins=32]")
    a, b = exact.a, exact.b
    x = torch.empty(200).uniform_(a, b)
    k = torch.tensor([min(range(33), key=lambda k: abs(a + k * (b - a) / 32 - v)) for v in x.tolist()])
    q = a + k * (b - a) / 32
    leaf, at = x.clone().requires_grad_(), q.clone().requires_grad_()
    weight = torch.randn(200)
    T, wanted = nearest.flow(leaf), exact.flow(at)
    torch.testing.assert_close(T, wanted)
    got = torch.autograd.grad(T, (leaf, nearest.theta), weight)
    expected = torch.autograd.grad(wanted, (at, exact.theta), weight)
    torch.testing.assert_close(got, expected)
    factor = ndtr(x.numpy()) if name == "ditac" else 1
    np.testing.assert_allclose(nearest(x).detach(), T.detach().numpy() * factor, rtol=1e-5)


@FAMILY
def test_nearest_beyond_the_interval_and_in_float64_is_exact(name):
    exact, nearest = build(f"{name}[method=exact]"), build(f"{name}[method=nearest,bins=8]")
    x = torch.linspace(-3, 5, 81)
    outside = (x < exact.a) | (x > exact.b)
    torch.testing.assert_close(nearest(x)[outside], exact(x)[outside])
    torch.testing.assert_close(nearest(x.double()), exact(x.double()))
    assert (nearest(x) != exact(x)).any()


@pytest.mark.parametrize("method", ["table", "fast", "exact", "nearest"])
def test_weights_loaded_after_eval_are_seen(method):
    module, other = (build(f"ditac[method={method}]", seed).eval() for seed in (0, 1))
    x = torch.linspace(-1, 3, 50)
    before = module(x)
    module.load_state_dict(other.state_dict())
    assert list(module.state_dict()) == ["theta"]
    assert torch.equal(module(x), other(x)) and not torch.equal(module(x), before)


def test_penalty():
    module = build("ditac[penalty_weight=0.3,lambda_var=1.5]").double()
    theta = module.theta.detach().numpy()
    P = field.penalty_matrix(10, True, 5.0, 1.5)
    penalty = module.penalty()
    (gradient,) = torch.autograd.grad(penalty, module.theta)
    assert penalty.shape == () and penalty.item() == pytest.approx(0.3 * theta @ P @ theta, rel=1e-6)
    np.testing.assert_allclose(gradient, 0.6 * P @ theta, rtol=1e-6)
    assert create("ditac[penalty_weight=0]").penalty() == 0


def test_theta_is_drawn_from_the_prior():
    module = build("ditac[cells=4,init_smooth=1]")
    draws = []
    for _ in range(4000):
        module.reset_parameters()
        draws.append(module.theta.detach().clone())
    wanted = field.prior_covariance(4, True, 1.0, 2.0)
    # The standard error of a variance over 4,000 draws is 2.2 %.
    np.testing.assert_allclose(np.cov(torch.stack(draws).T.numpy()), wanted, atol=0.1 * wanted.max())
    assert torch.equal(build("ditac", 5).theta, build("ditac", 5).theta)


def test_the_start_is_as_far_from_gelu_as_published():
    """max |T(x) - x|, as measured with the published code's prior: median 0.53, 95 % below 1.47."""
    x = torch.linspace(-0.5, 2, 101)
    torch.manual_seed(0)
    module = create("ditac")
    distances = []
    for _ in range(400):
        module.reset_parameters()
        distances.append((module.flow(x) - x).abs().max().item())
    assert np.median(distances) == pytest.approx(0.53, abs=0.06)
    assert np.quantile(distances, 0.95) == pytest.approx(1.47, abs=0.25)


@FAMILY
@pytest.mark.parametrize("method", ["table", "fast", "exact", "nearest"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_extremes_are_finite(name, method, dtype):
    module = build(f"{name}[method={method}]")
    x = torch.tensor([0.0, 1e-30, 0.5, 2.0, 88.0, 1e3, 1e4])
    x = torch.cat([x, -x]).to(dtype).requires_grad_()
    y = module(x)
    y.float().sum().backward()
    assert y.dtype == dtype and y.isfinite().all()
    assert x.grad.isfinite().all() and module.theta.grad.isfinite().all()


@FAMILY
@pytest.mark.parametrize("method", ["table", "fast", "exact", "nearest"])
def test_shapes_and_nan(name, method):
    module = build(f"{name}[method={method}]")
    strided, expanded = torch.randn(4, 3, 2).transpose(0, 2), torch.randn(1, 5).expand(3, 5)
    for x in (torch.tensor(0.3), torch.empty(0, 3), strided, expanded):
        assert module(x).shape == x.shape
        assert torch.equal(module(x).flatten(), module(x.flatten()))
    assert module(torch.tensor([0.5, torch.nan, 7.0])).isnan().tolist() == [False, True, False]


@FAMILY
def test_meta_device_and_back(name):
    with torch.device("meta"):
        module = create(name)
    assert module.theta.is_meta and not list(module.buffers())
    original = build(name)
    module.to_empty(device="cpu").load_state_dict(original.state_dict())
    x = torch.linspace(-2, 4, 50)
    assert torch.equal(module(x), original(x))
    assert torch.equal(module.penalty(), original.penalty())


def test_casts_and_copies_keep_the_constants():
    module = build("ditac")
    x = torch.linspace(-1, 3, 50)
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(other(x), module(x))
    cast = copy.deepcopy(module).to(torch.bfloat16).float()
    assert not torch.equal(cast.theta, module.theta)
    same = build("ditac", 1)
    same.load_state_dict(cast.state_dict())
    assert torch.equal(cast(x), same(x)) and torch.equal(cast.penalty(), same.penalty())


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("ditac[a=2,b=-1]", r"a must be below b, got a=2\.0, b=-1\.0"),
        ("ditac[a=1,b=1]", r"a must be below b, got a=1\.0, b=1\.0"),
        ("ge_ditac[b=-1]", r"a must be below b, got a=0\.0, b=-1\.0"),
        ("ditac[b=inf]", "b must be finite, not inf"),
        ("ditac[cells=1]", "cells must be an int, at least 2"),
        ("ge_ditac[a=1]", "no setting 'a'"),
    ],
)
def test_wrong_settings_are_refused(spec, message):
    with pytest.raises(UsageError, match=message):
        create(spec)


def test_repr_shows_the_settings():
    assert "cells=7, a=-3.0, b=3.0, zero_boundary=True" in repr(create("ditac[cells=7,a=-3,b=3]"))
    assert "a=" not in repr(create("ge_ditac")).replace("lambda_", "").replace("zero_boundary=", "")


def test_the_published_gradient_is_d_times_the_datas_and_weighs_theta_by_column_sums():
    torch.manual_seed(0)
    right = create("ditac").double()
    published = create("ditac[published_gradient=true,penalty_weight=0.1]").double()
    published.load_state_dict(right.state_dict())
    x, weights = torch.randn(50, dtype=torch.float64), torch.randn(50, dtype=torch.float64)
    (right(x) * weights).sum().backward()
    (published(x) * weights).sum().backward()
    # Written apart, as the published backward has it: a [1, d] and a [d, d] broadcast, summed back to [1, d].
    theta, precision = right.theta.detach().numpy(), field.penalty_matrix(10, True, 5.0, 2.0)
    broadcast = right.theta.grad.numpy()[None, :] + 0.2 * precision * theta[None, :]
    np.testing.assert_allclose(published.theta.grad.numpy(), broadcast.sum(0), rtol=1e-12)
    assert published.penalty() == 0
    assert torch.equal(right(x), published(x))
