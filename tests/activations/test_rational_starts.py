"""Every stored start against its function, in NumPy and SciPy alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from numpy.polynomial import chebyshev, hermite, hermite_e, laguerre, legendre, polynomial
from numpy.testing import assert_allclose
from scipy import special

from afbench import create
from afbench.activations import rational_fit, rational_starts
from afbench.activations.opau import OPAU
from afbench.activations.pau import PAU
from afbench.activations.rational_starts import FITTED, PUBLISHED, starts
from afbench.errors import UsageError

FUNCTIONS = {
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "leaky_relu_0.1": lambda x: np.where(x > 0, x, 0.1 * x),
    "relu": lambda x: np.where(x > 0, x, 0.0),
    "gelu": lambda x: 0.5 * x * special.erfc(-x / np.sqrt(2)),
    "swish": lambda x: x / (1 + np.exp(-np.clip(x, -700, None))),
    "tanh": np.tanh,
    "sigmoid": lambda x: 0.5 + 0.5 * np.tanh(x / 2),
    "identity": lambda x: x,
}
BASES = {
    "chebyshev1": chebyshev.chebval,
    "chebyshev2": lambda x, c: sum(k * special.eval_chebyu(i, x) for i, k in enumerate(c)),
    "laguerre": laguerre.lagval,
    "legendre": legendre.legval,
    "hermite_prob": hermite_e.hermeval,
    "hermite_phys": hermite.hermval,
}
NEAR = np.linspace(-3, 3, 601)
FAR = np.concatenate([side * np.geomspace(3, 1e6, 2001) for side in (-1, 1)])


def value(basis, c, x):
    return (polynomial.polyval if basis is None else BASES[basis])(x, c)


def ratio(name, x):
    """The stored start by its key: version or basis, degree, function, how it is zero-centred."""
    form, degree, _, *centring = name.split()
    n, m = map(int, degree.split(":"))
    held = starts()[name]
    basis = form.removesuffix("-unsafe") if form not in "abcn" else None
    free = np.array(held.numerator)
    c = np.zeros(n + 1)
    if not centring:
        c[:] = free
    elif centring[-1] == "case1":
        c[1::2] = free
    elif centring[-1] == "case2":
        c[[1, 3, 4, 5]] = free
        c[2] = -c[4] * value(basis, np.eye(n + 1)[4], 0.0) / value(basis, np.eye(n + 1)[2], 0.0)
    else:
        c[1:] = free
        c[0] = -value(basis, c, 0.0)
    d = np.array(held.denominator)
    if form == "c":
        bottom = 0.1 + np.abs(polynomial.polyval(x, d))
    elif form == "b" or form.endswith("-unsafe"):
        bottom = 1 + np.abs(polynomial.polyval(x, [0, *d]))
    elif form == "n":
        bottom = polynomial.polyval(x, [1, *d])
    else:
        bottom = 1 + sum(abs(k) * np.abs(value(basis, np.eye(m + 1)[j + 1], x)) for j, k in enumerate(d))
    return value(basis, c, x) / bottom


FORMS = sorted({name.split()[0] for name in starts()})
NAMES_BY_FORM = {form: [name for name in starts() if name.split()[0] == form] for form in FORMS}


@pytest.mark.parametrize("form", NAMES_BY_FORM)
def test_stated_errors(form):
    for name in NAMES_BY_FORM[form]:
        start, function = starts()[name], FUNCTIONS[name.split()[2]]
        error = np.abs(ratio(name, NEAR) - function(NEAR))
        assert_allclose(np.sqrt((error**2).mean()), start.rmse, rtol=0.01, atol=1e-10, err_msg=name)
        assert_allclose(error.max(), start.max_error, rtol=0.01, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("form", NAMES_BY_FORM)
def test_none_explodes(form):
    """No start is farther from its function than |x|, out to 1e6 and, since f(x) / x only falls there, beyond."""
    for name in NAMES_BY_FORM[form]:
        start, function = starts()[name], FUNCTIONS[name.split()[2]]
        off = np.abs(ratio(name, FAR) - function(FAR)) / np.abs(FAR)
        assert_allclose(off.max(), start.far, rtol=0.01, atol=1e-10, err_msg=name)
        assert start.far <= 1, name
        slopes = [ratio(name, x) / x for x in (np.array([-1e6, 1e6]), np.array([-1e8, 1e8]))]
        assert (np.abs(slopes[1]) <= np.abs(slopes[0]) + 0.01).all(), name


def test_no_size_below_the_line_is_0():
    for name, held in starts().items():
        form = name.split()[0]
        if form == "a" or form in BASES:
            assert np.abs(held.denominator).min() > 0, name
        else:  # the size is that of the sum, which must not vanish far out
            assert held.denominator[-1] > 0, name


def test_fits_and_published_starts_are_apart():
    fitted, published = (json.loads(path.read_text()) for path in (FITTED, PUBLISHED))
    assert not fitted.keys() & published.keys()
    assert fitted.keys() == {problem[0] for problem in rational_fit.problems()}


def test_no_start_has_a_pole():
    """The sums that may be negative after training, of PAU N and OPAU without absolute values, are above 0 at first."""
    for name, held in starts().items():
        if name.split()[0] in ("b", "n") or "unsafe" in name:
            sum_of_b = [1, *held.denominator]
            if name in json.loads(PUBLISHED.read_text()) and name[0] == "b":
                continue  # its absolute value is taken
            zeros = polynomial.polyroots(sum_of_b)
            assert np.abs(zeros.imag).min() > 1e-3, name


def stated(doc):
    """The errors in a docstring: ``gelu 0.0048`` and the like, each once."""
    found = re.findall(r"([a-z_]+[12]?(?:_0\.1)?) (0\.\d+|\d\.\de-\d+)", doc)
    return {name: float(error) for name, error in found}


def test_docstrings_state_the_errors():
    pau, opau = stated(PAU.__doc__), stated(OPAU.__doc__)
    for start in FUNCTIONS:
        assert_allclose(pau[start], starts()[f"a 5:4 {start}"].max_error, rtol=0.05)
    for basis in BASES:
        assert_allclose(opau[basis], starts()[f"{basis} 5:4 leaky_relu"].max_error, rtol=0.05)
    smooth = [starts()[f"{b} 5:4 {f}"].max_error for b in BASES for f in FUNCTIONS if "relu" not in f]
    assert_allclose(opau["most"], max(smooth), rtol=0.05)
    for degree, error in {"2:2": 0.26, "3:2": 0.11, "7:6": 0.010}.items():
        assert_allclose(starts()[f"a {degree} leaky_relu"].max_error, error, rtol=0.05)


@pytest.mark.parametrize("name", ["a 5:4 gelu", "b 3:2 tanh zero-centred", "legendre 2:2 leaky_relu"])
def test_the_script_makes_them_again(name):
    (problem,) = [problem for where, problem in rational_fit.problems() if where == name]
    made = rational_fit.entry(*problem)
    assert_allclose(made["rmse"], starts()[name].rmse, rtol=0.02)
    assert_allclose(made["far"], starts()[name].far, rtol=0.1)


@pytest.mark.parametrize("spec", ["pau[start={}]", "hp1[start={}]", "opau[start={},safe=false]"])
@pytest.mark.parametrize("start", FUNCTIONS)
def test_the_module_is_near_its_function(curve, spec, start):
    assert np.abs(curve(spec.format(start), NEAR) - FUNCTIONS[start](NEAR)).max() < 0.1


REQUESTED = {
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "mish": lambda x: x * np.tanh(np.logaddexp(0, x)),
    "softplus": lambda x: np.logaddexp(0, x),
    "softplus[beta=2.0]": lambda x: np.logaddexp(0, 2 * x) / 2,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "leaky_relu[slope=0.2]": lambda x: np.where(x > 0, x, 0.2 * x),
    "hard_swish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0))),
}
"""Fixed activations whose starts are not stored; how far 5:4 is off depends on their kinks."""


@pytest.mark.parametrize("start", REQUESTED)
def test_any_fixed_activation_can_be_started_from(curve, start):
    for spec, off in (("pau", 0.035), ("pau[version=b]", 0.04), ("hp1", 0.1)):
        whole = f"{spec.removesuffix(']')}{',' if '[' in spec else '['}start={start}]"
        assert np.abs(curve(whole, NEAR) - REQUESTED[start](NEAR)).max() < off, whole
        x = FAR[np.abs(FAR) < 300]
        assert (np.abs(curve(whole, x) - REQUESTED[start](x)) <= 1.001 * np.abs(x)).all(), whole


DEGREES = {"1:1": 0.75, "2:1": 0.3, "3:3": 0.13, "4:3": 0.13, "6:5": 0.035, "5:2": 0.07, "8:7": 0.03, "12:11": 0.03}
"""Degrees, and how far PAU's leaky ReLU is off at most."""


@pytest.mark.parametrize(("degree", "off"), DEGREES.items())
@pytest.mark.parametrize("version", "abcdn")
def test_any_degree_is_fitted(version, degree, off):
    """A sum of odd degree starts with its last coefficient at 0: B, C, D and N are then as good as one degree less."""
    module = create(f"pau[version={version},degree={degree}]").double().eval()
    n, m = map(int, degree.split(":"))
    a, b = (p.detach().numpy() for p in (module.a, module.b))
    assert (len(a), len(b)) == (n + 1, m + (version == "c"))
    got = polynomial.polyval(NEAR, a) / denominator(version, b, NEAR)
    if m == 1 and version in "cn":
        off = 0.75  # a line
    assert np.abs(got - FUNCTIONS["leaky_relu"](NEAR)).max() < off
    if version == "n":
        bottom = np.trim_zeros([1, *b], "b")
        assert len(bottom) == 1 or np.abs(polynomial.polyroots(bottom).imag).min() > 1e-3


def denominator(version, b, x):
    if version == "a":
        return 1 + np.abs(x)[:, None] ** np.arange(1, len(b) + 1) @ np.abs(b)
    if version == "c":
        return 0.1 + np.abs(polynomial.polyval(x, b))
    total = polynomial.polyval(x, [0, *b])
    return 1 + (total if version == "n" else np.abs(total))


@pytest.mark.parametrize("centred", ["false", "true", "case1", "case2"])
@pytest.mark.parametrize("degree", ["4:3", "6:5", "3:2", "1:1"])
def test_any_degree_of_opau_is_fitted_with_and_without_sizes(degree, centred):
    for safe in ("true", "false"):
        module = create(f"hp1[degree={degree},zero_centred={centred},safe={safe},start=elu]").double()
        x = torch.tensor([0.0, -2.0, 1.0], dtype=torch.float64)
        y = module(x).detach()
        assert y.isfinite().all()
        if centred != "false":
            assert y[0] == 0


def test_same_functions_have_one_start():
    pairs = {"silu": "swish", "leaky_relu[slope=0.1]": "leaky_relu_0.1", "leaky_relu[slope=0.01]": "leaky_relu"}
    for first, second in pairs.items():
        one, other = (create(f"pau[start={start}]") for start in (first, second))
        assert torch.equal(one.a, other.a) and torch.equal(one.b, other.b)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ("gellu", "did you mean 'gelu'"),
        ("pau", "a start must be a fixed function of x"),
        ("acon_a", "a start must be a fixed function of x"),
        ("maxout", "a start must be a fixed function of x"),
        ("torch.nn:ReLU", "a start is a registered activation or one of leaky_relu"),
    ],
)
@pytest.mark.parametrize("name", ["pau", "opau"])
def test_what_is_no_start(name, start, message):
    with pytest.raises(UsageError, match=message):
        create(f"{name}[start={start}]")


def test_a_requested_start_does_not_hang_on_torch():
    """Neither the default dtype nor the meta device, where plans are checked, nor a generator."""
    rational_starts.on_request.cache_clear()
    torch.manual_seed(0)
    before = torch.get_rng_state()
    with torch.device("meta"):
        create("pau[start=mish,degree=4:3]")
    held = rational_starts.on_request("a", 4, 3, "mish", False)
    rational_starts.on_request.cache_clear()
    torch.set_default_dtype(torch.float64)
    try:
        module = create("pau[start=mish,degree=4:3]")
    finally:
        torch.set_default_dtype(torch.float32)
    assert module.a.tolist() == held.numerator
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.slow
def test_another_machine_gives_the_same_start():
    """LAPACK's kernels for another processor stand for another machine: 7 digits, the last may differ."""
    code = (
        "from afbench.activations.rational_starts import on_request as fit\n"
        "for form, n, m in (('a', 4, 3), ('b', 6, 4), ('hermite_prob', 5, 4)):\n"
        "    one = fit(form, n, m, 'mish', False); print(*one.numerator, *one.denominator)"
    )
    printed = []
    for kind in ("Haswell", "Prescott"):
        env = os.environ | {"OPENBLAS_CORETYPE": kind}
        printed.append(subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True).stdout)
    first, second = (np.array(text.split(), dtype=float) for text in printed)
    assert_allclose(first, second, rtol=1e-5, atol=1e-6)


def test_the_command_shows_a_start(capsys):
    rational_fit.show("pau[degree=4:3,start=tanh]")
    shown = capsys.readouterr().out.splitlines()
    held = starts()["a 4:3 tanh"]
    assert shown[0].split()[1:] == [f"{value:.7g}" for value in held.numerator]
    assert shown[2].startswith(f"rmse {held.rmse:g} and at most {held.max_error:g} on [-3, 3]")
    with pytest.raises(UsageError, match="has no start to show; pau"):
        rational_fit.show("relu")
