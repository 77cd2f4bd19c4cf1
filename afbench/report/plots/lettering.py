"""Fitting text: measured widths, wrapping, shortening, and labels that do not overlap."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

from .style import BODY, FONT

POINTS = 72.0
"""Points in an inch."""
LEADING = 1.3
"""Distance of lines in units of the font's size."""
GAP = "…"


@cache
def extent(text: str, size: float = BODY) -> float:
    """Return the width of a line of text in points."""
    width, _, _ = TextToPath().get_text_width_height_descent(text, FontProperties(family=FONT, size=size), False)
    return float(width)


def wrap(text: str, width: float, size: float = BODY) -> list[str]:
    """Break a text between words into lines of at most a width in points; a longer word stands alone."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and extent(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def shorten(text: str, width: float, size: float = BODY) -> str:
    """Cut the middle out of a text that is wider than a width in points: whole settings if that does, else letters.

    The end is kept because specs of one activation begin alike: ``ditac[a=-3.0,…,lambda_var=1.0]``.
    """
    if extent(text, size) <= width:
        return text
    for pieces, joint in ((text.split(","), ","), (list(text), "")):
        for kept in range(len(pieces) - 1, 1, -1):
            head, tail = pieces[: (kept + 1) // 2], pieces[len(pieces) - kept // 2 :]
            short = joint.join([*head, GAP, *tail])
            if extent(short, size) <= width:
                return short
    return GAP


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
