"""Ratios of two polynomials, one operator: PAU's versions and OPAU's bases, computed so that no power overflows."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from . import library, pointwise
from .constants import constant
from .operator import register
from .orthogonal import Basis, Centring, free_terms, homogeneous_values, in_powers, recurrence, whole

BELOW = ("a", "b", "c", "n", "whole")
"""What may stand below the line, beside the names of the bases."""

HIGHEST = 16
"""The highest degree that the kernels serve."""


def _plain(x: Tensor, a: Tensor, b: Tensor, above: str, below: str, channel_dim: int) -> Tensor:
    """The plain formula.

    Numerator and denominator are divided by the powers n and m of s = max(|x|, 1). What is left are polynomials in
    x / s and 1 / s, both within [-1, 1]: the ratio in x near 0 and in 1/x beyond |x| > 1.
    """
    wide, a, b = pointwise.widened(x, a, b)
    a = in_powers_of_x(a, above)
    top, bottom = (
        [pointwise.along(c if c.dim() else c.reshape(1), x, channel_dim) for c in both.unbind(-1)] for both in (a, b)
    )
    # The ratio does not depend on s, so its derivatives are those at constant s: autograd need not follow the kink.
    scale = wide.detach().abs().clamp(min=1)
    u, v = wide / scale, 1 / scale
    ratio = homogeneous(u, v, top) / _denominator(u, v, bottom, below)
    for _ in range(len(top) - 1 - degree_below(len(bottom), below)):
        ratio = ratio * scale
    return ratio.to(x.dtype)


def _denominator(u: Tensor, v: Tensor, b: Sequence[Tensor], below: str) -> Tensor:
    """Q(x) / s^m for u = x / s and v = 1 / s."""
    one, none = torch.ones_like(b[0]), torch.zeros_like(b[0])
    if below == "a":
        # Even powers are smooth at 0, which autograd would not see in |u|^2: the curvature of that is 0 there, not 2.
        sizes = [one, *(c.abs() for c in b)]
        even, odd = (homogeneous(u * u, v * v, part) for part in (sizes[::2], sizes[1::2]))
        return v * even + u.abs() * odd if len(b) % 2 else even + u.abs() * v * odd
    if below == "b":
        inner = homogeneous(u, v, [none, *b])
        return v ** len(b) + inner * _sign(inner, u, b)
    if below == "c":
        return 0.1 * v ** (len(b) - 1) + homogeneous(u, v, b).abs()
    if below == "n":
        return homogeneous(u, v, [one, *b])
    if below == "whole":
        return homogeneous(u, v, b)
    total = torch.ones_like(v)
    for size, value in zip(b, homogeneous_values(below, u, v, len(b)), strict=True):  # type: ignore[arg-type]
        total = torch.addcmul(size.abs() * value.abs(), total, v)
    return total


def _sign(inner: Tensor, u: Tensor, b: Sequence[Tensor]) -> Tensor:
    """The sign of b_1 x + b_2 x^2 + ...; where it only touches 0 there, its sign beside it: |b_2| x^2 is smooth."""
    sign = inner.detach().sign()
    if len(b) == 1:
        return sign
    touches = (u.detach() == 0) & (b[0].detach() == 0)
    return torch.where(touches, b[1].detach().sign(), sign)


def homogeneous(u: Tensor, v: Tensor, coefficients: Sequence[Tensor]) -> Tensor:
    """Sum c_i u^i v^(n - i) over i = 0..n, by Horner's rule in u.

    >>> homogeneous(torch.tensor(2.0), torch.tensor(3.0), torch.tensor([1.0, 1.0, 1.0]))
    tensor(19.)
    """
    *lower, total = coefficients
    power = v
    for position, coefficient in enumerate(reversed(lower)):
        power = power if position == 0 else power * v
        total = torch.addcmul(coefficient * power, total, u)
    return total


def numerator(basis: Basis, degree: int, centring: Centring | Literal["rest"] = False) -> str:
    """Name the terms that a numerator's coefficients stand before: those of `free_terms`, or f_1, f_2, ... (``rest``).

    >>> numerator("hermite_prob", 5, "case1")
    'hermite_prob 5 case1'
    """
    return f"{basis} {degree} {centring}"


@cache
def _terms(above: str) -> tuple[list[list[float]], list[float]]:
    basis, degree, kind = above.split()
    centring: Any = {"False": False, "True": True}.get(kind, kind)
    if centring == "rest":
        return whole(in_powers(basis, int(degree))[1:])  # type: ignore[arg-type]
    return whole(free_terms(basis, int(degree), centring))  # type: ignore[arg-type]


def terms(above: str) -> NDArray[np.float64]:
    """The named terms in powers of x, times their divisors: ``[free, n + 1]``, whole numbers."""
    return np.array(_terms(above)[0])


def divisors(above: str) -> NDArray[np.float64]:
    """What they are divided by, ``[free]``."""
    return np.array(_terms(above)[1])


def in_powers_of_x(coefficients: Tensor, above: str) -> Tensor:
    """Sum c_i terms_i; not as a matrix product, which autocast would do in 16 bits. As they are where ``above`` is "".

    >>> in_powers_of_x(torch.ones(3), numerator("hermite_prob", 2))
    tensor([0., 1., 1.])
    """
    if not above:
        return coefficients
    numbers, under = (constant(make, above, like=coefficients, dtype=coefficients.dtype) for make in (terms, divisors))
    return ((coefficients / under)[..., None] * numbers).sum(-2)


def degree_below(count: int, below: str) -> int:
    """The degree m of the denominator that has so many parameters."""
    return count - int(below in ("c", "whole"))


def degrees(text: str) -> tuple[int, int]:
    """Read the degrees of numerator and denominator from text such as ``5:4``.

    Raises:
        ValueError: unless it is n:m with 1 <= m <= n.

    >>> degrees("5:4")
    (5, 4)
    """
    match = re.fullmatch("([1-9][0-9]*):([1-9][0-9]*)", text)
    n, m = map(int, match.groups()) if match else (0, 1)
    if n < m:
        raise ValueError(f"degree must be n:m, numerator:denominator with 1 <= m <= n, such as 5:4, not {text!r}")
    return n, m


_NATIVE = library.Native("afbench_rational")


@cache
def _steps(below: str, m: int) -> array[float]:
    """The recurrence of a basis, as native/rational.cpp reads it."""
    return array("d", [float(number) for i in range(m) for number in recurrence(below, i)])  # type: ignore[arg-type]


@cache
def _in_memory(above: str) -> tuple[array[float], array[float]]:
    """The terms and their divisors, as native/rational.cpp reads them."""
    return array("f", terms(above).ravel().tolist()), array("f", divisors(above).tolist())


def degree_above(a: Tensor, above: str) -> int:
    """The degree n of the numerator that has these parameters."""
    return int(above.split()[1]) if above else a.shape[-1] - 1


def _settings(a: Tensor, b: Tensor, above: str, below: str) -> tuple[int, ...]:
    """What a message to native/rational.cpp says of the rational function."""
    n, m = degree_above(a, above), degree_below(b.shape[-1], below)
    steps = 0 if below in BELOW else _steps(below, m).buffer_info()[0]
    if not above:
        return library.address(below), n, m, a.shape[-1], 0, 0, steps
    free, under = _in_memory(above)
    if a.shape[-1] != len(under):
        raise ValueError(f"a must have {len(under)} entries for {above}, got {a.shape[-1]}")
    return library.address(below), n, m, a.shape[-1], free.buffer_info()[0], under.buffer_info()[0], steps


def _serves(x: Tensor, a: Tensor, b: Tensor, above: str, below: str, channel_dim: int) -> bool:
    return library.instructions() is not None and pointwise.serves(x, a, b) and degree_above(a, above) <= HIGHEST


def _forward(x: Tensor, a: Tensor, b: Tensor, *rest: Any) -> Tensor:
    return pointwise.forward(_NATIVE, _settings(a, b, *rest[:-1]), x, (a, b), True, rest[-1])


def _backward(gradient: Tensor, x: Tensor, a: Tensor, b: Tensor, *rest: Any) -> tuple[Tensor, ...]:
    return pointwise.backward(_NATIVE, _settings(a, b, *rest[:-1]), gradient, x, (a, b), True, rest[-1])


def _batch(size: int, x: Any, a: Any, b: Any, above: Any, below: Any, channel_dim: Any) -> tuple[Any, ...]:
    return *pointwise.batched(size, x, (a, b), True), above[0], below[0], channel_dim[0] + 1


rational = register(
    "rational(Tensor x, Tensor a, Tensor b, str above, str below, int channel_dim) -> Tensor",
    inputs=3,
    values=1,
    plain=_plain,
    forward=_forward,
    backward=_backward,
    serves=_serves,
    batch=_batch,
)
"""P(x) / Q(x), P(x) = a_0 + ... + a_n x^n, in powers of x near 0 and of 1/x far out.

Of x; a ``[n + 1]`` or, per channel, ``[C, n + 1]``; b likewise; the `numerator` that names the terms that the a_i stand
before, or "" if a_i stands before x^i; what stands below the line; and the channel dimension. Below the line:

- ``a``: 1 + |b_1 x| + ... + |b_m x^m|, PAU's version A.
- ``b``: 1 + |b_1 x + ... + b_m x^m|, PAU's version B, the form in its paper.
- ``c``: 0.1 + |b_0 + b_1 x + ... + b_m x^m|, version C.
- ``n``: 1 + b_1 x + ... + b_m x^m, version N, which may have zeros.
- ``whole``: b_0 + b_1 x + ... + b_m x^m, likewise.
- a basis: 1 + |b_1 f_1(x)| + ... + |b_m f_m(x)|.
"""
