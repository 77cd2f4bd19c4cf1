"""Values, slopes and curvatures of every elementwise formula against 40 digits, above all at the seams."""

from __future__ import annotations

import mpmath
import pytest
import torch
from mpmath import mpf

from afbench import create

mpmath.mp.dps = 40


def rectified(x, below):
    return x if x > 0 else below(x)


def step(z, kind):
    return {
        "logistic": lambda: 1 / (1 + mpmath.exp(-z)),
        "tanh": lambda: (1 + mpmath.tanh(z)) / 2,
        "erf": lambda: (1 + mpmath.erf(z)) / 2,
        "arctan": lambda: mpf(1) / 2 + mpmath.atan(z) / mpmath.pi,
        "algebraic": lambda: (1 + z / mpmath.sqrt(1 + z * z)) / 2,
        "softsign": lambda: (1 + z / (1 + abs(z))) / 2,
    }[kind]()


def normal(x):
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2


SMOOTH = {
    "gelu": lambda x: x * normal(x),
    "gelu_tanh": lambda x: x * (1 + mpmath.tanh(mpmath.sqrt(2 / mpmath.pi) * (x + mpf("0.044715") * x**3))) / 2,
    "gelu_sigmoid": lambda x: x / (1 + mpmath.exp(-mpf("1.702") * x)),
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "mish": lambda x: x * mpmath.tanh(mpmath.log1p(mpmath.exp(x))),
    "tanh": mpmath.tanh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "softplus[beta=3]": lambda x: mpmath.log1p(mpmath.exp(3 * x)) / 3,
    "squareplus": lambda x: (x + mpmath.sqrt(x * x + 4)) / 2,
    "squareplus[b=0.1]": lambda x: (x + mpmath.sqrt(x * x + mpf(0.1))) / 2,
    "swish": lambda x: x / (1 + mpmath.exp(-x)),
    "swish[beta=2]": lambda x: x / (1 + mpmath.exp(-2 * x)),
    "acon_a[per=layer]": lambda x: x / (1 + mpmath.exp(-x)),
    "acon_b[per=layer]": lambda x: mpf(0.75) * x / (1 + mpmath.exp(-mpf(0.75) * x)) + x / 4,
    **{f"smooth_relu[step={s}]": lambda x, s=s: x * step(x, s) for s in ("logistic", "tanh", "erf", "arctan")},
    **{f"smooth_relu[k=3,step={s}]": lambda x, s=s: x * step(3 * x, s) for s in ("erf", "arctan", "algebraic")},
    "smooth_relu[step=algebraic]": lambda x: x * step(x, "algebraic"),
}
"""Smooth everywhere: mpmath differentiates them by itself."""

FAR = (
    -700.0,
    -90.0,
    -40.0,
    -12.0,
    -3.0,
    -1.0,
    -1e-3,
    -1e-30,
    -0.0,
    0.0,
    1e-30,
    1e-3,
    1.0,
    3.0,
    12.0,
    40.0,
    90.0,
    700.0,
)


OWN_SECOND = {
    ("mish", torch.float32): 80,
    ("mish", torch.bfloat16): 80,
    ("mish", torch.float16): 10,
    ("gelu", torch.float16): 200,
    ("gelu_tanh", torch.float16): 200,
}
"""Beyond these the second derivatives of torch's own operators overflow to NaN; the docstring of Mish says so."""


def derivatives(spec, points, dtype):
    act = create(spec, 1).to(dtype)
    x = torch.tensor(points, dtype=dtype, requires_grad=True)
    y = act(x.unsqueeze(1)).squeeze(1)
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    return [t.detach().double().tolist() for t in (y, first, second)]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("spec", SMOOTH)
def test_smooth_to_second_order(spec, dtype):
    points = torch.tensor(FAR).to(dtype).double().tolist()
    # Of values and slopes some roundings; second derivatives of torch's own multiply rounded first ones in 16 bits.
    unit = torch.finfo(dtype).eps
    for order, got in enumerate(derivatives(spec, points, dtype)):
        for x, value in zip(points, got, strict=True):
            if order == 2 and abs(x) > OWN_SECOND.get((spec, dtype), 1e3):
                continue
            wanted = float(mpmath.diff(SMOOTH[spec], mpf(x), order) if order else SMOOTH[spec](mpf(x)))
            assert abs(value - wanted) <= (4, 16, 32)[order] * unit * max(abs(wanted), 1), (order, x, value, wanted)


KINKS = {
    "relu": (0.0, 0.0, 0.0),
    "leaky_relu[slope=0.2]": (0.0, 0.2, 0.0),
    "prelu": (0.0, 0.25, 0.0),
    "elu[alpha=2]": (0.0, 2.0, None),
    "celu[alpha=2]": (0.0, 1.0, None),
    "pelu[a=2,b=4]": (0.0, 0.5, None),
    "selu": (0.0, 1.0507009873554804934193349852946 * 1.6732632423543772848170429916717, None),
    "softsign": (0.0, 1.0, 0.0),
    "identity": (0.0, 1.0, None),
    "hard_swish": (0.0, 0.5, 1 / 3),
    "smooth_relu[step=softsign]": (0.0, 0.5, 1.0),
    "smooth_relu[k=3,step=softsign]": (0.0, 0.5, 3.0),
}
"""Value, slope and curvature at 0 by hand; None where the curvature jumps. x H(k x) has 1/2 and 2 k H'(0) = k there.

Rectifiers have the slope of their negative half, as those of torch do.
"""


@pytest.mark.parametrize("zero", [0.0, -0.0])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("spec", KINKS)
def test_documented_slopes_at_kinks(spec, dtype, zero):
    act = create(spec).to(dtype)
    x = torch.tensor([zero], dtype=dtype, requires_grad=True)
    y = act(x)
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    value, slope, curvature = KINKS[spec]
    assert y.item() == value
    assert first.item() == pytest.approx(slope, rel=2 * torch.finfo(dtype).eps)
    if curvature is not None:
        (second,) = torch.autograd.grad(first.sum(), x)
        assert second.item() == pytest.approx(curvature, rel=8 * torch.finfo(dtype).eps)


@pytest.mark.parametrize(("x", "slope"), [(-3.0, 0.0), (3.0, 1.0)])
def test_hard_swish_has_the_outer_slope_at_its_kinks(x, slope):
    leaf = torch.tensor([x], requires_grad=True)
    assert torch.autograd.grad(create("hard_swish")(leaf).sum(), leaf)[0].item() == slope


def test_maxout_shares_the_gradient_where_maps_tie():
    act = create("maxout[pieces=4]", 1).double()
    with torch.no_grad():
        act.W.copy_(torch.tensor([1.0, 2.0, 3.0, -1.0]).reshape(4, 1, 1))
        act.b.zero_()
    x = torch.zeros(1, 1, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.grad(act(x).sum(), x)[0].item() == (1 + 2 + 3 - 1) / 4


LIMITS = {
    "relu": (0.0, torch.inf),
    "leaky_relu": (-torch.inf, torch.inf),
    "elu": (-1.0, torch.inf),
    "celu[alpha=2]": (-2.0, torch.inf),
    "softplus": (0.0, torch.inf),
    "squareplus": (0.0, torch.inf),
    "tanh": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "pelu": (-1.0, torch.inf),
    "prelu": (-torch.inf, torch.inf),
}
"""At minus and plus infinity. Gates times x are NaN at minus infinity, as torch's GELU, SiLU and Mish are."""


@pytest.mark.parametrize("spec", LIMITS)
def test_limits(spec):
    y = create(spec)(torch.tensor([-torch.inf, torch.inf]))
    assert y.tolist() == list(LIMITS[spec])


# By hand: P = 1 + x/2 + 3 x^2 over 1 + |b_1 x| + ... or 1 + |b_1 x + ...|. Where b_1 = 0 the size of b_2 x^2 is as
# smooth as x^2: the curvature at 0 is 2 (3 - |b_2|). |b_1 x| has neither slope nor curvature at 0, as |x| in torch.
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize(
    ("spec", "b", "curvature"),
    [
        ("pau[degree=2:2]", [0.0, 2.0], 2.0),
        ("pau[degree=2:2]", [0.0, -2.0], 2.0),
        ("pau[degree=2:2]", [0.7, 2.0], 2.0),
        ("pau[degree=3:3]", [0.0, -0.5, 4.0], 5.0),
        ("pau[degree=5:4]", [0.0, 2.0, 1.0, 1.0], 2.0),
        ("pau[degree=2:2,version=b]", [0.0, 2.0], 2.0),
        ("pau[degree=2:2,version=b]", [0.0, -2.0], 2.0),
        ("pau[degree=3:3,version=d]", [0.0, -0.5, 4.0], 5.0),
        ("pau[degree=2:2,version=n]", [0.0, 2.0], 2.0),
    ],
)
def test_even_terms_below_the_line_are_smooth_at_0(spec, b, curvature, dtype):
    act = create(spec).to(dtype).eval()
    with torch.no_grad():
        act.a.zero_()
        act.a[:3] = torch.tensor([1.0, 0.5, 3.0])
        act.b.copy_(torch.tensor(b))
    x = torch.zeros(1, dtype=dtype, requires_grad=True)
    (slope,) = torch.autograd.grad(act(x).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(slope.sum(), x)
    assert (slope.item(), second.item()) == (0.5, curvature)
