"""``afbench table``: the table of a results folder."""

from __future__ import annotations

import argparse

from ..errors import UsageError
from . import options

HELP = "print the table of a results folder"
EXAMPLES = ("afbench table results/gmm", "afbench table results/gmm --format latex > table.tex")
FORMATS = ("text", "md", "csv", "latex")


def add(verb: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    verb.add_argument("results", metavar="RESULTS", help="a results folder")
    verb.add_argument("--format", choices=FORMATS, default="text", help="text (default), md, csv or latex")
    verb.add_argument("--baseline", default="relu", metavar="SPEC", help="what the others are compared with (relu)")


def call(arguments: argparse.Namespace) -> int:
    """Print the table."""
    from ..report.summary import tables
    from ..report.table import render
    from ..store import Store

    store = Store.open(arguments.results)
    text = render(tables(store, baseline=options.canonical(arguments.baseline)), arguments.format)
    options.warn_of_problems(store)
    if not text:
        raise UsageError(f"no records in {arguments.results}")
    print(text, end="" if text.endswith("\n") else "\n")
    return 0
