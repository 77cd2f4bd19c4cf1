from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.polynomial import chebyshev, hermite, hermite_e, laguerre, legendre
from numpy.testing import assert_allclose
from scipy import special

from afbench import create
from afbench.errors import UsageError

VALUES = {
    "chebyshev1": chebyshev.chebval,
    "chebyshev2": lambda x, c: sum(k * special.eval_chebyu(i, x) for i, k in enumerate(c)),
    "laguerre": laguerre.lagval,
    "legendre": legendre.legval,
    "hermite_prob": hermite_e.hermeval,
    "hermite_phys": hermite.hermval,
}
BASES = list(VALUES)
EVEN = [basis for basis in BASES if basis != "laguerre"]


def member(basis, i, x):
    return VALUES[basis](np.asarray(x, dtype=float), np.eye(i + 1)[i])


def reference(basis, x, c, d, safe=True):
    terms = [(np.abs(k) * np.abs(f) if safe else k * f) for k, f in zip(d, members(basis, x, len(d)), strict=True)]
    return VALUES[basis](x, c) / (1 + sum(terms))


def members(basis, x, m):
    return [member(basis, j, x) for j in range(1, m + 1)]


def drawn(spec, seed=0, low=0.2):
    """The activation in float64 with coefficients of our own; those below the line are not near 0."""
    module = create(spec).double()
    rng = np.random.default_rng(seed)
    c = rng.normal(size=len(module.c))
    d = rng.uniform(low, 2, size=len(module.d)) * rng.choice([-1, 1], size=len(module.d))
    with torch.no_grad():
        module.c.copy_(torch.from_numpy(c))
        module.d.copy_(torch.from_numpy(d))
    return module, c, d


@pytest.mark.parametrize("degree", ["5:4", "2:2", "3:2", "7:6"])
@pytest.mark.parametrize("basis", BASES)
def test_values(curve, grid, basis, degree):
    module, c, d = drawn(f"opau[basis={basis},degree={degree}]")
    assert (len(c), len(d)) == (int(degree[0]) + 1, int(degree[2]))
    assert_allclose(curve(module, grid), reference(basis, grid, c, d), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("basis", BASES)
def test_values_far_out(curve, basis):
    module, c, d = drawn(f"opau[basis={basis}]")
    x = np.concatenate([s * np.logspace(0.0, 30.0, 61) for s in (1.0, -1.0)])
    assert_allclose(curve(module, x), reference(basis, x, c, d), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("basis", BASES)
def test_unsafe_values(curve, grid, basis):
    module, c, d = drawn(f"opau[basis={basis},safe=false]")
    expected = reference(basis, grid, c, d, safe=False)
    near_pole = np.abs(1 + sum(k * f for k, f in zip(d, members(basis, grid, len(d)), strict=True))) < 0.01
    assert near_pole.mean() < 0.1
    assert_allclose(curve(module, grid)[~near_pole], expected[~near_pole], rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("start", ["leaky_relu", "gelu", "tanh", "identity"])
@pytest.mark.parametrize("basis", BASES)
def test_unsafe_starts_as_the_rational_function_of_pau(curve, grid, basis, start):
    for centred in ("false", "true"):
        rest = f"start={start},zero_centred={centred}"
        got = curve(f"opau[basis={basis},safe=false,{rest}]", grid)
        # Coefficients in float32: for x < 0, Laguerre's terms are all positive and cancel.
        loss = 100 if basis == "laguerre" else 1
        assert_allclose(got, curve(f"pau[version=n,{rest}]", grid), rtol=loss * 1e-4, atol=loss * 1e-5)


@pytest.mark.parametrize("safe", ["true", "false"])
@pytest.mark.parametrize("basis", BASES)
def test_no_power_overflows(basis, safe):
    module = create(f"opau[basis={basis},safe={safe}]")
    x = torch.tensor([1e4, -1e4, 1e10, -1e10, 1e30, -1e30], requires_grad=True)
    y = module(x)
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x, retain_graph=True)
    y.sum().backward()
    far = np.array([1e4, -1e4, 1e10, -1e10, 1e30, -1e30])
    c, d = (p.detach().numpy().astype(float) for p in (module.c, module.d))
    slope = reference(basis, far, c, d, safe == "true") / far
    assert_allclose((y / x).detach().numpy(), slope, rtol=1e-4)
    assert_allclose(x.grad.numpy()[2:], slope[2:], rtol=1e-4)
    assert (second.abs() < 1e-4).all()
    assert module.c.grad.isfinite().all() and module.d.grad.isfinite().all()


@pytest.mark.parametrize(("alias", "basis"), [("hp1", "hermite_prob"), ("hp2", "hermite_phys")])
def test_aliases(alias, basis):
    assert create(alias).basis == basis
    assert create(f"{alias}[start=gelu]").start == "gelu"


COUNTS = {"false": 10, "true": 9, "case2": 8, "case1": 7}


@pytest.mark.parametrize(("centred", "count"), COUNTS.items())
@pytest.mark.parametrize("channels", [1, 3, 64])
def test_parameter_count(centred, count, channels):
    """c_0..c_5 and d_1..d_4; each condition of Biswas et al. 2021 on c_0, c_2 and c_4 takes one away."""
    module = create(f"hp1[zero_centred={centred}]", channels)
    assert sum(p.numel() for p in module.parameters()) == count


def full(basis, centred, free, n=5):
    """All of c from its free entries, by the conditions as Biswas et al. 2021 put them: sum c_i f_i(0) = 0."""
    at_zero = [float(member(basis, i, 0.0)) for i in range(n + 1)]
    c = np.zeros(n + 1)
    if centred == "case1":
        c[1::2] = free
    elif centred == "case2":
        c[[1, 3, 4, 5]] = free
        c[2] = -c[4] * at_zero[4] / at_zero[2]
    else:
        c[1:] = free
        c[0] = -c[1:] @ at_zero[1:]
    return c


def test_conditions_of_hp1():
    """c_0 - c_2 + 3 c_4 = 0; with c_0 = 0 it is c_2 = 3 c_4."""
    c = full("hermite_prob", "true", np.arange(1.0, 6))
    assert c[0] - c[2] + 3 * c[4] == 0
    c = full("hermite_prob", "case2", np.arange(1.0, 5))
    assert c[0] == 0 and c[2] == 3 * c[4] != 0


CENTRED = [(basis, "true") for basis in BASES] + [(basis, case) for basis in EVEN for case in ("case1", "case2")]


@pytest.mark.parametrize(("basis", "centred"), CENTRED)
def test_zero_centred_values(curve, grid, basis, centred):
    module, free, d = drawn(f"opau[basis={basis},zero_centred={centred}]")
    expected = reference(basis, grid, full(basis, centred, free), d)
    assert_allclose(curve(module, grid), expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("safe", ["true", "false"])
@pytest.mark.parametrize(("basis", "centred"), CENTRED)
def test_zero_stays_zero(basis, centred, safe):
    torch.manual_seed(0)
    module = create(f"opau[basis={basis},zero_centred={centred},safe={safe}]")
    optimiser = torch.optim.Adam(module.parameters(), lr=0.01)
    for _ in range(3):
        assert module(torch.zeros(1)).item() == 0
        optimiser.zero_grad()
        (module(torch.randn(64)) - 1).square().mean().backward()
        optimiser.step()
    assert module(torch.zeros(1)).item() == 0
    assert all((p.grad != 0).all() for p in module.parameters())


@pytest.mark.parametrize("basis", EVEN)
def test_case_1_is_odd(curve, grid, basis):
    values = curve(f"opau[basis={basis},zero_centred=case1]", grid)
    assert_allclose(values, -values[::-1], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("degree=5", "degree must be n:m"),
        ("degree=4:5", "1 <= m <= n"),
        ("degree=13:4", "starts exist up to 12:12"),
        ("basis=laguerre,zero_centred=case1", "use true"),
        ("basis=laguerre,zero_centred=case2", "use true"),
        ("start=sigmoid,zero_centred=true", "0.5 at 0"),
        ("zero_centred=case3", "zero_centred must be one of"),
    ],
)
def test_what_has_no_start_says_so(settings, message):
    for safe in ("true", "false"):
        with pytest.raises(UsageError, match=message):
            create(f"opau[{settings},safe={safe}]")


@pytest.mark.parametrize("safe", [True, False])
@pytest.mark.parametrize("basis", BASES)
def test_per_channel_values(basis, safe):
    """Each channel its own c and d."""
    rng = np.random.default_rng(8)
    module = create(f"opau[basis={basis},safe={str(safe).lower()},per=channel]", 3, -1).double()
    assert (module.c.shape, module.d.shape) == ((3, 6), (3, 4))
    c, d = rng.normal(size=(3, 6)), rng.uniform(0.2, 2, size=(3, 4))
    with torch.no_grad():
        module.c.copy_(torch.from_numpy(c))
        module.d.copy_(torch.from_numpy(d))
    x = 2 * rng.normal(size=(40, 3))
    got = module(torch.from_numpy(x)).detach().numpy()
    for channel in range(3):
        right = reference(basis, x[:, channel], c[channel], d[channel], safe)
        bottom = VALUES[basis](x[:, channel], c[channel]) / right
        kept = np.abs(bottom) > 0.05  # without absolute values it may pass through 0
        assert kept.mean() > 0.8
        assert_allclose(got[kept, channel], right[kept], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("centred", COUNTS)
def test_per_channel_starts_as_per_layer(centred):
    layer = create(f"hp1[zero_centred={centred}]")
    module = create(f"hp1[zero_centred={centred},per=channel]", 5)
    assert sum(p.numel() for p in module.parameters()) == 5 * COUNTS[centred]
    x = torch.randn(4, 5, 3)
    assert_allclose(module(x).detach().numpy(), layer(x).detach().numpy(), rtol=1e-4, atol=1e-5)
