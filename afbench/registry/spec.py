"""Specs: an activation with its settings, as text. ``pau[version=b]``, ``my_pkg.acts:Snake[alpha=2]``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import UsageError
from .settings import Value

NAME = re.compile(r"[A-Za-z_][\w.]*(:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*)?\Z")
KEY = re.compile(r"[A-Za-z_]\w*\Z")
BARE = re.compile(r"[^\s\[\],=\"'\\*?]+\Z")
OPEN, CLOSE = "[", "]"
BASELINE = "relu"
"""The default of ``--baseline``; canonical as it stands, so that a table of records loads no registry, and no torch."""


@dataclass(frozen=True)
class Spec:
    """A name and what is set. ``str(spec)`` is its text; ``Spec.parse`` reads it back.

    >>> str(Spec.parse("pau[ version = b ]"))
    'pau[version=b]'
    """

    name: str
    settings: Mapping[str, Value] = field(default_factory=dict)

    def __str__(self) -> str:
        """Print the spec; settings stand sorted by name."""
        if not self.settings:
            return self.name
        inside = ",".join(f"{key}={show(value)}" for key, value in sorted(self.settings.items()))
        return f"{self.name}[{inside}]"

    @classmethod
    def parse(cls, text: str) -> Spec:
        """Read a spec; its values stay text until the entry's settings type them.

        Raises:
            UsageError: if the text is malformed; the message shows the form.
        """
        text = text.strip()
        head, bracket, rest = text.partition(OPEN)
        head = head.strip()
        if not NAME.match(head):
            raise malformed(text, "a name was expected" if not head else f"{head!r} is not a name")
        if not bracket:
            return cls(head)
        pieces = split(text, rest[:-1]) if rest.endswith(CLOSE) else None
        if pieces is None:
            raise malformed(
                text,
                "the closing bracket is missing" if CLOSE not in rest else "there is text after the closing bracket",
            )
        settings: dict[str, Value] = {}
        for piece in pieces:
            key, equals, value = piece.partition("=")
            key, value = key.strip(), value.strip()
            if not equals or not KEY.match(key) or not value:
                raise malformed(text, f"{piece.strip()!r} is not key=value")
            if key in settings:
                raise malformed(text, f"{key!r} is set twice")
            settings[key] = unquote(text, value)
        if not settings:
            raise malformed(text, "the brackets are empty")
        return cls(head, settings)


def malformed(text: str, why: str) -> UsageError:
    """Return the error for a text that is not a spec."""
    return UsageError(f"malformed spec {text!r}: {why}; the form is name[key=value,key=value]")


def show(value: Value) -> str:
    """Print a value so that it reads back as itself: ``-3.0``, ``true``, ``none``, bare or quoted text."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and not (BARE.match(value) or nested(value)):
        return json.dumps(value)
    return str(value)


def nested(value: str) -> bool:
    """Tell whether a text value is itself a spec, which needs no quotes."""
    try:
        return str(Spec.parse(value)) == value
    except UsageError:
        return False


def unquote(text: str, value: str) -> str:
    """Remove the quotes of a value, if it has them."""
    if not value.startswith('"'):
        return value
    try:
        read = json.loads(value)
    except json.JSONDecodeError:
        raise malformed(text, f"{value!r} is not a quoted text") from None
    return str(read)


def split(whole: str, inside: str | None = None) -> list[str]:
    """Split at the commas outside brackets and quotes; empty pieces are dropped.

    >>> split("pau[version=b,degree=5:4],ditac")
    ['pau[version=b,degree=5:4]', 'ditac']

    Raises:
        UsageError: if brackets or quotes do not close.
    """
    pieces, depth, quoted, start = [], 0, False, 0
    text = whole if inside is None else inside
    skip = False
    for position, letter in enumerate(text):
        if skip:
            skip = False
        elif quoted and letter == "\\":
            skip = True
        elif letter == '"':
            quoted = not quoted
        elif not quoted:
            depth += (letter == OPEN) - (letter == CLOSE)
            if depth < 0:
                raise malformed(whole, "there is a closing bracket without an opening one")
            if letter == "," and depth == 0:
                pieces.append(text[start:position])
                start = position + 1
    if depth or quoted:
        raise malformed(whole, "a quote is not closed" if quoted else "the closing bracket is missing")
    return [piece for piece in [*pieces, text[start:]] if piece.strip()]
