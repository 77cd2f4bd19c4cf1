"""``afbench compare``: what changed between two results folders."""

from __future__ import annotations

import argparse
import json
import re
import sys

from ..errors import UsageError

HELP = "compare two results folders: what became faster, slower, better, worse"
EXAMPLES = (
    "afbench compare results/before results/after",
    "afbench compare results/before results/after --fail-on regression --threshold 10%",
)


def add(verb: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    verb.add_argument("a", metavar="A", help="a results folder: trials, costs, or both")
    verb.add_argument("b", metavar="B", help="the one that is judged")
    verb.add_argument(
        "--threshold", default="5%", metavar="SHARE", help="times and bytes within it count as unchanged (5%%)"
    )
    verb.add_argument(
        "--fail-on", choices=("regression",), help="exit with 1 if anything broke or became worse, slower, heavier"
    )
    verb.add_argument("--all", action="store_true", help="list what is unchanged too")
    verb.add_argument("--json", action="store_true", help="print all figures as JSON")


def call(arguments: argparse.Namespace) -> int:
    """Compare and print."""
    from ..compare import compare
    from ..compare.text import text

    found = compare(arguments.a, arguments.b, share(arguments.threshold))
    for problem in found.problems:
        print(f"afbench: warning: {problem}", file=sys.stderr)
    print(json.dumps(found.to_json(), indent=1) + "\n" if arguments.json else text(found, arguments.all), end="")
    return 1 if arguments.fail_on and found.regressions else 0


def share(text: str) -> float:
    """Read a share.

    Raises:
        UsageError: if it is none from 0 to below 100 %.

    >>> share("5%"), share("0.1")
    (0.05, 0.1)
    """
    held = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*(%?)", text.strip(), re.ASCII)
    number = float(held[1]) / (100 if held[2] else 1) if held else 1.0
    if not number < 1:
        raise UsageError(f"--threshold takes a share such as 5% or 0.05, not {text!r}")
    return number
