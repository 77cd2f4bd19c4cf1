"""How many parameters an activation has at one place in a network, as a formula of the number of channels C."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from .factory import Choice, probe

SHOWN = 64
"""The number of channels that counts are given for."""
FITTED = (1, SHOWN, 2 * SHOWN)
CHECKED = (3, 10, 5 * SHOWN)
"""A formula that also holds here is taken to hold for every C; ``se`` divides C by 16, and rounds."""


@dataclass(frozen=True)
class Count:
    """A number of trainable parameters, for so many channels as the keys say.

    >>> Count({c: 3 * c for c in (1, 3, 10, 64, 128, 192, 320)}).formula
    '3 C'
    """

    by_channels: Mapping[int, int]

    @property
    def shown(self) -> int:
        """The count at 64 channels."""
        return self.by_channels[SHOWN]

    @property
    def constant(self) -> bool:
        """Whether the number of channels does not matter."""
        return len(set(self.by_channels.values())) == 1

    @property
    def formula(self) -> str:
        """The polynomial of C up to C^2 that gives the counts; empty if there is none for every C."""
        if self.constant:
            return str(self.shown)
        powers = polynomial({c: self.by_channels[c] for c in FITTED})
        if any(value(powers, c) != number for c, number in self.by_channels.items()):
            return ""
        return "".join(term(powers[power], power) for power in (2, 1, 0) if powers[power]).removeprefix(" + ")

    def __str__(self) -> str:
        """Say the count: ``9``, ``3 C = 192 at C = 64``, or ``512 at C = 64``."""
        if self.constant:
            return str(self.shown)
        return f"{self.formula} = {self.shown} at C = {SHOWN}" if self.formula else f"{self.shown} at C = {SHOWN}"


def polynomial(points: Mapping[int, int]) -> list[Fraction]:
    """Return the factors of 1, C and C^2 of the parabola through three points."""
    (x0, y0), (x1, y1), (x2, y2) = points.items()
    first, second = Fraction(y1 - y0, x1 - x0), Fraction(y2 - y1, x2 - x1)
    square = (second - first) / (x2 - x0)
    slope = first - square * (x0 + x1)
    return [y0 - slope * x0 - square * x0**2, slope, square]


def value(powers: list[Fraction], channels: int) -> Fraction:
    """Evaluate a polynomial."""
    return sum((factor * channels**power for power, factor in enumerate(powers)), Fraction())


def term(factor: Fraction, power: int) -> str:
    """Print a term after those before it: `` + 2 C^2``, `` - C / 8``."""
    sign, size = (" + ", factor) if factor > 0 else (" - ", -factor)
    if power == 0:
        return f"{sign}{size}"
    letter = "C" if power == 1 else f"C^{power}"
    times = "" if size.numerator == 1 else f"{size.numerator} "
    return f"{sign}{times}{letter}" + (f" / {size.denominator}" if size.denominator > 1 else "")


def count(choice: Choice) -> tuple[Count, dict[str, Count]]:
    """Count an activation's trainable parameters at one place: all, and each by its name.

    Raises:
        UsageError: if it cannot be built.

    >>> from afbench.registry.factory import choose
    >>> total, named = count(choose("acon_c"))
    >>> str(total), named["beta"].formula
    ('3 C = 192 at C = 64', 'C')
    """
    every = [*FITTED, *CHECKED]
    asked = every if "channels" in choice.entry.takes else [SHOWN]
    counted: dict[int, dict[str, int]] = {}
    for channels in asked:
        module = probe(choice, channels)
        counted[channels] = {name: p.numel() for name, p in module.named_parameters() if p.requires_grad}
    names = list(dict.fromkeys(name for counts in counted.values() for name in counts))
    total = Count({c: sum(counts.values()) for c, counts in counted.items()})
    return total, {name: Count({c: counts.get(name, 0) for c, counts in counted.items()}) for name in names}
