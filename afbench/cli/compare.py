"""``afbench compare``: what changed between two results folders."""

from __future__ import annotations

import argparse
import json
import re

from ..errors import UsageError
from . import options

HELP = "compare two results folders: what became better or worse, faster or slower, lighter or heavier, or broke"
EXAMPLES = (
    "afbench compare results/before results/after",
    "afbench compare results/before results/after --fail-on regression --threshold 10%",
)


def add(verb: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    verb.add_argument("a", metavar="A", help="the folder before a change: trials, costs, or both")
    verb.add_argument("b", metavar="B", help="the folder after it")
    verb.add_argument(
        "--threshold",
        default="5%",
        metavar="SHARE",
        help="times and bytes that change by at most this share count as unchanged (5%%)",
    )
    verb.add_argument(
        "--fail-on", choices=("regression",), help="exit with 1 if anything broke or became worse, slower or heavier"
    )
    verb.add_argument("--all", action="store_true", help="list unchanged numbers too")
    verb.add_argument("--json", action="store_true", help="print all numbers as JSON")


def call(arguments: argparse.Namespace) -> int:
    """Compare and print."""
    from ..compare import compare
    from ..compare.text import text

    comparison = compare(arguments.a, arguments.b, share(arguments.threshold))
    options.warn(comparison.problems)
    output = json.dumps(comparison.to_json(), indent=1) + "\n" if arguments.json else text(comparison, arguments.all)
    print(output, end="")
    return 1 if arguments.fail_on and comparison.regressions else 0


def share(text: str) -> float:
    """Read a share.

    Raises:
        UsageError: if it is not a share from 0 to below 100 %.

    >>> share("5%"), share("0.1")
    (0.05, 0.1)
    """
    match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*(%?)", text.strip(), re.ASCII)
    number = float(match[1]) / (100 if match[2] else 1) if match else 1.0
    if not number < 1:
        raise UsageError(f"--threshold takes a share such as 5% or 0.05, not {text!r}")
    return number
