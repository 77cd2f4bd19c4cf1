"""What a cost file's figures say: read with care, since a file may lack any of them, and printed with their spread."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...records.wording import shorten
from ..costs import number
from .task_grid import UNSTABLE

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))


@dataclass(frozen=True)
class Measure:
    """A figure of a cost file: median, quartiles, and why it is unstable. None where the file has none."""

    median: float | None = None
    low: float | None = None
    high: float | None = None
    samples: int | None = None
    unstable: tuple[str, ...] = ()

    @property
    def spread(self) -> float | None:
        """Distance of the quartiles in units of the median."""
        if self.low is None or self.high is None or not self.median:
            return None
        return (self.high - self.low) / self.median

    def show(self, how: str) -> str:
        """Print a number with half the distance of its quartiles in percent, and the mark of the unstable."""
        if self.median is None:
            return ""
        around = "" if self.spread is None else f" ±{50 * self.spread:.0f}%"
        return f"{how}{around}{UNSTABLE if self.unstable else ''}"

    def ratio(self) -> str:
        """Print a ratio: three digits."""
        return "" if self.median is None else self.show(f"{three_digits(self.median)}x")

    def seconds(self) -> str:
        """Print seconds, in the unit that suits."""
        return "" if self.median is None else self.show(duration(self.median))

    def flat(self, name: str) -> dict[str, Any]:
        """Lay it out for machines, below a name."""
        return {
            name: self.median,
            f"{name}_low_quartile": self.low,
            f"{name}_high_quartile": self.high,
            f"{name}_samples": self.samples,
            f"{name}_unstable": "; ".join(self.unstable),
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


def figure(held: object) -> Measure:
    """Read a figure: ``{"median", "quartiles", "samples", "unstable"}``."""
    return measure(held, "median", "quartiles", "samples") if isinstance(held, Mapping) else Measure()


def measure(held: Mapping[str, Any], median: str, quartiles: str, samples: str) -> Measure:
    """Read a figure whose parts go by these names."""
    ends = held.get(quartiles)
    low, high = map(number, ends) if isinstance(ends, list) and len(ends) == 2 else (None, None)
    count, why = held.get(samples), held.get("unstable")
    reasons = tuple(str(reason) for reason in why) if isinstance(why, list) else ()
    return Measure(number(held.get(median)), low, high, count if isinstance(count, int) else None, reasons)


def reading(cost: Mapping[str, Any], *path: str) -> Measure:
    """Read the figure at a path of keys; an empty one if the file lacks it."""
    held: object = cost
    for key in path:
        held = held.get(key) if isinstance(held, Mapping) else None
    return figure(held)


def counted(cost: Mapping[str, Any], part: str, name: str) -> float | None:
    """Read a count at ``part.name``."""
    held = cost.get(part)
    return number(held.get(name)) if isinstance(held, Mapping) else None


def remarks(cost: Mapping[str, Any], figures: Iterable[Measure]) -> list[str]:
    """Say why a row has no figures, or which of its figures are unstable and why."""
    if cost.get("status", "ok") != "ok":
        message = str((cost.get("error") or {}).get("message", ""))
        return [shorten(f"no figures: {cost['status']} {message}")]
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
