"""Fit a ratio of polynomials to a function by least squares, for the starts of PAU and OPAU that nobody published.

P / Q is fitted to a function on 241 points of [-3, 3]. Points out to |x| = 1e4 keep the fit bounded outside: their
residuals are (f(x) - target(x)) / x, with a thirtieth of the weight of a point inside, or more where the fit is still
farther than |x| from its function. If n > m + 1, P / Q grows like x^(n - m) whatever its coefficients, and only points
out to 10 count. For a given Q the best P solves a linear problem, so the search is over Q alone (variable projection,
with Kaufman's Jacobian). The best of STARTS searches from a fixed seed is rounded to DIGITS digits; then P is solved
for once more.

No |b_j| or |d_j| of a sum of absolute values may go below FLOOR: at 0 it would have no gradient, and far out the ratio
would be a polynomial. PAU version B gets a sum that is never negative, so that its absolute value has no kink; versions
C, D and N start from it as the same function. Where B's start is published and N's is not, that fit is N's alone. A sum
of odd degree changes its sign, so B, C, D and N start with b_m = 0 there, as the fit of one degree less.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.orthogonal import Basis, Centring, free_terms, in_powers

Array = NDArray[np.float64]
Target = Callable[[Array], Array]

REACH = 3.0
"""Starts are fits on [-REACH, REACH]."""

FLOOR, CEILING = 1e-4, 100.0
STARTS, DIGITS, STEPS = 8, 7, 60
NEAR = np.linspace(-REACH, REACH, 241)
FAR = np.concatenate([side * np.geomspace(4.0, 1e4, 24) for side in (-1, 1)])
FAR_WEIGHTS = (1 / 30, 1 / 10, 1 / 3, 1.0, 3.0)
FAR_BOUND = 1.0


@dataclass(frozen=True)
class Sizes:
    """Q(x) = 1 + sum |d_j| |f_j(x)|, the parameters of the search being log |d_j|."""

    powers: Array
    """``[m, m + 1]``: f_1..f_m in powers of x."""

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Bounds of the search: at 0 |d_j| would have no gradient."""
        m = len(self.powers)
        return np.full(m, np.log(FLOOR)), np.full(m, np.log(CEILING))

    def coefficients(self, z: Array) -> Array:
        """Return d."""
        return np.exp(z)

    def denominator(self, d: Array, x: Array) -> Array:
        """Return Q(x)."""
        return 1 + self._sizes(x) @ np.abs(d)

    def slopes(self, z: Array, x: Array) -> Array:
        """Return dQ(x) / dz, ``[N, m]``."""
        return self._sizes(x) * np.exp(z)

    def _sizes(self, x: Array) -> Array:
        return np.abs(vandermonde(x, self.powers.shape[1]) @ self.powers.T)


@dataclass(frozen=True)
class Positive:
    """Q(x) = 1 + S(x) with S(x) = g x^2 prod((x - r_k)^2 + w_k^2) >= 0: the parameters are log g, r_k and log w_k."""

    m: int
    """The degree, even; with 0 it is Q(x) = 1."""

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Bounds of the search."""
        k, low, high = max(self.m // 2 - 1, 0), [np.log(FLOOR)], [np.log(CEILING)]
        if not self.m:
            return np.empty(0), np.empty(0)
        return np.array(low + [-10.0] * k + [-1.0] * k), np.array(high + [10.0] * k + [3.0] * k)

    def coefficients(self, z: Array) -> Array:
        """Return b."""
        total = np.array([0.0, 0.0, np.exp(z[0])]) if self.m else np.zeros(1)
        for r, w in self._roots(z):
            total = np.convolve(total, [r * r + w * w, -2 * r, 1.0])
        return total[1:]

    def denominator(self, b: Array, x: Array) -> Array:
        """Return Q(x)."""
        return 1 + np.abs(vandermonde(x, len(b) + 1)[:, 1:] @ b)

    def slopes(self, z: Array, x: Array) -> Array:
        """Return dQ(x) / dz, ``[N, len(z)]``."""
        size = self.denominator(self.coefficients(z), x) - 1
        off = [((x - r), w) for r, w in self._roots(z)]
        of_r = [size * -2 * far / (far**2 + w**2) for far, w in off]
        of_w = [size * 2 * w**2 / (far**2 + w**2) for far, w in off]
        return np.stack([size, *of_r, *of_w], axis=1)

    def _roots(self, z: Array) -> list[tuple[float, float]]:
        k = max(self.m // 2 - 1, 0)
        return list(zip(z[1 : 1 + k].tolist(), np.exp(z[1 + k :]).tolist(), strict=True))


Form = Sizes | Positive


def vandermonde(x: Array, terms: int) -> Array:
    """Powers 0..terms - 1 of x, ``[N, terms]``."""
    return np.vander(x, terms, increasing=True)


class Problem(NamedTuple):
    """What is fitted."""

    form: Form
    terms: Array
    """``[free, n + 1]``: the terms of P in powers of x."""
    function: Target


def problem(form: str, n: int, m: int, function: Target, centring: Centring = False) -> Problem:
    """State the problem of a start: ``a`` or ``b``, a basis, or a basis without sizes, such as ``legendre-unsafe``."""
    if form in ("a", "b"):
        below: Form = Sizes(np.eye(m + 1)[1:]) if form == "a" else Positive(m)
        return Problem(below, np.eye(n + 1)[int(bool(centring)) :], function)
    basis: Basis = form.removesuffix("-unsafe")  # type: ignore[assignment]
    safe = Sizes(np.array(in_powers(basis, m), dtype=float)[1:])
    terms = np.array(free_terms(basis, n, centring), dtype=float)
    return Problem(Positive(m) if form.endswith("-unsafe") else safe, terms, function)


def fit(form: Form, terms: Array, function: Target, far_weight: float) -> tuple[Array, Array]:
    """Fit P / Q to a function.

    Args:
        form: the form of Q.
        terms: ``[free, n + 1]``: the terms of P in powers of x.
        function: the function.
        far_weight: that of a point outside [-3, 3].

    Returns:
        The coefficients of the terms, and those of Q.
    """
    from scipy.optimize import least_squares

    low, high = form.bounds
    far = FAR if _bounded(form, terms) else FAR[np.abs(FAR) <= 10]
    x = np.concatenate([NEAR, far])
    weight = np.concatenate([np.ones_like(NEAR), far_weight / np.abs(far)])
    rows, wanted = vandermonde(x, terms.shape[1]) @ terms.T, function(x) * weight

    def solve(d: Array) -> tuple[Array, Array, Array]:
        """Return the best P's coefficients and weighted values, and an orthonormal basis of what P can reach."""
        weighted = rows * (weight / form.denominator(d, x))[:, None]
        size = np.linalg.norm(weighted, axis=0)  # the columns differ by many orders
        reach, values, right = np.linalg.svd(weighted / size, full_matrices=False)
        kept = values > 1e-12 * values[0]
        along = reach[:, kept].T @ wanted
        return right[kept].T @ (along / values[kept]) / size, reach[:, kept] @ along, reach[:, kept]

    def residuals(z: Array) -> Array:
        # The second term picks one among equals: any Q fits the identity.
        return np.append(solve(form.coefficients(z))[1] - wanted, 1e-6 * z)

    def slopes(z: Array) -> Array:
        d = form.coefficients(z)
        _, fitted, reach = solve(d)
        moved = -(fitted / form.denominator(d, x))[:, None] * form.slopes(z, x)
        return np.vstack([moved - reach @ (reach.T @ moved), 1e-6 * np.eye(len(z))])

    best = np.empty(0)
    if len(low):
        drawn = np.random.default_rng(0).uniform(low, high, (STARTS, len(low)))
        solutions = [least_squares(residuals, z, jac=slopes, bounds=(low, high), max_nfev=STEPS) for z in drawn]
        best = min(solutions, key=lambda solution: solution.cost).x
    d = rounded(form.coefficients(best))
    return rounded(solve(d)[0]), d


def _bounded(form: Form, terms: Array) -> bool:
    """Tell whether P / Q grows no faster than x."""
    m = form.m if isinstance(form, Positive) else len(form.powers)
    return bool(terms.shape[1] <= m + 2)


def rounded(values: Array) -> Array:
    """Round to the digits that are stored; what is below 1e-9 is the solver's noise around 0."""
    return np.array([round(float(f"{value:.{DIGITS}g}"), 9) + 0.0 for value in values])


def errors(form: Form, terms: Array, c: Array, d: Array, function: Target) -> dict[str, float]:
    """Measure a start: rmse and greatest error on [-3, 3], and the greatest |f(x) - target(x)| / |x| out to 1e6."""

    def off(x: Array) -> Array:
        off: Array = np.abs(vandermonde(x, terms.shape[1]) @ terms.T @ c / form.denominator(d, x) - function(x))
        return off

    near = off(np.linspace(-REACH, REACH, 601))
    out = np.concatenate([side * np.geomspace(REACH, 1e6, 2001) for side in (-1, 1)])
    measured = {"rmse": np.sqrt((near**2).mean()), "max_error": near.max(), "far": (off(out) / np.abs(out)).max()}
    return {name: float(f"{value:.3g}") for name, value in measured.items()}


def entry(form: Form, terms: Array, function: Target) -> dict[str, Any]:
    """Fit one start and measure it, with the least weight outside that keeps it within |x| of its function there."""
    start: dict[str, Any] = {}
    for far_weight in FAR_WEIGHTS if _bounded(form, terms) else FAR_WEIGHTS[:1]:
        numerator, denominator = fit(form, terms, function, far_weight)
        start = {"numerator": numerator.tolist(), "denominator": denominator.tolist()}
        start |= errors(form, terms, numerator, denominator, function)
        if start["far"] <= FAR_BOUND:
            break
    return start
