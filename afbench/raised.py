"""What an exception says, as text that breaks neither a record nor a terminal. Other people's code raises anything."""

from __future__ import annotations

import traceback

LONGEST = 300
"""Characters of a one-line message at most; a record's traceback holds the rest."""
TRACEBACK_LINES = 40
TRACEBACK_LONGEST = 20_000


def text_of(error: BaseException) -> str:
    """Return an exception's own text; what its ``__str__`` raises is said in its place."""
    try:
        text = str.__str__(str(error))
    except BaseException as second:
        return f"<its text cannot be read: __str__ raised {name_of(second)}>"
    return text


def name_of(error: BaseException) -> str:
    """Return the name of an exception's class."""
    return type.__getattribute__(type(error), "__name__")  # type: ignore[no-any-return]


def printable(text: str) -> str:
    r"""Escape what a terminal would obey and JSON or a file could not hold; line ends stay.

    >>> printable("\x1b[31mred\x00")
    '\\x1b[31mred\\x00'
    """
    return "".join(
        sign if sign.isprintable() or sign == "\n" else sign.encode("unicode_escape").decode("ascii") for sign in text
    )


def line(text: str) -> str:
    r"""Make one line of a text, cut where it is long.

    >>> line("no\n  such luck")
    'no such luck'
    """
    whole = printable(" ".join(text.split()))
    if len(whole) <= LONGEST:
        return whole
    return f"{whole[:LONGEST]}... ({len(whole):,} characters; the record's traceback holds more)"


def one_line(error: BaseException, *, named: bool = True) -> str:
    """Say an exception in one line, with its class's name."""
    said = line(text_of(error))
    return f"{printable(name_of(error))}: {said}" if named else said


def trace(error: BaseException) -> str:
    """Return the end of an exception's traceback, with its whole text up to 20,000 characters."""
    try:
        lines = "".join(traceback.format_exception(error)).splitlines()
    except BaseException as second:
        return f"<its traceback cannot be read: {name_of(second)}>"
    return printable("\n".join(lines[-TRACEBACK_LINES:]))[:TRACEBACK_LONGEST]
