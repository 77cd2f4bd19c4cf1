"""``afbench doctor``: checks whether this machine is suitable for timing."""

from __future__ import annotations

import argparse
import json

HELP = "check whether this machine is suitable for timing"
EXAMPLES = ("afbench doctor --json", "afbench doctor --strict && afbench cost --acts all")


def add(verb: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    verb.add_argument("--strict", action="store_true", help="exit with 1 if there is a warning")
    verb.add_argument("--json", action="store_true", help="print JSON")


def call(arguments: argparse.Namespace) -> int:
    """Print a line per finding."""
    from ..doctor import examine

    findings = examine()
    if arguments.json:
        print(json.dumps([{**vars(finding), "ok": finding.ok} for finding in findings], indent=1))
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            print(
                f"{'ok  ' if finding.ok else 'warn'}  {finding.name:{width}}  {finding.found}"
                + (f"; {finding.remedy}" if finding.remedy else "")
            )
    return 1 if arguments.strict and not all(finding.ok for finding in findings) else 0
