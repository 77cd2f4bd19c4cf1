"""Ratios of two polynomials, computed so that no power overflows, and the denominators that PAU and OPAU put under."""

from __future__ import annotations

import re
from collections.abc import Callable

import torch
from torch import Tensor

Denominator = Callable[[Tensor, Tensor], Tensor]
"""Q, homogeneous: a function of u = x / s and v = 1 / s that gives Q(x) / s^m."""


def rational(x: Tensor, a: Tensor, denominator: Denominator, m: int) -> Tensor:
    """Ratio P(x) / Q(x) of P(x) = a_0 + ... + a_n x^n and a Q of degree m <= n, whose powers cannot overflow.

    Numerator and denominator are divided by the powers n and m of s = max(|x|, 1). What is left are polynomials in
    x / s and 1 / s, both within [-1, 1]: the ratio in x near 0 and in 1/x beyond |x| > 1.

    Args:
        x: of any shape.
        a: ``[n + 1]``, from the constant term up.
        denominator: Q(x) / s^m as a function of x / s and 1 / s, such as ``version_a(b)``.
        m: the degree of Q.

    >>> rational(torch.tensor([2.0, 1e30]), torch.tensor([1.0, 0.0, 3.0]), version_a(torch.tensor([0.0, 1.0])), 2)
    tensor([2.6000, 3.0000])
    """
    # The ratio does not depend on s, so its derivatives are those at constant s: autograd need not follow the kink.
    scale = x.detach().abs().clamp(min=1)
    near, far = x / scale, 1 / scale
    ratio = homogeneous(near, far, a) / denominator(near, far)
    for _ in range(len(a) - 1 - m):
        ratio = ratio * scale
    return ratio


def homogeneous(u: Tensor, v: Tensor, coefficients: Tensor) -> Tensor:
    """Sum c_i u^i v^(n - i) over i = 0..n, by Horner's rule in u.

    >>> homogeneous(torch.tensor(2.0), torch.tensor(3.0), torch.tensor([1.0, 1.0, 1.0]))
    tensor(19.)
    """
    *lower, total = coefficients.unbind()
    power = v
    for position, coefficient in enumerate(reversed(lower)):
        power = power if position == 0 else power * v
        total = torch.addcmul(coefficient * power, total, u)
    return total


def version_a(b: Tensor) -> Denominator:
    """Q(x) = 1 + |b_1 x| + ... + |b_m x^m|, the third source's F2."""
    return lambda u, v: homogeneous(u.abs(), v, torch.cat([b.new_ones(1), b.abs()]))


def version_b(b: Tensor) -> Denominator:
    """Q(x) = 1 + |b_1 x + ... + b_m x^m|, the third source's F3 and the PAU paper's own form."""
    return lambda u, v: v ** len(b) + homogeneous(u, v, torch.cat([b.new_zeros(1), b])).abs()


def version_c(b: Tensor) -> Denominator:
    """Q(x) = 0.1 + |b_0 + b_1 x + ... + b_m x^m|."""
    return lambda u, v: 0.1 * v ** (len(b) - 1) + homogeneous(u, v, b).abs()


def version_n(b: Tensor) -> Denominator:
    """Q(x) = 1 + b_1 x + ... + b_m x^m, which may have zeros."""
    return lambda u, v: homogeneous(u, v, torch.cat([b.new_ones(1), b]))


def degrees(text: str) -> tuple[int, int]:
    """Read the degrees of numerator and denominator from text such as ``5:4``.

    Raises:
        ValueError: unless it is n:m with 1 <= m <= n.

    >>> degrees("5:4")
    (5, 4)
    """
    found = re.fullmatch("([1-9][0-9]*):([1-9][0-9]*)", text)
    n, m = map(int, found.groups()) if found else (0, 1)
    if n < m:
        raise ValueError(f"degree must be n:m, numerator:denominator with 1 <= m <= n, such as 5:4, not {text!r}")
    return n, m
