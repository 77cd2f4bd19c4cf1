"""The pointwise kernels against float64 truth: formulas written apart in NumPy, derivatives by central differences."""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.polynomial import chebyshev, laguerre

from afbench import create
from afbench.kernels import library

OPS = torch.ops.afbench
# The processor's best in the quick tests, which is what runs; what it has besides in the slow ones.
LESSER = [pytest.param(isa, marks=pytest.mark.slow) for isa in library.available()[:-1]]
NONE = pytest.param(None, marks=pytest.mark.skip(reason="no compiled kernels here"))
ISAS = [*LESSER, *library.available()[-1:]] or [NONE]
native = pytest.mark.parametrize("isa", ISAS)


def sigmoid(z):
    return 0.5 * (1 + np.tanh(z / 2))


def horner(x, coefficients):
    total = 0 * x
    for c in reversed(coefficients):
        total = total * x + c
    return total


def acon(x, p1, p2, beta):
    return (p1 - p2) * x * sigmoid(beta * (p1 - p2) * x) + p2 * x


def pelu(x, a, b):
    return np.where(x > 0, a / b * x, a * np.expm1(np.minimum(x, 0) / b))


def ratio(below):
    def truth(x, a, b):
        return horner(x, a) / below(x, b)

    return truth


def basis(value):
    return lambda x, d: 1 + sum(np.abs(c * value(x, [0] * j + [1])) for j, c in enumerate(d, 1))


class Case(NamedTuple):
    """An operator, its truth, and parameters: each one value, or a polynomial's."""

    name: str
    truth: object
    parameters: tuple
    constants: tuple = ()

    @property
    def rational(self):
        return self.name == "rational"

    def __call__(self, x, parameters, channel_dim=0):
        return getattr(OPS, self.name)(x, *parameters, *self.constants, channel_dim)

    def backward(self, g, x, parameters, channel_dim=0):
        return getattr(OPS, f"{self.name}_backward")(g, x, *parameters, *self.constants, channel_dim)


B = [-0.7, 0.5, 0.3, 0.2]
A = [0.1, 0.6, -1.3, 0.9, 0.4, 0.25]
LINE = {
    "a": lambda x, b: 1 + sum(np.abs(c * x**j) for j, c in enumerate(b, 1)),
    "b": lambda x, b: 1 + np.abs(horner(x, [0, *b])),
    "c": lambda x, b: 0.1 + np.abs(horner(x, b)),
    "n": lambda x, b: horner(x, [1, *b]),
    "whole": lambda x, b: horner(x, b),
    "chebyshev1": basis(chebyshev.chebval),
    "laguerre": basis(laguerre.lagval),
}
POSITIVE = {"n": [0.0, 0.5, 0.0, 0.2], "whole": [1.5, 0.0, 0.5, 0.0, 0.2], "c": [0.9, -0.7, 0.5, 0.3, 0.2]}
CASES = {
    "swish": Case("swish", lambda x, beta: x * sigmoid(beta * x), (1.3,)),
    "acon_b": Case("acon_b", lambda x, p, beta: acon(x, 1, p, beta), (0.25, 1.3)),
    "acon_c": Case("acon_c", acon, (1.1, -0.4, 1.3)),
    "prelu": Case("prelu", lambda x, a: np.where(x > 0, x, a * x), (0.25,)),
    "pelu": Case("pelu", pelu, (1.2, 0.8)),
}
for line, below in LINE.items():
    for n, m in ((5, 4), (3, 2)) if line in ("a", "laguerre") else ((5, 4),):
        b = POSITIVE.get(line, B)[: m + (line in ("c", "whole"))]
        CASES[f"{line} {n}:{m}"] = Case("rational", ratio(below), (A[: n + 1], b), ("", line))

each = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


def spread(case, channels, dtype, seed=1):
    """Parameters of their own for every channel, in float32, each near the case's."""
    rng = np.random.default_rng(seed)
    found = []
    for value in case.parameters:
        noise = 1 + 0.2 * rng.random((channels, *np.shape(value)))
        found.append(torch.tensor(noise * np.asarray(value)).to(dtype))
    return found


LAYOUTS = {
    "empty": (lambda: torch.zeros(2, 3, 0), 1),
    "one": (lambda: torch.randn(1, 3), 1),
    "NC": (lambda: torch.randn(67, 3), 1),
    "NC wide": (lambda: torch.randn(9, 40), 1),
    "NCL": (lambda: torch.randn(5, 3, 7), 1),
    "NCHW": (lambda: torch.randn(3, 5, 7, 9), 1),
    "rows": (lambda: torch.randn(2, 3, 41, 43), 1),
    "NLC": (lambda: torch.randn(3, 11, 6), 2),
    "channels_last": (lambda: torch.randn(3, 5, 7, 9).contiguous(memory_format=torch.channels_last), 1),
    "transposed": (lambda: torch.randn(6, 5, 33).transpose(0, 2), 1),
    "sliced": (lambda: torch.randn(4, 6, 50)[:, ::2, 1::3], 1),
    "expanded": (lambda: torch.randn(4, 3, 1).expand(4, 3, 20), 1),
    "channels first": (lambda: torch.randn(3, 100), 0),
    "blocks": (lambda: torch.randn(2, 4, 70, 67), 1),
}
layouts = pytest.mark.parametrize("layout", LAYOUTS)


def made(layout, dtype=torch.float32):
    """An input of that layout, away from the kinks at 0."""
    torch.manual_seed(0)
    build, dim = LAYOUTS[layout]
    x = build()
    x = (2 * x).to(dtype)  # keeps the strides
    return (x + 0.01 * torch.sign(x) if layout != "expanded" else x), dim


def truths(case, x, parameters, dim):
    """y, and a function of g that gives the gradients, in long double."""
    wide = np.moveaxis(x.double().numpy().astype(np.longdouble), dim, -1)
    values = [p.double().numpy().astype(np.longdouble) for p in parameters]
    if case.rational:
        values = [[v[:, i] for i in range(v.shape[1])] for v in values]
    y = case.truth(wide, *values)

    def gradients(g):
        g = np.moveaxis(g.double().numpy(), dim, -1)
        h = 1e-7 * np.maximum(np.abs(wide), 1)
        dx = g * (case.truth(wide + h, *values) - case.truth(wide - h, *values)) / (2 * h)
        found = [np.moveaxis(dx, -1, dim)]
        for k, value in enumerate(values):
            columns = value if case.rational else [value]
            slopes = []
            for i, column in enumerate(columns):
                ends = []
                for sign in (1, -1):
                    moved = [*columns]
                    moved[i] = column + sign * 1e-7
                    new = [*values]
                    new[k] = moved if case.rational else moved[0]
                    ends.append(case.truth(wide, *new))
                per = g * (ends[0] - ends[1]) / 2e-7
                slopes.append(per.reshape(-1, per.shape[-1]).sum(0))
            found.append(np.stack(slopes, -1) if case.rational else slopes[0])
        return found

    return np.moveaxis(y, -1, dim), gradients


def near(got, wanted, dtype, what):
    """Within some roundings, of the value or of the typical value."""
    wanted = np.asarray(wanted, dtype=np.float64)
    got = got.double().numpy()
    assert got.shape == wanted.shape, what
    tolerance = {torch.float32: 2e-5, torch.bfloat16: 2.0**-7}[dtype]
    scale = np.abs(wanted).mean() if wanted.size else 1
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance * (scale + 0.1), err_msg=what)


@native
@layouts
@each
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_against_truth(case, layout, isa, dtype):
    x, dim = made(layout, dtype)
    parameters = spread(case, x.shape[dim], torch.float32)
    g = torch.randn(x.shape, generator=torch.Generator().manual_seed(2)).to(dtype)
    y, gradients = truths(case, x, parameters, dim)
    with library.using(isa):
        got = case(x, parameters, dim)
        slopes = case.backward(g, x, parameters, dim)
    assert got.dtype == dtype and got.stride() == torch.empty_like(x).stride()
    near(got, y, dtype, "y")
    for number, (one, wanted) in enumerate(zip(slopes, gradients(g), strict=True)):
        # Parameters are float32, and so are their sums, even of bfloat16.
        near(one, wanted, dtype if number == 0 else torch.float32, f"gradient {number}")


@native
@each
@pytest.mark.parametrize("shape", [(), (1,), (7,), (40, 1001)])
def test_one_value_a_layer(case, shape, isa):
    x = 2 * torch.randn(shape, generator=torch.Generator().manual_seed(0))
    parameters = spread(case, 1, torch.float32)
    own = [p[0] if case.rational else p for p in parameters]
    y, gradients = truths(case, x.reshape(-1, 1), parameters, 1)
    with library.using(isa):
        near(case(x, own).reshape(-1, 1), y, torch.float32, "y")
        dx, *slopes = case.backward(torch.ones(shape), x, own)
    wanted = gradients(torch.ones(x.numel(), 1))
    near(dx.reshape(-1, 1), wanted[0], torch.float32, "dx")
    for one, right in zip(slopes, wanted[1:], strict=True):
        near(one.reshape(right.shape), right, torch.float32, "slope")


@native
def test_one_value_a_sample_and_channel(isa):
    """As Meta-ACON needs: beta [N, C], p1 and p2 [C]; in every layout."""
    torch.manual_seed(0)
    p1, p2, beta = torch.randn(5), torch.randn(5), torch.randn(3, 5)
    for x, dim in (
        (torch.randn(3, 5, 4, 6), 1),
        (torch.randn(3, 5, 8, 9).contiguous(memory_format=torch.channels_last), 1),
        (torch.randn(3, 70, 5), 2),
        (torch.randn(3, 5), 1),
        (torch.randn(5, 7, 3).movedim(2, 0), 1),
    ):
        shape = [1] * x.dim()
        shape[dim] = 5
        wide = [t.double().reshape(shape).requires_grad_() for t in (p1, p2)]
        shape[0] = 3
        wide.append(beta.double().reshape(shape).requires_grad_())
        leaf = x.double().requires_grad_()
        g = torch.randn(x.shape)
        difference = (wide[0] - wide[1]) * leaf
        y = difference * torch.sigmoid(wide[2] * difference) + wide[1] * leaf
        y.backward(g.double())
        with library.using(isa):
            near(OPS.acon_c(x, p1, p2, beta, dim), y.detach(), torch.float32, "y")
            for one, t in zip(OPS.acon_c_backward(g, x, p1, p2, beta, dim), (leaf, *wide), strict=True):
                near(one, t.grad.reshape(one.shape), torch.float32, "gradient")


EXTREMES = [0.0, 1e-45, 1e-38, 1e-20, 1e-8, 0.5, 1.0, 3.0, 50.0, 87.5, 88.5, 90.0, 500.0, 3e3, 1e4, 1e10, 1e20, 1e30]


@native
@each
@pytest.mark.parametrize("shape", [(1,), (37,), (5, 37)])
def test_extremes(case, shape, isa):
    x = (
        torch.tensor([*EXTREMES, *(-v for v in EXTREMES), 0.3])
        .expand(shape[:-1] + (37,))[..., : shape[-1]]
        .contiguous()
    )
    parameters = spread(case, 1, torch.float32)
    own = [p[0] if case.rational else p for p in parameters]
    y, _ = truths(case, x.reshape(-1, 1), parameters, 1)
    with library.using(isa):
        got = case(x, own)
        slopes = case.backward(torch.ones_like(x), x, own)
    with np.errstate(over="ignore"):
        wanted = y.astype(np.float64).reshape(shape)
    np.testing.assert_allclose(got.double().numpy(), wanted, rtol=3e-5, atol=1e-7)
    for slope in slopes:
        assert slope.isfinite().all()
    with library.using(None):
        plain = case.backward(torch.ones_like(x), x, own)[0]
    torch.testing.assert_close(slopes[0], plain, rtol=1e-3, atol=1e-4)


@native
@each
def test_nan_and_infinity(case, isa):
    """A NaN stays where it is; infinities give what the plain path gives."""
    own = [p[0] if case.rational else p for p in spread(case, 1, torch.float32)]
    x = torch.randn(37)
    clean = x.clone()
    x[5] = x[36] = torch.nan
    ends = torch.tensor([torch.inf, -torch.inf, 1.0])
    for dtype in (torch.float32, torch.bfloat16):
        with library.using(isa):
            y, of_clean, of_ends = (case(v.to(dtype), own) for v in (x, clean, ends))
            dx = case.backward(torch.ones(37, dtype=dtype), x.to(dtype), own)[0]
        assert y.isnan().nonzero().flatten().tolist() == [5, 36]
        assert dx.isnan()[[5, 36]].all() or case.name == "prelu"
        kept = ~x.isnan()
        assert torch.equal(y[kept], of_clean[kept]) or case.rational  # its vectors then take the far path
        torch.testing.assert_close(y[kept].float(), of_clean[kept].float(), rtol=2e-2, atol=1e-5)
        with library.using(None):
            torch.testing.assert_close(of_ends, case(ends.to(dtype), own), equal_nan=True, rtol=2e-2, atol=1e-5)


@native
@each
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.lists(st.integers(0, 9), min_size=1, max_size=4),
    data=st.data(),
)
def test_any_layout_is_the_plain_one(case, isa, shape, data):
    """Whatever the order of dimensions and the channels' place, native is plain."""
    order = data.draw(st.permutations(range(len(shape))))
    dim = data.draw(st.integers(0, len(shape) - 1))
    x, g = (
        torch.randn([shape[i] for i in order], generator=torch.Generator().manual_seed(seed)).permute(
            [order.index(i) for i in range(len(shape))]
        )
        for seed in (3, 4)
    )
    x, parameters = 3 * x, spread(case, shape[dim], torch.float32)
    with library.using(isa):
        native_ones = [case(x, parameters, dim), *case.backward(g, x, parameters, dim)]
    with library.using(None):
        plain_ones = [case(x, parameters, dim), *case.backward(g, x, parameters, dim)]
    for one, other in zip(native_ones, plain_ones, strict=True):
        # Sums over large terms that nearly cancel keep the digits of the terms.
        size = 1 + (other.abs().max().item() if other.numel() else 0)
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4 * size, check_stride=False)


@native
@each
def test_bits_do_not_depend_on_threads_or_chance(case, isa):
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    for x, dim in ((torch.randn(4, 6, 70, 71), 1), (torch.randn(30, 700, 6), 2), (torch.randn(400_001, 1), 1)):
        parameters = spread(case, x.shape[dim], torch.float32)
        g = torch.randn_like(x)
        results = []
        try:
            for count in (1, 2, 2, 3):
                torch.set_num_threads(count)
                with library.using(isa):
                    results.append([case(x, parameters, dim), *case.backward(g, x, parameters, dim)])
        finally:
            torch.set_num_threads(threads)
        for other in results[1:]:
            assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


@native
def test_parameters_in_bfloat16(isa):
    x, p = torch.randn(50, 3), [torch.randn(3) for _ in range(3)]
    low = [t.bfloat16() for t in p]
    with library.using(isa):
        y, slopes = OPS.acon_c(x, *low, 1), OPS.acon_c_backward(torch.ones_like(x), x, *low, 1)
        wide = [t.float() for t in low]
        assert torch.equal(y, OPS.acon_c(x, *wide, 1))
        for one, other in zip(slopes[1:], OPS.acon_c_backward(torch.ones_like(x), x, *wide, 1)[1:], strict=True):
            assert torch.equal(one, other.bfloat16())


@native
def test_what_does_not_fit_is_refused(isa):
    with library.using(isa), pytest.raises(ValueError, match="do not fit an input of shape"):
        OPS.swish(torch.ones(2, 3), torch.ones(4), 1)


@native
def test_python_threads(isa):
    """Several at once, each with a large input: they share torch's threads."""
    x = torch.randn(200_000)
    beta = torch.tensor([1.3])
    wrong = []

    def work():
        for _ in range(5):
            if not torch.equal(OPS.swish(x, beta, 0), wanted):
                wrong.append(True)

    with library.using(isa):
        wanted = OPS.swish(x, beta, 0)
        started = [threading.Thread(target=work) for _ in range(4)]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()
    assert not wrong


@native
def test_the_exponential_keeps_its_digits(isa):
    """A few roundings of float32, where the other tests allow hundreds: beta and b of 1 leave the exponential alone."""
    x = torch.cat([torch.linspace(-80, 80, 4001), torch.linspace(-2, 2, 4001)])
    wide = x.double().numpy().astype(np.longdouble)
    with library.using(isa):
        swish, pelu = OPS.swish(x, torch.ones(1), 0), OPS.pelu(x, torch.ones(1), torch.ones(1), 0)
    np.testing.assert_allclose(swish.numpy(), wide / (1 + np.exp(-wide)), rtol=5e-7)
    np.testing.assert_allclose(pelu.numpy(), np.where(wide > 0, wide, np.expm1(np.minimum(wide, 0))), rtol=5e-7)


@native
@pytest.mark.parametrize("name", ["swish", "acon_c", "prelu", "pelu"])
def test_a_gradient_of_another_dtype(name, isa):
    case = CASES[name]
    x, own = torch.randn(4, 5), spread(case, 1, torch.float32)
    g = torch.randn(4, 5).bfloat16()
    with library.using(isa):
        for one, other in zip(case.backward(g, x, own), case.backward(g.float(), x, own), strict=True):
            assert torch.equal(one, other)


def test_float64_is_the_formula():
    x = torch.linspace(-5, 5, 101, dtype=torch.float64)
    for case in CASES.values():
        parameters = spread(case, 1, torch.float64)
        own = [p[0] if case.rational else p for p in parameters]
        y, _ = truths(case, x.reshape(-1, 1), parameters, 1)
        np.testing.assert_allclose(case(x, own).numpy(), y[:, 0].astype(float), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("spec", ["swish", "acon_c", "acon_b", "pelu"])
def test_no_argument_of_an_exponential_gives_nan(isa, spec):
    """Every float's neighbourhood from -120 to 120: e^v is inf from 88.376 on, where a remainder must not be -inf."""
    x = torch.linspace(-120, 120, 480_001).reshape(-1, 1).requires_grad_()
    module = create(spec, channels=1, channel_dim=-1)
    with torch.no_grad():
        for name, value in {"p1": 1.0, "p2": 0.0, "p": 0.0}.items():
            if hasattr(module, name):
                getattr(module, name).fill_(value)
    with library.using(isa):
        y = module(x)
        gradients = torch.autograd.grad(y.sum(), [x, *module.parameters()])
    assert y.isfinite().all() and all(g.isfinite().all() for g in gradients)
    torch.testing.assert_close(y, module.double()(x.double()).float(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("isa", ISAS)
def test_every_bfloat16_is_rounded_as_torch_rounds_it(isa):
    """All 65,536 of them, as inputs; a slope of eight digits makes ties of one product in 128."""
    x = torch.arange(-(2**15), 2**15).to(torch.int16).view(torch.bfloat16)
    a = torch.tensor([0.2578125])
    with library.using(isa):
        got = OPS.prelu(x, a, 1)
    wide = x.float()
    wanted = torch.where(wide > 0, wide, a * wide).to(torch.bfloat16)
    assert torch.equal(got.isnan(), wanted.isnan())
    assert torch.equal(got[~got.isnan()].view(torch.int16), wanted[~wanted.isnan()].view(torch.int16))


@pytest.mark.parametrize("name", ["swish", "prelu"])
@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_other_numbers_are_refused(name, dtype):
    """Once they were cut down to their own dtype without a word."""
    with pytest.raises(TypeError, match=f"{name} takes floating-point inputs, not {dtype}"):
        getattr(OPS, name)(torch.ones(3).to(dtype), torch.ones(1), 0)


@pytest.mark.parametrize("isa", [*ISAS, None])
@pytest.mark.parametrize("name", ["swish", "prelu"])
def test_a_parameter_without_dimensions_serves_all(name, isa):
    """It ended the process once."""
    x, one = torch.randn(2, 4, 3), torch.tensor(0.7, requires_grad=True)
    with library.using(isa):
        got = getattr(OPS, name)(x, one, 1)
        wanted = getattr(OPS, name)(x, torch.full((1,), 0.7), 1)
        assert torch.equal(got, wanted)
        assert torch.autograd.grad(got.sum(), one)[0].shape == ()
        many = torch.vmap(lambda p: getattr(OPS, name)(x, p, 1))(torch.tensor([0.7, 0.1]))
    torch.testing.assert_close(many[0], wanted)


@pytest.mark.parametrize("isa", ISAS)
def test_gradients_lie_as_their_parameters_do(isa):
    """torch.compile counts on it."""
    x, p = torch.randn(6, 3, 4), torch.rand(3, 6).t()
    with library.using(isa):
        found = OPS.swish_backward(torch.randn_like(x), x, p, 1)[1]
    assert found.stride() == torch.empty_like(p).stride()


@pytest.mark.parametrize("isa", ISAS)
def test_the_slope_of_pelu_keeps_its_digits(isa):
    x = torch.linspace(-80, -0.1, 2001, requires_grad=True)
    with library.using(isa):
        (slope,) = torch.autograd.grad(OPS.pelu(x, torch.ones(1), torch.ones(1), 0).sum(), x)
    torch.testing.assert_close(slope.double(), x.detach().double().exp(), rtol=4e-6, atol=0)
