"""Fitting text: measured widths, wrapping, shortening, and labels that do not overlap."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

from ...registry.spec import split
from .style import BODY, FONT

POINTS = 72.0
"""Points in an inch."""
LEADING = 1.3
"""Distance of lines in units of the font's size."""
GAP = "⋯"


@cache
def extent(text: str, size: float = BODY) -> float:
    """Return the width of a line of text in points."""
    width, _, _ = TextToPath().get_text_width_height_descent(text, FontProperties(family=FONT, size=size), False)
    return float(width)


def wrap(text: str, width: float, size: float = BODY) -> list[str]:
    """Break a text between words into lines of at most a width in points.

    A word that is longer, such as a spec with many settings, is broken after its commas; what has none stands alone.
    A percent sign stays with its number.
    """
    lines: list[str] = []
    for word in re.split(r" +(?!%)", text.strip()) if text.strip() else []:
        pieces = [word] if extent(word, size) <= width else re.split("(?<=,)(?=.)", word)
        for piece, joint in zip(pieces, (" ", *[""] * len(pieces)), strict=False):
            longer = f"{lines[-1]}{joint}{piece}" if lines else piece
            if lines and extent(longer, size) <= width:
                lines[-1] = longer
            else:
                lines.append(piece)
    return lines


def shorten(text: str, width: float, size: float = BODY, among: Iterable[str] = ()) -> str:
    """Shorten a text that is wider than a width in points.

    Of a spec, what tells it from those ``among`` it stands comes first; then its middle is cut out, by whole settings
    or, if that does not do, by letters.

    >>> shorten("pau[init=relu,version=b]", 80, among=["pau[init=relu,version=c]"])
    'pau[version=b,⋯]'
    """
    if extent(text, size) <= width:
        return text
    text = telling(text, among)
    if extent(text, size) <= width:
        return text
    for pieces, joint in ((text.split(","), ","), (list(text), "")):
        for kept in range(len(pieces) - 1, 1, -1):
            head, tail = pieces[: (kept + 1) // 2], pieces[len(pieces) - kept // 2 :]
            short = joint.join([*head, GAP, *tail])
            if extent(short, size) <= width:
                return short
    return GAP


def telling(spec: str, among: Iterable[str]) -> str:
    """Leave out of a spec the settings that all others of the same activation share."""
    name, bracket, _ = spec.partition("[")
    others = [settings(other) for other in among if other != spec and other.partition("[")[0] == name]
    kept = [piece for piece in settings(spec) if not others or not all(piece in other for other in others)]
    return f"{name}[{','.join([*kept, GAP])}]" if bracket and len(kept) < len(settings(spec)) else spec


def settings(spec: str) -> list[str]:
    """List the settings of a spec as text."""
    return split(spec.partition("[")[2].removesuffix("]"))


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move positions as little as it takes to lie ``gap`` apart, in their order, within two ends.

    Least squares: subtracting ``gap`` per rank leaves an order to be kept, whose best fit pools neighbours that clash
    (isotonic regression). More than fit between the ends lie evenly.
    """
    count = len(wanted)
    if count > 1:
        gap = min(gap, (high - low) / (count - 1))
    order = np.argsort(np.asarray(wanted, float), kind="stable")
    pools: list[tuple[float, int]] = []
    for rank, index in enumerate(order):
        mean, size = float(wanted[index]) - gap * rank, 1
        while pools and pools[-1][0] >= mean:
            other, more = pools.pop()
            mean, size = (mean * size + other * more) / (size + more), size + more
        pools.append((mean, size))
    level = np.repeat([mean for mean, _ in pools], [size for _, size in pools])
    level = np.clip(level, low, high - gap * (count - 1)) + gap * np.arange(count)
    placed = np.empty(count)
    placed[order] = level
    return [float(place) for place in placed]
