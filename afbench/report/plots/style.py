"""How plots look: fonts, sizes, and the lines that tell activations apart without their colours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib.style

WIDTHS = {"column": 3.4, "text": 7.0}
"""Inches: one column of a two-column paper, and its whole text."""
FONT = "DejaVu Sans"
"""It comes with matplotlib, so that a figure looks alike on every machine."""
BODY, SMALL = 7.0, 6.5
"""Points. Below 6 is not legible in print."""
INK, GREY, PALE = "#000000", "#767676", "#c4c4c4"
"""Lines and text; what is secondary (still 4.5:1 on white); what is background."""

RC: dict[str, Any] = {
    "font.family": FONT,
    "font.size": BODY,
    "axes.titlesize": BODY,
    "axes.labelsize": BODY,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "axes.linewidth": 0.5,
    "axes.edgecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlepad": 3.0,
    "axes.labelpad": 2.0,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.pad": 2.0,
    "ytick.major.pad": 2.0,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.0,
    "text.parse_math": False,  # a spec may hold a dollar sign
    "text.hinting": "none",  # else letters are wider in a PNG than in a PDF, and lines of text with them
    "pdf.fonttype": 42,  # journals refuse Type 3 fonts
    "svg.hashsalt": "afbench",  # else the ids in an SVG are random
    "figure.dpi": 300,  # text is laid out as it will be saved
}


@contextmanager
def context() -> Iterator[None]:
    """Draw under this style, whatever the user's matplotlibrc says; what was set before is set again after."""
    with matplotlib.style.context(["default", RC]):
        yield


@dataclass(frozen=True)
class Look:
    """A line: its colour, dashes and marker. Any one of them tells it from the others."""

    colour: str
    dashes: Any
    marker: str

    @property
    def line(self) -> dict[str, Any]:
        """What a line is drawn with."""
        return {"color": self.colour, "linestyle": self.dashes}


BASELINE = Look(INK, "solid", "o")
LOOKS = (
    Look("#0072b2", "solid", "s"),
    Look("#d55e00", (0, (5, 1.2)), "^"),
    Look("#009e73", (0, (4, 1, 1, 1)), "D"),
    Look("#cc79a7", (0, (2, 0.8)), "v"),
    Look("#e69f00", (0, (6, 1, 1, 1, 1, 1)), "P"),
    Look("#56b4e9", (0, (1, 0.7)), "X"),
)
"""The colours of Okabe & Ito (2008), which hold apart for all common kinds of colour blindness; their yellow is too
light for a line on white."""
