"""Text folded to the width of the terminal: COLUMNS if it is set, 80 columns without a terminal."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterator

NARROWEST = 40
ITEM = re.compile(r"\s*(-|\*|[\w., *]+:)\s")
"""The start of a line that begins an item of a list or an argument of a docstring."""


def width() -> int:
    """Return the number of columns."""
    return max(NARROWEST, shutil.get_terminal_size().columns)


def folded(text: str, indent: int) -> str:
    """Fold one line; the lines after the first are indented.

    >>> print(folded("formula  " + "x + " * 30 + "x", 9))
    formula  x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x +
             x + x + x + x + x + x + x + x + x + x + x + x + x
    """
    return textwrap.fill(text, width(), subsequent_indent=" " * indent, break_on_hyphens=False, break_long_words=False)


def refilled(text: str) -> str:
    """Fold a docstring: lines of a paragraph are joined first; examples stay as they are."""
    return "\n".join(line for paragraph in text.split("\n\n") for line in (*fill(paragraph), "")).rstrip("\n")


def fill(paragraph: str) -> Iterator[str]:
    """Fold a paragraph. Its lines may be items; deeper indented lines continue an item."""
    if ">>>" in paragraph:
        yield paragraph.strip("\n")
        return
    parts: list[str] = []
    for line in paragraph.splitlines():
        previous, own = (indent(parts[-1]), indent(line)) if parts else (-1, 0)
        heading = parts and re.fullmatch(r"\s*\w+:", parts[-1])
        if parts and not heading and (own > previous or (own == previous and not ITEM.match(line))):
            parts[-1] += " " + line.strip()
        else:
            parts.append(line)
    for part in parts:
        hanging = 2 if part.lstrip().startswith("- ") else 4
        yield folded(part, indent(part) + hanging * bool(ITEM.match(part) and (indent(part) or hanging == 2)))


def indent(line: str) -> int:
    """Count the spaces at the start of a line."""
    return len(line) - len(line.lstrip())
