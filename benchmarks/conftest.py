"""Bars: what a benchmark measured beside what it may take, printed at the end."""

from __future__ import annotations

import os

import pytest

BARS: list[tuple[str, float, float | None, str, str]] = []


@pytest.fixture
def bar():
    """Note a figure: ``bar(what, value, limit, unit, note)``; with AFBENCH_STRICT=1 a missed limit fails the test."""

    def note(what: str, value: float, limit: float | None = None, unit: str = "s", note: str = "") -> None:
        BARS.append((what, value, limit, unit, note))
        if os.environ.get("AFBENCH_STRICT") == "1" and limit is not None:
            assert value <= limit, f"{what}: {value:.3g} {unit}, at most {limit:g} {unit}"

    return note


def pytest_terminal_summary(terminalreporter):
    """Print the figures beside their bars."""
    if BARS:
        terminalreporter.section("measured against the bars")
    for what, value, limit, unit, note in BARS:
        said = "" if limit is None else f"bar {limit:g} {unit}: {'met' if value <= limit else 'MISSED'}"
        terminalreporter.write_line(f"{what:<44}{value:>10.3g} {unit:<3}{said:<20}{note}".rstrip())
