"""Make the starts of PAU and OPAU that nobody published: ``python -m afbench.activations.rational_fit``.

Each is the least-squares fit of P / Q to a named function on 241 points of [-3, 3]. Points out to |x| = 1e4 weigh in
with (f(x) - target(x)) / x, each a thirtieth of one inside, so that no fit explodes where it is not looked at; more,
where that leaves a fit farther than |x| from its function. For given Q the best P solves a linear problem, so the
search is over Q alone (variable projection): from STARTS starting points drawn from a fixed seed, the best is kept and
rounded to DIGITS digits; P is then solved for once more.

No |b_j| or |d_j| of a sum of absolute values may go below FLOOR: at 0 it would have no gradient, and far out the ratio
would be a polynomial. PAU version B gets a sum that is never negative, so that its absolute value has no kink; versions
C, D and N start from it as the same function. Where B's start is published and N's is not, that fit is N's alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from ..kernels.orthogonal import Basis, free_terms, in_powers
from ..kernels.pade import degrees
from .rational_starts import FITTED, PUBLISHED, REACH, key

Array = NDArray[np.float64]

FLOOR, CEILING = 1e-4, 100.0
STARTS, DIGITS = 8, 7
DEGREES = ("5:4", "2:2", "3:2", "7:6")
ALL_CASES = "5:4"
NEAR = np.linspace(-REACH, REACH, 241)
FAR = np.concatenate([side * np.geomspace(4.0, 1e4, 24) for side in (-1, 1)])
FAR_WEIGHTS = (1 / 30, 1 / 10, 1 / 3, 1.0, 3.0)
FAR_BOUND = 1.0


def targets() -> Mapping[str, Callable[[Array], Array]]:
    """Name the functions that a start can be a fit of."""
    from scipy import special

    return {
        "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
        "relu": lambda x: np.maximum(x, 0),
        "gelu": lambda x: x * special.ndtr(x),
        "swish": lambda x: x * special.expit(x),
        "tanh": np.tanh,
        "sigmoid": special.expit,
        "identity": lambda x: x,
    }


@dataclass(frozen=True)
class Sizes:
    """Q(x) = 1 + sum |d_j| |f_j(x)|, the parameters of the search being log |d_j|."""

    powers: Array
    """``[m, m + 1]``: f_1..f_m in powers of x."""

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Bounds of the search."""
        m = len(self.powers)
        return np.full(m, np.log(FLOOR)), np.full(m, np.log(CEILING))

    def coefficients(self, z: Array) -> Array:
        """Return d."""
        return np.exp(z)

    def denominator(self, d: Array, x: Array) -> Array:
        """Return Q(x)."""
        return 1 + np.abs(vandermonde(x, self.powers.shape[1]) @ self.powers.T) @ np.abs(d)


@dataclass(frozen=True)
class Positive:
    """Q(x) = 1 + S(x) with S(x) = g x^2 prod((x - r_k)^2 + w_k^2) >= 0: the parameters are log g, r_k and log w_k."""

    m: int

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Bounds of the search."""
        k = self.m // 2 - 1
        low, high = np.log(FLOOR), np.log(CEILING)
        return np.array([low] + [-10.0] * k + [-1.0] * k), np.array([high] + [10.0] * k + [3.0] * k)

    def coefficients(self, z: Array) -> Array:
        """Return b."""
        k = self.m // 2 - 1
        total = np.array([0.0, 0.0, np.exp(z[0])])
        for r, w in zip(z[1 : 1 + k], np.exp(z[1 + k :]), strict=True):
            total = np.convolve(total, [r * r + w * w, -2 * r, 1.0])
        return total[1:]

    def denominator(self, b: Array, x: Array) -> Array:
        """Return Q(x)."""
        return 1 + np.abs(vandermonde(x, len(b) + 1)[:, 1:] @ b)


Problem = tuple[str, Sizes | Positive, Array, str]


def vandermonde(x: Array, terms: int) -> Array:
    """Powers 0..terms - 1 of x, ``[N, terms]``."""
    return np.vander(x, terms, increasing=True)


def fit(
    shape: Sizes | Positive, terms: Array, target: Callable[[Array], Array], far_weight: float
) -> tuple[Array, Array]:
    """Fit P / Q to a function.

    Args:
        shape: the form of Q.
        terms: ``[free, n + 1]``: the terms of P in powers of x.
        target: the function.
        far_weight: that of a point outside [-3, 3].

    Returns:
        The coefficients of the terms, and those of Q.
    """
    from scipy.optimize import least_squares

    x = np.concatenate([NEAR, FAR])
    weight = np.concatenate([np.ones_like(NEAR), far_weight / np.abs(FAR)])
    rows, wanted = vandermonde(x, terms.shape[1]) @ terms.T, target(x) * weight

    def solve(d: Array) -> tuple[Array, Array]:
        weighted = rows * (weight / shape.denominator(d, x))[:, None]
        size = np.linalg.norm(weighted, axis=0)  # the columns differ by many orders
        c = np.linalg.lstsq(weighted / size, wanted, rcond=1e-12)[0] / size
        return c, weighted @ c - wanted

    def residuals(z: Array) -> Array:
        # The second term picks one among equals: any Q fits the identity.
        return np.append(solve(shape.coefficients(z))[1], 1e-6 * z)

    low, high = shape.bounds
    drawn = np.random.default_rng(0).uniform(low, high, (STARTS, len(low)))
    found = [least_squares(residuals, z, bounds=(low, high)) for z in drawn]
    best = min(found, key=lambda one: one.cost)
    d = rounded(shape.coefficients(best.x))
    return rounded(solve(d)[0]), d


def rounded(values: Array) -> Array:
    """Round to the digits that are stored; what is below 1e-9 is the solver's noise around 0."""
    return np.array([round(float(f"{value:.{DIGITS}g}"), 9) + 0.0 for value in values])


def errors(shape: Sizes | Positive, terms: Array, c: Array, d: Array, name: str) -> dict[str, float]:
    """Measure a start: rmse and greatest error on [-3, 3], and the greatest |f(x) - target(x)| / |x| out to 1e6."""
    target = targets()[name]

    def off(x: Array) -> Array:
        off: Array = np.abs(vandermonde(x, terms.shape[1]) @ terms.T @ c / shape.denominator(d, x) - target(x))
        return off

    near = off(np.linspace(-REACH, REACH, 601))
    out = np.concatenate([side * np.geomspace(REACH, 1e6, 2001) for side in (-1, 1)])
    found = {"rmse": np.sqrt((near**2).mean()), "max_error": near.max(), "far": (off(out) / np.abs(out)).max()}
    return {name: float(f"{value:.3g}") for name, value in found.items()}


def problems() -> Iterator[Problem]:
    """Go through all that is fitted: key, form of Q, terms of P in powers of x, target."""
    published = json.loads(PUBLISHED.read_text())
    for name, shape, terms, function in every_problem():
        if name not in published:
            yield name, shape, terms, function
        elif name.startswith("b ") and f"n{name[1:]}" not in published:  # whose sum may be negative
            yield f"n{name[1:]}", shape, terms, function


def every_problem() -> Iterator[Problem]:
    """Go through all that has a start, published or not."""
    for degree in DEGREES:
        n, m = degrees(degree)
        for name in targets():
            for centred in (False, True):
                if centred and name == "sigmoid":  # 1/2 at 0
                    continue
                terms = np.eye(n + 1)[int(centred) :]
                yield key("a", degree, name, centred), Sizes(np.eye(m + 1)[1:]), terms, name
                yield key("b", degree, name, centred), Positive(m), terms, name
            for basis in get_args(Basis):
                powers = np.array(in_powers(basis, m), dtype=float)[1:]
                for case in (False, True, "case1", "case2") if degree == ALL_CASES else (False, True):
                    if (case and name == "sigmoid") or (basis == "laguerre" and case not in (False, True)):
                        continue
                    terms = np.array(free_terms(basis, n, case), dtype=float)
                    yield key(basis, degree, name, case), Sizes(powers), terms, name
                    if case not in (False, True):
                        yield key(f"{basis}-unsafe", degree, name, case), Positive(m), terms, name


def entry(shape: Sizes | Positive, terms: Array, name: str) -> dict[str, Any]:
    """Fit one start and measure it, with the least weight outside that keeps it within |x| of its function there."""
    found: dict[str, Any] = {}
    for far_weight in FAR_WEIGHTS:
        numerator, denominator = fit(shape, terms, targets()[name], far_weight)
        found = {"numerator": numerator.tolist(), "denominator": denominator.tolist()}
        found |= errors(shape, terms, numerator, denominator, name)
        if found["far"] <= FAR_BOUND:
            break
    return found


def main(path: Path = FITTED) -> None:
    """Fit all starts and write them, one a line."""
    lines = []
    for where, shape, terms, name in problems():
        lines.append(f"{json.dumps(where)}: {json.dumps(entry(shape, terms, name))}")
        print(lines[-1], flush=True)
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
