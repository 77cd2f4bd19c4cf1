"""The figures of costs as text, with their spread and the reasons why they are unstable."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from ...records.cost import Cost, Figure
from .cost_table import UNSTABLE
from .footnotes import shorten

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))


def with_spread(text: str, figure: Figure) -> str:
    """Put half the distance of the quartiles in percent behind a number, and the mark of the unstable."""
    around = "" if figure.spread is None else f" ±{50 * figure.spread:.0f}%"
    return f"{text}{around}{UNSTABLE if figure.unstable else ''}"


def ratio_text(figure: Figure) -> str:
    """Print a ratio: three digits."""
    return "" if figure.median is None else with_spread(f"{three_digits(figure.median)}x", figure)


def seconds_text(figure: Figure) -> str:
    """Print seconds, in the unit that suits."""
    return "" if figure.median is None else with_spread(duration(figure.median), figure)


def flat_figure(figure: Figure, name: str) -> dict[str, Any]:
    """Lay a figure out for machines, below a name."""
    return {
        name: figure.median,
        f"{name}_low_quartile": figure.low,
        f"{name}_high_quartile": figure.high,
        f"{name}_samples": figure.samples,
        f"{name}_unstable": "; ".join(figure.unstable),
    }


def duration(seconds: float) -> str:
    """Print seconds with three digits.

    >>> duration(0.00123)
    '1.23 ms'
    """
    rounded = float(f"{seconds:.3g}")  # before the unit is chosen: 999.6 us are 1.00 ms
    size, unit = next(((size, unit) for size, unit in UNITS if abs(rounded) >= size), UNITS[-1])
    return three_digits(rounded / size) + f" {unit}"


def three_digits(value: float) -> str:
    """Print a number with three digits, larger ones whole.

    >>> three_digits(2.0), three_digits(1234.4)
    ('2.00', '1234')
    """
    return f"{value:.0f}" if abs(value) >= 999.5 else f"{value:#.3g}".rstrip(".")


def remarks(cost: Cost, figures: Iterable[Figure]) -> list[str]:
    """Say why a row has no figures, or which of its figures are unstable and why."""
    if not cost.ok:
        return [shorten(f"no figures: {cost.status} {cost.reason}")]
    kinds: dict[str, list[str]] = {}
    for reason in (reason for one in figures for reason in one.unstable):
        kinds.setdefault(re.sub(r"[\d.e+-]+", "", reason), []).append(reason)
    said = [f"{worst(held)} ({len(held)} figure{'s' * (len(held) > 1)})" for held in kinds.values()]
    return [f"{UNSTABLE} unstable: {'; '.join(said)}"] if said else []


def worst(reasons: Sequence[str]) -> str:
    """Choose among reasons of one kind: the widest quartiles, the shortest sample, the fewest samples."""
    sized = {reason: float(re.findall(r"\d+(?:\.\d+)?", reason)[0]) for reason in reasons if re.search(r"\d", reason)}
    if not sized:
        return reasons[0]
    wide = reasons[0].startswith("quartiles")
    chosen = max(sized, key=lambda r: sized[r]) if wide else min(sized, key=lambda r: sized[r])
    limit = "up" if wide else "down"
    return chosen if len(set(reasons)) == 1 else re.sub(r"([\d.]+)", rf"{limit} to \1", chosen, count=1)
