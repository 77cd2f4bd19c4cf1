"""Where PAU and OPAU start: published coefficients, fits, stored or made on request; what zero-centring leaves free."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from ..kernels.orthogonal import Basis, Centring, free_terms, in_powers
from ..kernels.rational import degrees
from .rational_targets import name_of, target

Version = Literal["a", "b", "c", "d", "n"]
"""What stands below PAU's line."""

PUBLISHED = Path(__file__).parent / "starts" / "published.json"
"""Of ``rational_activations`` at 2496d91, file rational/rationals_config.json, without those that have a pole, leave
their function by more than |x|, or have a b_j so near 0 that |b_j| has no derivative; the errors are measured. Its
``silu`` is its ``swish``."""

FITTED = Path(__file__).parent / "starts" / "fitted.json"
"""What ``rational_fit`` wrote."""

REACH = 3.0
"""Starts are fits on [-REACH, REACH]."""

HIGHEST = 12
"""The highest degree of a start: fits of OPAU's starts lose their digits above it."""


class Start(NamedTuple):
    """Coefficients, and how far they are from their function."""

    numerator: list[float]
    denominator: list[float]
    rmse: float
    """On [-3, 3], as the next."""
    max_error: float
    far: float
    """The greatest |f(x) - function(x)| / |x| for 3 <= |x| <= 1e6."""


def key(form: str, degree: str, function: str, centring: Centring = False) -> str:
    """Name a start; the form is a version of PAU or a basis of OPAU.

    >>> key("a", "5:4", "gelu", True)
    'a 5:4 gelu zero-centred'
    """
    words = {False: "", True: " zero-centred", "case1": " zero-centred case1", "case2": " zero-centred case2"}
    return f"{form} {degree} {function}{words[centring]}"


@cache
def starts() -> dict[str, Start]:
    """Read all starts; where one is published it stands before a fit."""
    held = json.loads(FITTED.read_text()) | json.loads(PUBLISHED.read_text())
    return {name: Start(**values) for name, values in held.items()}


def find(form: str, degree: str, start: str, centring: Centring = False) -> Start:
    """Look a start up, or fit it.

    Args:
        form: ``a``, ``b``, ``c`` or ``n`` of PAU, a basis of OPAU, or that with ``-unsafe``.
        degree: n:m.
        start: the function, as ``rational_targets.name_of`` takes it.
        centring: how the numerator vanishes at 0.

    Raises:
        ValueError: if the degree is malformed or too high, the function is unknown, learns or is not 0 at 0 for a
            numerator that is.
    """
    n, m = degrees(degree)
    name = name_of(start)
    wanted = key(form, degree, name, centring)
    if wanted in starts():
        return starts()[wanted]
    at_zero = float(target(name)(np.zeros(1))[0])
    if centring and at_zero:
        raise ValueError(f"start={start} is {at_zero:g} at 0 and has no zero-centred form")
    if n > HIGHEST:
        raise ValueError(f"degree={degree} has no start: fits go up to {HIGHEST}:{HIGHEST}")
    basis = form.removesuffix("-unsafe")
    free = n + 1 - bool(centring) if form in ("a", "b", "n") else len(free_terms(basis, n, centring))  # type: ignore[arg-type]
    from .rational_fit import on_request  # it needs scipy, and this

    signed = form in ("b", "n") or form != basis
    if (form, m) == ("b", 1):  # the same function as A
        return on_request("a", n, m, name, centring)
    if signed and m % 2:  # without the last of each, as a sum of odd degree changes its sign
        found = on_request("b" if form == "n" else form, max(n - (n > m), 1), m - 1, name, centring)
        padding = [0.0] * (free - len(found.numerator))
        return found._replace(numerator=found.numerator + padding, denominator=[*found.denominator, 0.0])
    return on_request(form, n, m, name, centring)


def pau_start(version: Version, degree: str, start: str, zero_centred: bool) -> Start:
    """Look the start of a version of PAU up: its own, or as the same function that of N for C, that of B for D and N.

    Raises:
        ValueError: as ``find`` does.
    """
    if version in ("a", "b") or key(version, degree, name_of(start), zero_centred) in starts():
        return find(version, degree, start, zero_centred)
    if version == "n" and degrees(degree)[1] == 1:  # where B has a kink, N would have a pole
        return find("n", degree, start, zero_centred)
    same = pau_start("n" if version == "c" else "b", degree, start, zero_centred)
    return same._replace(denominator=[0.9, *same.denominator]) if version == "c" else same


def unsafe_start(basis: Basis, degree: str, start: str, centring: Centring) -> tuple[list[float], list[float]]:
    """Return c and d of OPAU without absolute values: PAU N in another basis, or a fit where a case leaves less free.

    Raises:
        ValueError: as ``find`` and ``free_terms`` do.
    """
    n, m = degrees(degree)
    terms = free_terms(basis, n, centring)
    if centring in (False, True):
        found = pau_start("n", degree, start, centring)
        c = in_terms([0.0] * centring + found.numerator, terms)
    else:
        found = find(f"{basis}-unsafe", degree, start, centring)
        c = [Fraction(value) for value in found.numerator]
    e, *d = in_terms([1.0, *found.denominator], in_powers(basis, m))
    # e is a mean of Q by the basis' weight, so it is above 0, as Q is.
    return [float(value / e) for value in c], [float(value / e) for value in d]


def in_terms(values: Sequence[float], terms: list[list[Fraction]]) -> list[Fraction]:
    """Write a polynomial, given in powers of x, as a sum of terms, each of a higher degree than the one before.

    >>> [int(c) for c in in_terms([0.0, 0.0, 2.0], in_powers("hermite_prob", 2))]
    [2, 0, 2]
    """
    rest, found = [Fraction(value) for value in values], []
    for term in reversed(terms):
        top = max(k for k, coefficient in enumerate(term) if coefficient)
        found.append(rest[top] / term[top])
        rest = [r - found[-1] * t for r, t in zip(rest, term, strict=True)]
    return found[::-1]
