"""Errors of one line that a caller can act on, and any exception as text that is safe for records and terminals."""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable

LONGEST = 300
"""Most characters of a one-line message; a record's traceback holds the rest."""
TRACEBACK_LINES = 40
TRACEBACK_LONGEST = 20_000


class AfbenchError(Exception):
    """An error of afbench whose message stands alone, without a traceback.

    >>> import afbench
    >>> try:
    ...     afbench.create("ditacc")
    ... except afbench.AfbenchError as error:
    ...     print(error)
    unknown activation 'ditacc'; did you mean 'ditac'? (python -m afbench list activations)
    """


class UsageError(AfbenchError, ValueError):
    """The call was wrong; nothing was written. The command line exits with 2.

    >>> from afbench import create
    >>> create("prelu[a=steep]")
    Traceback (most recent call last):
    afbench.errors.UsageError: activation 'prelu': a must be a float, not 'steep'
    """


class Unavailable(AfbenchError):
    """Data or a device is missing; the message says how to get it."""


class ActivationError(AfbenchError):
    """An activation broke its contract while it ran: wrong shape or dtype, or NaN from finite input."""


class Diverged(AfbenchError):
    """The loss, a parameter or a metric of a training is not finite."""


class SlowKernels(UserWarning):
    """The compiled kernels are missing, so the plain path runs; the warning appears once."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known word, whatever its case, or an empty string.

    >>> did_you_mean("ditacc", ["ditac", "relu"])
    "; did you mean 'ditac'?"
    """
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.6)
    return f"; did you mean {folded[near[0]]!r}?" if near else ""


def text_of(error: BaseException) -> str:
    """Return an exception's own text, or a note if its ``__str__`` raises."""
    try:
        text = str.__str__(str(error))
    except BaseException as second:
        return f"<its text cannot be read: __str__ raised {name_of(second)}>"
    return text


def name_of(error: BaseException) -> str:
    """Return the name of an exception's class."""
    return type.__getattribute__(type(error), "__name__")  # type: ignore[no-any-return]


def printable(text: str) -> str:
    r"""Escape all characters that are not printable, such as control characters; line ends stay.

    >>> printable("\x1b[31mred\x00")
    '\\x1b[31mred\\x00'
    """
    return "".join(
        sign if sign.isprintable() or sign == "\n" else sign.encode("unicode_escape").decode("ascii") for sign in text
    )


def line(text: str) -> str:
    r"""Put a text into one line of at most 300 characters.

    >>> line("no\n  such luck")
    'no such luck'
    """
    joined = printable(" ".join(text.split()))
    if len(joined) <= LONGEST:
        return joined
    return f"{joined[:LONGEST]}... ({len(joined):,} characters; the record's traceback holds more)"


def one_line(error: BaseException, *, named: bool = True) -> str:
    """Describe an exception in one line, with the name of its class if ``named``."""
    text = line(text_of(error))
    return f"{printable(name_of(error))}: {text}" if named else text


def trace(error: BaseException) -> str:
    """Return the last 40 lines of an exception's traceback, at most 20,000 characters."""
    try:
        lines = "".join(traceback.format_exception(error)).splitlines()
    except BaseException as second:
        return f"<its traceback cannot be read: {name_of(second)}>"
    return printable("\n".join(lines[-TRACEBACK_LINES:]))[:TRACEBACK_LONGEST]
