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
    "afbench table results/cost --format md",
)
FORMATS = ("text", "md", "csv", "latex", "html")


def add(verb: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    verb.add_argument("results", metavar="RESULTS", nargs="+", help="a results folder, or several")
    verb.add_argument("--format", choices=FORMATS, default="text", help="text (default), md, csv, latex or html")
    verb.add_argument("--wide", action="store_true", help="only the table with a column a task and mean ranks")
    verb.add_argument("--costs", action="store_true", help="only the tables of costs, those of tasks' networks too")
    verb.add_argument("--baseline", default="relu", metavar="SPEC", help="what the others are compared with (relu)")


def call(arguments: argparse.Namespace) -> int:
    """Print each task's table, then all tasks in a wide one, then costs; a CSV has one header and holds one kind.

    Costs in a task's network stand in the task's own table, if there is one; else in one of their own.
    """
    from ..report.cost_table import CostTable
    from ..report.cost_tables import cost_tables
    from ..report.rows import Table
    from ..report.summary import tables
    from ..report.table import render
    from ..report.wide import Wide, widen
    from ..store import Store

    stores = [Store.open(path) for path in dict.fromkeys(arguments.results)]
    baseline = options.canonical(arguments.baseline)
    made = [] if arguments.costs else [table for store in stores for table in tables(store, baseline=baseline)]
    with_trials = {store.path for store in stores if not arguments.costs and (store.path / "trials").is_dir()}
    costs = [table for store in stores for table in cost_tables(store, network=store.path not in with_trials)]
    for store in stores:
        options.warn_of_problems(store)
    if not made and not (costs and not arguments.wide):
        wanted = "costs" if arguments.costs else "records"
        raise UsageError(f"no {wanted} in {', '.join(arguments.results)}")
    known = {row.activation for table in made for row in table.rows}
    if made and baseline != options.canonical("relu") and baseline not in known:
        raise UsageError(f"no activation {baseline!r} in the results{did_you_mean(baseline, known)}")
    groups = [table.group for table in made]
    printed: list[Table | Wide | CostTable] = [widen(made)] if arguments.wide else [*made]
    several = len({group.task for group in groups}) > 1 and len(set(groups)) == len(groups)
    if several and not arguments.wide and arguments.format != "csv":
        printed.append(widen(made))
    if not arguments.wide and not (made and arguments.format == "csv"):
        printed += costs
    text = render(printed, arguments.format)
    print(text, end="" if text.endswith("\n") else "\n")
    return 0
