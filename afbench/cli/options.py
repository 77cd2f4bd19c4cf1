"""Options that several commands share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

from ..errors import UsageError
from ..lazy import defining
from ..registry import numerals

ENGINES = defining("engines", "{}")
"""Names of the engines. --help does not import them."""


def whole(text: str) -> int:
    """Read an integer of the command line."""
    try:
        return numerals.whole(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"it takes an integer such as 5, not {text!r}") from None


def real(text: str) -> float:
    """Read a number of the command line."""
    try:
        return numerals.real(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"it takes a number such as 0.5, not {text!r}") from None


def add_plugin(verb: argparse.ArgumentParser) -> None:
    """Add ``--plugin``."""
    verb.add_argument(
        "--plugin",
        action="append",
        default=[],
        metavar="FILE.py",
        help="a Python file that registers activations or tasks; repeatable",
    )


def add_data_root(verb: argparse.ArgumentParser) -> None:
    """Add ``--data-root``; the command calls ``roots.use`` with its value."""
    verb.add_argument("--data-root", metavar="DIR", help="look for data sets here first (default: $AFBENCH_DATA)")


def add_shown(verb: argparse.ArgumentParser) -> None:
    """Add ``--acts``, ``--baseline`` and ``--names``, which select from results; ``report.selection`` reads them."""
    verb.add_argument(
        "--acts",
        metavar="WHICH",
        help="activations to show, as in run: all | trainable | fixed | tag:NAME | glob* | specs; -NAME excludes",
    )
    verb.add_argument(
        "--baseline", default="relu", metavar="SPEC", help="the activation that the others are compared with (relu)"
    )
    verb.add_argument(
        "--names",
        action="append",
        default=[],
        metavar="SPEC=NAME",
        help="names to print, separated by commas: 'ditac=DiTAC (ours),pau=\"PAU, learned\"'",
    )


def load_plugins(paths: list[str]) -> None:
    """Load plugins. If the entry point of another package cannot be loaded, print a warning and go on."""
    from ..registry import entries

    try:
        entries.load_plugins(paths)
    finally:
        warn_of_entry_points()


def warn_of_entry_points() -> None:
    """Print a warning for each entry point of another package that cannot be loaded."""
    from ..registry import discovery
    from ..registry.entries import ACTIVATIONS, TASKS

    ACTIVATIONS.populate()
    TASKS.populate()
    warn(discovery.problems)


def warn(problems: Iterable[str]) -> None:
    """Print a warning for each problem, such as a damaged file of a results folder."""
    for problem in problems:
        print(f"afbench: warning: {problem}", file=sys.stderr)


def pairs(given: list[str]) -> dict[str, str]:
    """Read ``key=value`` texts.

    Raises:
        UsageError: if a text has no ``=``, or a key occurs twice.
    """
    value_by_key: dict[str, str] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise UsageError(f"--set takes key=value, not {text!r}")
        if key.strip() in value_by_key:
            raise UsageError(f"--set gives {key.strip()!r} twice; give it once")
        value_by_key[key.strip()] = value
    return value_by_key
