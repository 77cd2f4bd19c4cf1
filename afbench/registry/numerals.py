"""Reading numbers: one way to write each, so that a slip of the keyboard is an error and not another number."""

from __future__ import annotations

import operator
import re

from ..errors import UsageError

WHOLE = re.compile(r"-?[0-9]+\Z", re.ASCII)
REAL = re.compile(r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\Z", re.ASCII)
WORD = re.compile(r"[+-]?(inf|infinity|nan)\Z", re.ASCII | re.IGNORECASE)
DIGITS = 30
"""Digits of an integer at most: more is a slip, and Python itself refuses thousands."""


def whole(text: str) -> int:
    """Read an integer: digits 0 to 9, and a minus before them.

    Raises:
        ValueError: for anything else that ``int`` takes: ``1_0``, ``+5``, `` 5``, digits of other scripts.

    >>> whole("-12")
    -12
    """
    if not WHOLE.match(text) or len(text) > DIGITS:
        raise ValueError(f"not an integer: {text!r}")
    return int(text)


def real(text: str) -> float:
    """Read a number: ``0.5``, ``-3``, ``1e-3``; ``inf`` and ``nan``, which ranges refuse, are read too.

    Raises:
        ValueError: for anything else that ``float`` takes.

    >>> real("1e-3")
    0.001
    """
    if not REAL.match(text) and not WORD.match(text):
        raise ValueError(f"not a number: {text!r}")
    return float(text)


def count(option: str, given: object, most: int) -> int:
    """Check a number of things: an integer from 1 to ``most``.

    Raises:
        UsageError: for anything else.

    >>> count("--seeds", 5, 10)
    5
    """
    try:
        if isinstance(given, (bool, str)):
            raise TypeError
        number = operator.index(given)  # type: ignore[arg-type]
    except TypeError:
        raise UsageError(f"{option} must be an integer, not {given!r}") from None
    if number < 1:
        raise UsageError(f"{option} must be at least 1, not {number}")
    if number > most:
        raise UsageError(f"{option} must be at most {most}, not {number}")
    return number
