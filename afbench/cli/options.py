"""Options that several verbs share."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..lazy import defining
from ..registry import numerals

if TYPE_CHECKING:
    from ..records.store import Store

ENGINES = defining("engines", "{}")
"""Names of the engines, which are not imported for --help."""


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
        help="a Python file that registers activations or tasks; may be given several times",
    )


def add_data_root(verb: argparse.ArgumentParser) -> None:
    """Add ``--data-root``; whoever adds it calls ``roots.use`` where it was given."""
    verb.add_argument("--data-root", metavar="DIR", help="look for data sets here first (default: $AFBENCH_DATA)")


def add_shown(verb: argparse.ArgumentParser) -> None:
    """Add ``--acts``, ``--baseline`` and ``--names``, which ask what results hold; ``report.selection`` reads them."""
    verb.add_argument(
        "--acts",
        metavar="WHICH",
        help="which activations of the results, as in run: all | trainable | fixed | tag:NAME | glob* | specs; "
        "-NAME excludes",
    )
    verb.add_argument("--baseline", default="relu", metavar="SPEC", help="what the others are compared with (relu)")
    verb.add_argument(
        "--names",
        action="append",
        default=[],
        metavar="SPEC=NAME",
        help="what activations are called, by commas: 'ditac=DiTAC (ours),pau=\"PAU, learnt\"'",
    )


def load_plugins(paths: list[str]) -> None:
    """Load plugins; what other packages' entry points failed to load is said, and stops nothing."""
    from ..registry import discovery
    from ..registry.entries import ACTIVATIONS, TASKS

    failures = []
    for path in paths:
        try:
            discovery.load_plugin(path, ACTIVATIONS, TASKS)
        except UsageError as error:
            failures.append(str(error))
    ACTIVATIONS.populate()
    TASKS.populate()
    for problem in discovery.problems:
        print(f"afbench: warning: {problem}", file=sys.stderr)
    if failures:
        raise UsageError("; ".join(failures))


def warn_of_problems(store: Store) -> None:
    """Name the files of a results folder that are no records."""
    for problem in store.problems.values():
        print(f"afbench: warning: {problem}", file=sys.stderr)


def pairs(given: list[str]) -> dict[str, str]:
    """Read ``key=value`` texts.

    Raises:
        UsageError: if one has no ``=``, or a key is given twice.
    """
    found: dict[str, str] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise UsageError(f"--set takes key=value, not {text!r}")
        if key.strip() in found:
            raise UsageError(f"--set gives {key.strip()!r} twice")
        found[key.strip()] = value
    return found
