"""The end of a command: it writes the tables and lists what failed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ..files.write import write_whole

LINE, LISTED = 160, 20
"""Most characters of a line that names a failure, and most such lines."""


def failures(failed: Sequence[tuple[str, str, str]]) -> list[str]:
    """List what failed and why, shortened; the records hold the full text.

    >>> failures([("pau seed 3", "diverged", "loss inf at step 7")])
    ['  failed  pau seed 3: diverged: loss inf at step 7']
    """
    lines = []
    for name, status, reason in failed[:LISTED]:
        line = f"  failed  {name}: {status}: {' '.join(reason.split())}"
        lines.append(line if len(line) <= LINE else f"{line[: LINE - 3]}...")
    if len(failed) > LISTED:
        lines.append(f"  and {len(failed) - LISTED} more")
    return lines


def write_all(files: Iterable[tuple[Path, str]]) -> list[str]:
    """Write text files; returns a line for each file that cannot be written."""
    problems = []
    for path, text in files:
        try:
            write_whole(path, text.encode())
        except OSError as error:
            problems.append(f"{path} cannot be written ({error.strerror})")
    return problems
