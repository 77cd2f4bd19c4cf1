"""Standard output and error that cannot stop a run: not by a closed pipe, a full disk, or an encoding."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
import unicodedata
from typing import TextIO

SPELLED = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    **dict.fromkeys("\u2018\u2019\u02b9\u2032", "'"),
    **dict.fromkeys("\u201c\u201d\u2033", '"'),
    **{"\u00d7": "x", "\u00b7": "*", "\u2022": "*", "\u00b1": "+-", "\u2191": "^", "\u2193": "v", "\u2192": "->"},
    **{"\u2190": "<-", "\u21d2": "=>", "\u2264": "<=", "\u2265": ">=", "\u2260": "!=", "\u2248": "~", "\u221e": "inf"},
    **{"\u00b0": " deg", "\u221a": "sqrt", "\u2211": "sum", "\u222b": "integral", "\u2208": "in", "\u2020": "+"},
    **{"\u00df": "ss", "\u00e6": "ae", "\u00f8": "o", "\u0141": "L", "\u0142": "l", "\u2713": "ok", "\u2717": "no"},
    **{"\u22ef": "...", "\u00d0": "D", "\u00f0": "d", "\u00de": "Th", "\u00fe": "th"},
}
"""ASCII for characters that an encoding may lack; accents are removed, the rest becomes ``?``."""

ERRORS = "afbench.spelled"
LEFT, CLOSED = errno.EPIPE, errno.EBADF
"""Errors of a write if the reader has left, and if the caller started afbench with a closed stream."""


def spelled(error: UnicodeError) -> tuple[str, int]:
    """Replace what an encoding lacks by ASCII: an error handler for ``codecs``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(ascii_of, error.object[error.start : error.end])), error.end


def ascii_of(letter: str) -> str:
    """Spell one character in ASCII.

    >>> [ascii_of(letter) for letter in "±–βé"]
    ['+-', '-', 'beta', 'e']
    """
    if letter in SPELLED:
        return SPELLED[letter]
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    name = unicodedata.name(letter, "")
    if name.startswith("GREEK ") and " LETTER " in name:
        greek = name.split(" LETTER ")[1].partition(" ")[0].lower()
        return greek.capitalize() if "CAPITAL" in name else greek
    if name.startswith("BOX DRAWINGS"):
        return "|" if "VERTICAL" in name else "-"
    if name.startswith(("FULL BLOCK", "LEFT ", "RIGHT ", "LOWER ", "UPPER ", "DARK SHADE")) and "BLOCK" in name:
        return "#"
    return plain or "?"


class Steady(io.RawIOBase):
    """A file descriptor whose writes never fail: after an error it drops the rest and keeps the error."""

    def __init__(self, descriptor: int) -> None:
        """Write to a descriptor; closing this object leaves it open."""
        self.descriptor = descriptor
        self.failure: OSError | None = None

    def writable(self) -> bool:
        """Return true."""
        return True

    def fileno(self) -> int:
        """Return the descriptor."""
        return self.descriptor

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        return self.failure is None and os.isatty(self.descriptor)

    def write(self, content: object, /) -> int:
        """Write all of it, or drop it."""
        rest = memoryview(content).cast("B")  # type: ignore[arg-type]
        size = len(rest)
        while self.failure is None and rest:
            try:
                rest = rest[os.write(self.descriptor, rest) :]
            except BlockingIOError:  # another process made the terminal or pipe non-blocking
                import select

                select.select([], [self.descriptor], [])
            except OSError as error:
                self.failure = error
        return size


def steady() -> list[Steady]:
    """Replace standard output and error by streams whose writes never fail; returns these streams.

    Streams that are not the interpreter's own (in a test, in a notebook) only get the ASCII replacement.
    """
    codecs.register_error(ERRORS, spelled)
    occupy()
    streams = []
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
        elif stream is getattr(sys, f"__{name}__") and number(stream) == descriptor:
            raw = Steady(descriptor)
            lines = raw.isatty() or name == "stderr" or bool(getattr(stream, "write_through", False))
            text = io.TextIOWrapper(io.BufferedWriter(raw), stream.encoding, ERRORS, line_buffering=lines)
            setattr(sys, name, text)
            streams.append(raw)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERRORS)
    return streams


def occupy() -> None:
    """Open the null device for closed standard streams: otherwise a results file would get their number."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one


def number(stream: TextIO) -> int | None:
    """Return a stream's descriptor, or None."""
    try:
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None


def flushed(streams: list[Steady], *, whole: bool) -> OSError | None:
    """Flush both streams; returns the error if output was lost, else None.

    Args:
        streams: the result of ``steady``.
        whole: whether a reader that leaves early counts as lost output, as for ``run``.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    harmless = (CLOSED,) if whole else (LEFT, CLOSED)
    failures = [raw.failure for raw in streams if raw.descriptor == 1]
    return next((failure for failure in failures if failure is not None and failure.errno not in harmless), None)
