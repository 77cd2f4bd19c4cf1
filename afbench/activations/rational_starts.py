"""Where PAU and OPAU start: published coefficients, fits, stored or made on request; what zero-centring leaves free."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch

from ..errors import UsageError
from ..kernels.orthogonal import Basis, Centring, free_terms, in_powers
from ..kernels.rational import degrees
from .rational_least_squares import Array, Target, entry, problem

Version = Literal["a", "b", "c", "d", "n"]
"""What stands below PAU's line."""

PUBLISHED = Path(__file__).parent / "starts" / "published.json"
"""Of ``rational_activations`` at 2496d91, file rational/rationals_config.json, without those that have a pole, leave
their function by more than |x|, or have a b_j so near 0 that |b_j| has no derivative; the errors are measured. Its
``silu`` is its ``swish``."""

FITTED = Path(__file__).parent / "starts" / "fitted.json"
"""What ``rational_fit`` wrote."""

SAME = {"silu": "swish", "leaky_relu[slope=0.1]": "leaky_relu_0.1"}
"""Specs of functions that have a name here."""

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
    stored = json.loads(FITTED.read_text()) | json.loads(PUBLISHED.read_text())
    return {name: Start(**values) for name, values in stored.items()}


def named() -> Mapping[str, Target]:
    """The functions whose starts are stored; leaky ReLU has slope 0.01 unless its name says another."""
    from scipy import special

    return {
        "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
        "leaky_relu_0.1": lambda x: np.where(x > 0, x, 0.1 * x),
        "relu": lambda x: np.maximum(x, 0),
        "gelu": lambda x: x * special.ndtr(x),
        "swish": lambda x: x * special.expit(x),
        "tanh": np.tanh,
        "sigmoid": special.expit,
        "identity": lambda x: x,
    }


def name_of(start: str) -> str:
    """Name the function that a start is a fit of: one of ``named()``, or the canonical spec of a fixed activation.

    Raises:
        UsageError: if it is neither.

    >>> name_of("silu"), name_of("leaky_relu[slope=0.010]"), name_of("elu")
    ('swish', 'leaky_relu', 'elu')
    """
    from ..registry.factory import choose, is_trainable

    if start in named():
        return start
    if ":" in start:
        raise UsageError(f"start={start}: a start is a registered activation or one of {', '.join(named())}")
    try:
        choice = choose(start)
    except UsageError as error:
        raise UsageError(f"start={start}: {error}. Named starts: {', '.join(named())}") from None
    if "channels" in choice.entry.takes or is_trainable(choice):
        raise UsageError(f"start={start} is trainable or needs channels, but a start must be a fixed function of x")
    return SAME.get(choice.spec, choice.spec)


def target(name: str) -> Target:
    """Return a function by the name that ``name_of`` gave it, from float64 to float64."""
    if name in named():
        return named()[name]
    from ..registry.factory import create

    def values(x: Array) -> Array:
        # Plans build activations on the meta device, where nothing has values.
        with torch.device("cpu"), torch.no_grad():
            result: Array = create(name).double().eval()(torch.tensor(x, dtype=torch.float64)).numpy()
        return result

    return values


@cache
def on_request(form: str, n: int, m: int, name: str, centring: Centring) -> Start:
    """Fit a start that is not stored, once a process.

    The same on every machine but for rounding in LAPACK, which can move the last of its 7 digits.
    """
    return Start(**entry(*problem(form, n, m, target(name), centring)))


def find(form: str, degree: str, start: str, centring: Centring = False) -> Start:
    """Look a start up, or fit it.

    Args:
        form: ``a``, ``b``, ``c`` or ``n`` of PAU, a basis of OPAU, or that with ``-unsafe``.
        degree: n:m.
        start: the function, as ``name_of`` takes it.
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
        raise ValueError(f"start={start} has the value {at_zero:g} at 0, so it has no zero-centred form")
    if n > HIGHEST:
        raise ValueError(f"degree={degree} has no fitted start; starts exist up to {HIGHEST}:{HIGHEST}")
    basis = form.removesuffix("-unsafe")
    free = n + 1 - bool(centring) if form in ("a", "b", "n") else len(free_terms(basis, n, centring))  # type: ignore[arg-type]
    signed = form in ("b", "n") or form != basis
    if (form, m) == ("b", 1):  # the same function as A
        return on_request("a", n, m, name, centring)
    if signed and m % 2:  # without the last of each, as a sum of odd degree changes its sign
        even = on_request("b" if form == "n" else form, max(n - (n > m), 1), m - 1, name, centring)
        padding = [0.0] * (free - len(even.numerator))
        return even._replace(numerator=even.numerator + padding, denominator=[*even.denominator, 0.0])
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
        fit = pau_start("n", degree, start, centring)
        c = in_terms([0.0] * centring + fit.numerator, terms)
    else:
        fit = find(f"{basis}-unsafe", degree, start, centring)
        c = [Fraction(value) for value in fit.numerator]
    e, *d = in_terms([1.0, *fit.denominator], in_powers(basis, m))
    # e is a mean of Q by the basis' weight, so it is above 0, as Q is.
    return [float(value / e) for value in c], [float(value / e) for value in d]


def in_terms(values: Sequence[float], terms: list[list[Fraction]]) -> list[Fraction]:
    """Write a polynomial, given in powers of x, as a sum of terms, each of a higher degree than the one before.

    >>> [int(c) for c in in_terms([0.0, 0.0, 2.0], in_powers("hermite_prob", 2))]
    [2, 0, 2]
    """
    rest, factors = [Fraction(value) for value in values], []
    for term in reversed(terms):
        top = max(k for k, coefficient in enumerate(term) if coefficient)
        factors.append(rest[top] / term[top])
        rest = [r - factors[-1] * t for r, t in zip(rest, term, strict=True)]
    return factors[::-1]
