"""Counts, seeds, reasons, durations and places in words, as tables, plots and comparisons print them."""

from __future__ import annotations

from collections.abc import Iterable

from .cost import Cost

WIDTH = 110
"""Characters of a line of text where nobody chooses."""
REASON_LENGTH = 100
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))
PASSES = {"forward": "forward", "training": "forward+backward"}
"""What the passes are called that are timed alone."""


def plural(word: str, count: int) -> str:
    """Put a word into the plural unless there is one of it."""
    return word if count == 1 else f"{word}s"


def counted(word: str, count: int) -> str:
    """Say how many there are: ``1 case``, ``2 cases``."""
    return f"{count} {plural(word, count)}"


def ranges(seeds: Iterable[int]) -> str:
    """Print seeds briefly.

    >>> ranges([0, 1, 2, 4])
    '0-2, 4'
    """
    runs: list[list[int]] = []
    for seed in sorted(seeds):
        if runs and seed == runs[-1][-1] + 1:
            runs[-1].append(seed)
        else:
            runs.append([seed])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def shorten(text: str) -> str:
    """Put a text into one line of at most 100 characters."""
    line = "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split()))
    return line if len(line) <= REASON_LENGTH else line[: REASON_LENGTH - 3] + "..."


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


def short(commit: str) -> str:
    """Shorten a commit; the ``+`` of one whose files were changed since stays."""
    return commit[:12] + "+" * commit.endswith("+")


def place(cost: Cost) -> str:
    """Say the device, and the threads of a CPU."""
    count, device = cost.threads, cost.device
    return f"{device}, {count} thread{'' if count == 1 else 's'}" if device == "cpu" and count else device
