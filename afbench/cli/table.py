"""``afbench table``: the tables of results folders."""

from __future__ import annotations

import argparse

from ..errors import UsageError, did_you_mean
from . import options

HELP = "print the tables of results folders"
EXAMPLES = (
    "afbench table results/gmm",
    "afbench table results/gmm --format latex > table.tex",
    "afbench table results/gmm results/moons --wide --format html > table.html",
)
FORMATS = ("text", "md", "csv", "latex", "html")


def add(verb: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    verb.add_argument("results", metavar="RESULTS", nargs="+", help="a results folder, or several")
    verb.add_argument("--format", choices=FORMATS, default="text", help="text (default), md, csv, latex or html")
    verb.add_argument("--wide", action="store_true", help="only the table with a column a task and mean ranks")
    verb.add_argument("--baseline", default="relu", metavar="SPEC", help="what the others are compared with (relu)")


def call(arguments: argparse.Namespace) -> int:
    """Print each task's table, then all tasks in a wide one; a CSV, which has one header, holds either."""
    from ..report.rows import Table
    from ..report.summary import tables
    from ..report.table import render
    from ..report.wide import Wide, widen
    from ..store import Store

    stores = [Store.open(path) for path in dict.fromkeys(arguments.results)]
    baseline = options.canonical(arguments.baseline)
    made = [table for store in stores for table in tables(store, baseline=baseline)]
    for store in stores:
        options.warn_of_problems(store)
    if not made:
        raise UsageError(f"no records in {', '.join(arguments.results)}")
    known = {row.activation for table in made for row in table.rows}
    if baseline != options.canonical("relu") and baseline not in known:
        raise UsageError(f"no activation {baseline!r} in the results{did_you_mean(baseline, known)}")
    groups = [table.group for table in made]
    printed: list[Table | Wide] = [widen(made)] if arguments.wide else [*made]
    several = len({group.task for group in groups}) > 1 and len(set(groups)) == len(groups)
    if several and not arguments.wide and arguments.format != "csv":
        printed.append(widen(made))
    text = render(printed, arguments.format)
    print(text, end="" if text.endswith("\n") else "\n")
    return 0
