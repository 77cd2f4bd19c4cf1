"""Fit the starts of PAU and OPAU that nobody published: ``python -m afbench.activations.rational_fit``.

Each is the least-squares fit of P / Q to a function on 241 points of [-3, 3]. Points out to |x| = 1e4 weigh in with
(f(x) - target(x)) / x, each a thirtieth of one inside, so that no fit explodes where it is not looked at; more, where
that leaves a fit farther than |x| from its function. If n > m + 1 it grows like x^(n - m) whatever its coefficients,
and only points out to 10 weigh in. For given Q the best P solves a linear problem, so the search is over Q alone
(variable projection, with Kaufman's Jacobian): from STARTS starting points drawn from a fixed seed, the best is kept
and rounded to DIGITS digits; P is then solved for once more.

No |b_j| or |d_j| of a sum of absolute values may go below FLOOR: at 0 it would have no gradient, and far out the ratio
would be a polynomial. PAU version B gets a sum that is never negative, so that its absolute value has no kink; versions
C, D and N start from it as the same function. Where B's start is published and N's is not, that fit is N's alone. A sum
of odd degree changes its sign, so B, C, D and N start with b_m = 0 there, as the fit of one degree less.

The command writes what ``starts/fitted.json`` lacks and keeps what it has: starts are a part of results. With a spec,
such as ``'pau[degree=4:3,start=mish]'``, it shows that start and its errors instead.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..kernels.orthogonal import Basis, Centring, free_terms, in_powers
from ..kernels.rational import degrees
from .rational_forms import Form, Positive, Sizes, vandermonde
from .rational_starts import FITTED, PUBLISHED, REACH, Start, find, key, pau_start
from .rational_targets import Target, named, target

Array = NDArray[np.float64]

STARTS, DIGITS, STEPS = 8, 7, 60
DEGREES = ("5:4", "2:2", "3:2", "7:6")
PLAIN_DEGREES = ("3:3", "4:3", "4:4", "5:5", "6:5", "6:6", "7:7", "8:8")
"""Of these PAU's starts alone are stored, and no zero-centred ones."""
ALL_CASES = "5:4"
NEAR = np.linspace(-REACH, REACH, 241)
FAR = np.concatenate([side * np.geomspace(4.0, 1e4, 24) for side in (-1, 1)])
FAR_WEIGHTS = (1 / 30, 1 / 10, 1 / 3, 1.0, 3.0)
FAR_BOUND = 1.0


class Problem(NamedTuple):
    """What is fitted."""

    form: Form
    terms: Array
    """``[free, n + 1]``: the terms of P in powers of x."""
    name: str
    """The function."""


def problem(form: str, n: int, m: int, name: str, centring: Centring = False) -> Problem:
    """State the problem of a start: ``a`` or ``b``, a basis, or a basis without sizes, such as ``legendre-unsafe``."""
    if form in ("a", "b"):
        below: Form = Sizes(np.eye(m + 1)[1:]) if form == "a" else Positive(m)
        return Problem(below, np.eye(n + 1)[int(bool(centring)) :], name)
    basis: Basis = form.removesuffix("-unsafe")  # type: ignore[assignment]
    safe = Sizes(np.array(in_powers(basis, m), dtype=float)[1:])
    terms = np.array(free_terms(basis, n, centring), dtype=float)
    return Problem(Positive(m) if form.endswith("-unsafe") else safe, terms, name)


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
        found = [least_squares(residuals, z, jac=slopes, bounds=(low, high), max_nfev=STEPS) for z in drawn]
        best = min(found, key=lambda one: one.cost).x
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
    found = {"rmse": np.sqrt((near**2).mean()), "max_error": near.max(), "far": (off(out) / np.abs(out)).max()}
    return {name: float(f"{value:.3g}") for name, value in found.items()}


def entry(form: Form, terms: Array, name: str) -> dict[str, Any]:
    """Fit one start and measure it, with the least weight outside that keeps it within |x| of its function there."""
    found: dict[str, Any] = {}
    function = target(name)
    for far_weight in FAR_WEIGHTS if _bounded(form, terms) else FAR_WEIGHTS[:1]:
        numerator, denominator = fit(form, terms, function, far_weight)
        found = {"numerator": numerator.tolist(), "denominator": denominator.tolist()}
        found |= errors(form, terms, numerator, denominator, function)
        if found["far"] <= FAR_BOUND:
            break
    return found


@cache
def on_request(form: str, n: int, m: int, name: str, centring: Centring) -> Start:
    """Fit a start that is not stored, once a process.

    The same on every machine but for rounding in LAPACK, which can move the last of its 7 digits.
    """
    return Start(**entry(*problem(form, n, m, name, centring)))


def problems() -> Iterator[tuple[str, Problem]]:
    """Go through all that is stored as a fit, by its key."""
    published = json.loads(PUBLISHED.read_text())
    for where, one in every_problem():
        if where not in published:
            yield where, one
        elif where.startswith("b ") and f"n{where[1:]}" not in published:  # whose sum may be negative
            yield f"n{where[1:]}", one


def every_problem() -> Iterator[tuple[str, Problem]]:
    """Go through all that has a stored start, published or not."""
    for degree in (*DEGREES, *PLAIN_DEGREES):
        n, m = degrees(degree)
        for name in named():
            for centred in (False, True) if degree in DEGREES else (False,):
                if centred and name == "sigmoid":  # 1/2 at 0
                    continue
                for form in "ab":
                    if form == "a" or m % 2 == 0:
                        yield key(form, degree, name, centred), problem(form, n, m, name, centred)
            for basis in get_args(Basis) if degree in DEGREES else ():
                cases: tuple[Centring, ...] = (False, True, "case1", "case2") if degree == ALL_CASES else (False, True)
                for case in cases:
                    if (case and name == "sigmoid") or (basis == "laguerre" and case not in (False, True)):
                        continue
                    yield key(basis, degree, name, case), problem(basis, n, m, name, case)
                    if case not in (False, True):
                        unsafe = f"{basis}-unsafe"
                        yield key(unsafe, degree, name, case), problem(unsafe, n, m, name, case)


def main(path: Path = FITTED) -> None:
    """Fit what is not stored yet, and write all, one a line."""
    held = json.loads(path.read_text()) if path.is_file() else {}
    lines = []
    for where, one in problems():
        if where not in held:
            held[where] = entry(*one)
            print(where, held[where], flush=True)
        lines.append(f"{json.dumps(where)}: {json.dumps(held[where])}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def show(spec: str) -> None:
    """Print where a PAU or OPAU starts, and its errors.

    Raises:
        UsageError: if the spec is wrong, or is of neither.
    """
    from ..registry.factory import choose

    choice = choose(spec)
    settings: Any = choice.resolved
    rest = settings.get("degree"), settings.get("start"), settings.get("zero_centred")
    if choice.entry.name not in ("pau", "opau") or not settings.get("safe", True):
        raise UsageError(f"{choice.spec}: starts are shown of pau and of opau with safe=true")
    form = settings.get("version") or settings["basis"]
    found = pau_start(form, *rest) if "version" in settings else find(form, *rest)
    for name, values in (("numerator", found.numerator), ("denominator", found.denominator)):
        print(f"{name:12}", *(f"{value:.7g}" for value in values))
    print(f"rmse {found.rmse:g} and at most {found.max_error:g} on [-3, 3]; at most {found.far:g} |x| beyond")


if __name__ == "__main__":
    try:
        show(sys.argv[1]) if sys.argv[1:] else main()
    except UsageError as error:
        print(f"rational_fit: {error}", file=sys.stderr)
        sys.exit(2)
