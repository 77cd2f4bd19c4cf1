"""Text folded to the width of the terminal; 80 columns where there is none, or what COLUMNS says."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterator

NARROWEST = 40
ITEM = re.compile(r"\s*(-|\*|[\w., *]+:)\s")
"""How a line begins that starts an item of a list, or says one argument of a docstring."""


def width() -> int:
    """Return how many columns there are."""
    return max(NARROWEST, shutil.get_terminal_size().columns)


def folded(text: str, indent: int) -> str:
    """Fold one line; what follows the first is indented.

    >>> print(folded("formula  " + "x + " * 30 + "x", 9))
    formula  x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x +
             x + x + x + x + x + x + x + x + x + x + x + x + x
    """
    return textwrap.fill(text, width(), subsequent_indent=" " * indent, break_on_hyphens=False, break_long_words=False)


def refilled(text: str) -> str:
    """Fold a docstring: lines of a paragraph are joined first; examples stay as they are."""
    return "\n".join(line for paragraph in text.split("\n\n") for line in (*fill(paragraph), "")).rstrip("\n")


def fill(paragraph: str) -> Iterator[str]:
    """Fold a paragraph, whose lines may be items, each with continuation lines that are indented deeper."""
    if ">>>" in paragraph:
        yield paragraph.strip("\n")
        return
    parts: list[str] = []
    for line in paragraph.splitlines():
        before, own = (indent(parts[-1]), indent(line)) if parts else (-1, 0)
        heading = parts and re.fullmatch(r"\s*\w+:", parts[-1])
        if parts and not heading and (own > before or (own == before and not ITEM.match(line))):
            parts[-1] += " " + line.strip()
        else:
            parts.append(line)
    for part in parts:
        hanging = 2 if part.lstrip().startswith("- ") else 4
        yield folded(part, indent(part) + hanging * bool(ITEM.match(part) and (indent(part) or hanging == 2)))


def indent(line: str) -> int:
    """Count the spaces that a line begins with."""
    return len(line) - len(line.lstrip())
