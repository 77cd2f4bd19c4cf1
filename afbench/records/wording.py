"""Counts, seeds and reasons in words, as tables, plots and comparisons print them."""

from __future__ import annotations

from collections.abc import Iterable

WIDTH = 110
"""Characters of a line of text where nobody chooses."""
REASON_LENGTH = 100


def plural(word: str, count: int) -> str:
    """Put a word into the plural unless there is one of it."""
    return word if count == 1 else f"{word}s"


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
