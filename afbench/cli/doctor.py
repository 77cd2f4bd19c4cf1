"""``afbench doctor``: is this machine fit to time on."""

from __future__ import annotations

import argparse
import json

HELP = "say whether this machine is fit to time on"
EXAMPLES = ("afbench doctor --json", "afbench doctor --strict && afbench cost --acts all")


def add(verb: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    verb.add_argument("--strict", action="store_true", help="exit with 1 if anything warns")
    verb.add_argument("--json", action="store_true", help="print JSON")


def call(arguments: argparse.Namespace) -> int:
    """Print a line a finding."""
    from ..doctor import examine

    findings = examine()
    if arguments.json:
        print(json.dumps([{**vars(one), "ok": one.ok} for one in findings], indent=1))
    else:
        width = max(len(one.name) for one in findings)
        for one in findings:
            print(
                f"{'ok  ' if one.ok else 'warn'}  {one.name:{width}}  {one.found}"
                + (f"; {one.remedy}" if one.remedy else "")
            )
    return 1 if arguments.strict and not all(one.ok for one in findings) else 0
