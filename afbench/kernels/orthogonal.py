"""Six families of orthogonal polynomials: their values by recurrence, and their coefficients in powers of x."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Literal, NamedTuple

from torch import Tensor

Basis = Literal["chebyshev1", "chebyshev2", "laguerre", "legendre", "hermite_prob", "hermite_phys"]

Centring = Literal[False, True, "case1", "case2"]
"""How a numerator is made to vanish at 0; for what each means see ``free_terms``."""


class Step(NamedTuple):
    """f_(i+1) = (slope * x + shift) * f_i - back * f_(i-1)."""

    slope: Fraction
    shift: Fraction
    back: Fraction


def recurrence(basis: Basis, i: int) -> Step:
    """Return the step from f_(i-1) and f_i to f_(i+1), f_(-1) = 0 and f_0 = 1 (Abramowitz and Stegun, table 22.7).

    >>> recurrence("legendre", 1)
    Step(slope=Fraction(3, 2), shift=Fraction(0, 1), back=Fraction(1, 2))
    """
    slope, shift, back, divisor = {
        "chebyshev1": (2 if i else 1, 0, 1, 1),
        "chebyshev2": (2, 0, 1, 1),
        "laguerre": (-1, 2 * i + 1, i, i + 1),
        "legendre": (2 * i + 1, 0, i, i + 1),
        "hermite_prob": (1, 0, i, 1),
        "hermite_phys": (2, 0, 2 * i, 1),
    }[basis]
    return Step(Fraction(slope, divisor), Fraction(shift, divisor), Fraction(back, divisor))


def in_powers(basis: Basis, degree: int) -> list[list[Fraction]]:
    """Expand f_0..f_degree in powers of x: ``[i][k]`` is the coefficient of x^k in f_i, exactly.

    >>> [[int(c) for c in row] for row in in_powers("hermite_prob", 2)]
    [[1, 0, 0], [0, 1, 0], [-1, 0, 1]]
    """
    rows = [[Fraction(k == 0) for k in range(degree + 1)]]
    before = [Fraction(0)] * (degree + 1)
    for i in range(degree):
        step, last = recurrence(basis, i), rows[-1]
        shifted = [Fraction(0), *last[:-1]]
        after = [step.slope * s + step.shift * f - step.back * b for s, f, b in zip(shifted, last, before, strict=True)]
        before = last
        rows.append(after)
    return rows


def free_terms(basis: Basis, degree: int, centring: Centring) -> list[list[Fraction]]:
    """Return the terms of a numerator that its free coefficients stand before, each in powers of x.

    A numerator sum c_i f_i(x) vanishes at 0 if sum c_i f_i(0) = 0. Biswas et al. 2021 tell three cases apart for
    ``hermite_prob``; here they are said for any basis:

    - ``case1``: every c_i whose f_i(0) is not 0 is left out.
    - ``case2``: c_0 = 0, and the next such c_i follows from the others (c_2 = 3 c_4 for ``hermite_prob`` 5:4).
    - ``True``, the general one: c_0 follows from the others (c_0 = c_2 - 3 c_4), none of which need be 0.

    Returns:
        ``[free][k]``, the coefficient of x^k; all of k = 0 vanish unless ``centring`` is False.

    Raises:
        ValueError: for a case of ``laguerre``: its polynomials are all 1 at 0, which leaves nothing in case 1, and in
            case 2 only what changes its sign on x > 0.

    >>> [[int(c) for c in term] for term in free_terms("hermite_prob", 2, True)]
    [[0, 1, 0], [0, 0, 1]]
    """
    rows = in_powers(basis, degree)
    if not centring:
        return rows
    if basis == "laguerre" and centring is not True:
        raise ValueError(
            f"zero_centred={centring} is not for basis=laguerre, whose polynomials are all 1 at 0: use true"
        )
    if centring == "case1":
        return [row for row in rows if not row[0]]
    even = [i for i, row in enumerate(rows) if row[0]]
    gone = even[: 1 if centring is True else 2]
    pivot = rows[gone[-1]]
    return [
        [c - row[0] / pivot[0] * p for c, p in zip(row, pivot, strict=True)]
        for i, row in enumerate(rows)
        if i not in gone
    ]


def whole(rows: list[list[Fraction]]) -> tuple[list[list[float]], list[float]]:
    """Write each row as whole numbers over one divisor, both exact in float32, as 1/120 is not.

    >>> whole([[Fraction(1), Fraction(-1, 3)]])
    ([[3.0, -1.0]], [3.0])
    """
    divisors = [math.lcm(*(c.denominator for c in row)) for row in rows]
    return [[float(c * d) for c in row] for row, d in zip(rows, divisors, strict=True)], [float(d) for d in divisors]


def homogeneous_values(basis: Basis, u: Tensor, v: Tensor, degree: int) -> Iterator[Tensor]:
    """Give v^i f_i(u / v) for i = 1..degree, polynomials in u and v, by the family's recurrence.

    With u = x / s and v = 1 / s this is f_i(x) / s^i, without the powers of x that would overflow.
    """
    before: Tensor | None = None
    last: Tensor | None = None
    for i in range(degree):
        step = recurrence(basis, i)
        factor = float(step.slope) * u if step.slope != 1 else u
        if step.shift:
            factor = factor + float(step.shift) * v
        after = factor if last is None else factor * last
        if last is not None and step.back:
            squared = v * v if before is None else v * v * before
            after = after - float(step.back) * squared
        before, last = last, after
        yield after
