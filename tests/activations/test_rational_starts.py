"""Every stored start against its function, in NumPy and SciPy alone."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from numpy.polynomial import chebyshev, hermite, hermite_e, laguerre, legendre, polynomial
from numpy.testing import assert_allclose
from scipy import special

from afbench.activations import rational_fit
from afbench.activations.opau import OPAU
from afbench.activations.pau import PAU
from afbench.activations.rational_starts import FITTED, PUBLISHED, starts

FUNCTIONS = {
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
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


@pytest.mark.parametrize("name", starts())
def test_stated_errors(name):
    held, function = starts()[name], FUNCTIONS[name.split()[2]]
    error = np.abs(ratio(name, NEAR) - function(NEAR))
    assert_allclose(np.sqrt((error**2).mean()), held.rmse, rtol=0.01, atol=1e-10)
    assert_allclose(error.max(), held.max_error, rtol=0.01, atol=1e-10)


@pytest.mark.parametrize("name", starts())
def test_none_explodes(name):
    """No start is farther from its function than |x|, out to 1e6 and, since f(x) / x has a limit there, beyond."""
    held, function = starts()[name], FUNCTIONS[name.split()[2]]
    off = np.abs(ratio(name, FAR) - function(FAR)) / np.abs(FAR)
    assert_allclose(off.max(), held.far, rtol=0.01, atol=1e-10)
    assert held.far <= 1
    slopes = [ratio(name, x) / x for x in (np.array([-1e6, 1e6]), np.array([-1e8, 1e8]))]
    assert_allclose(slopes[0], slopes[1], atol=0.01)


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
    return {name: float(error) for name, error in re.findall(r"([a-z_]+[12]?) (0\.\d+|\d\.\de-\d+)", doc)}


def test_docstrings_state_the_errors():
    pau, opau = stated(PAU.__doc__), stated(OPAU.__doc__)
    for start in FUNCTIONS:
        assert_allclose(pau[start], starts()[f"a 5:4 {start}"].max_error, rtol=0.05)
    for basis in BASES:
        assert_allclose(opau[basis], starts()[f"{basis} 5:4 leaky_relu"].max_error, rtol=0.05)
    smooth = [starts()[f"{b} 5:4 {f}"].max_error for b in BASES for f in FUNCTIONS if not f.endswith("relu")]
    assert_allclose(opau["most"], max(smooth), rtol=0.05)
    for degree, error in {"2:2": 0.26, "3:2": 0.11, "7:6": 0.010}.items():
        assert_allclose(starts()[f"a {degree} leaky_relu"].max_error, error, rtol=0.05)


@pytest.mark.parametrize("name", ["a 5:4 gelu", "b 3:2 tanh zero-centred", "legendre 2:2 leaky_relu"])
def test_the_script_makes_them_again(name):
    (problem,) = [problem for problem in rational_fit.problems() if problem[0] == name]
    made = rational_fit.entry(*problem[1:])
    assert_allclose(made["rmse"], starts()[name].rmse, rtol=0.02)
    assert_allclose(made["far"], starts()[name].far, rtol=0.1)


@pytest.mark.parametrize("spec", ["pau[start={}]", "hp1[start={}]", "opau[start={},safe=false]"])
@pytest.mark.parametrize("start", FUNCTIONS)
def test_the_module_is_near_its_function(curve, spec, start):
    assert np.abs(curve(spec.format(start), NEAR) - FUNCTIONS[start](NEAR)).max() < 0.1
