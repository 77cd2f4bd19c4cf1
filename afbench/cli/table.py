"""``afbench table``: the tables of results folders."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..registry.spec import BASELINE
from . import options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..records.store import Store
    from ..report.tables.cost_table import CostTable
    from ..report.tables.rows import Table
    from ..report.tables.wide import Wide

HELP = "print the tables of results folders"
EXAMPLES = (
    "afbench table results/gmm",
    "afbench table results/gmm --acts 'trainable,-pau' --columns mean,vs,params --sort params",
    "afbench table results/gmm --names 'ditac=DiTAC (ours)' --caption short --format latex > table.tex",
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
    options.add_shown(verb)
    verb.add_argument("--columns", metavar="NAMES", help="which columns, in this order, by commas: mean,vs,params")
    verb.add_argument("--sort", metavar="COLUMN", help="by which column: step, params:desc (default: the best first)")
    verb.add_argument("--caption", choices=("short", "full", "none"), default="full", help="how much it says (full)")


def call(arguments: argparse.Namespace) -> int:
    """Print each task's table, then all tasks in a wide one, then costs; a CSV has one header and holds one kind.

    Costs in a task's network stand in the task's own table, if there is one; else in one of their own.
    """
    from ..records.store import Store
    from ..report.selection import canonical, holdings, one, renamed, select
    from ..report.summary import tables
    from ..report.tables.arrange import named, restricted
    from ..report.tables.cost_tables import cost_tables
    from ..report.tables.sorting import sort
    from ..report.tables.table import render
    from ..report.tables.view import View, chosen, terminal_width
    from ..report.tables.wide import widen

    stores = [Store.open(path) for path in dict.fromkeys(arguments.results)]
    baseline = canonical(arguments.baseline, held_by(stores) if arguments.baseline != BASELINE else ())
    made = [] if arguments.costs else [table for store in stores for table in tables(store, baseline=baseline)]
    with_trials = {store.path for store in stores if not arguments.costs and (store.path / "trials").is_dir()}
    costs = [table for store in stores for table in cost_tables(store, network=store.path not in with_trials)]
    for store in stores:
        options.warn_of_problems(store)
    if not made and not (costs and not arguments.wide):
        wanted = "costs" if arguments.costs else "records"
        raise UsageError(f"no {wanted} in {', '.join(arguments.results)}")
    if made and baseline != BASELINE:
        one(baseline, [row.activation for table in made for row in table.rows])
    trained = [(row.activation, row.parameters) for table in made for row in table.rows]
    timed = [(row.activation, row.parameters) for case in costs for row in case.rows]
    held = holdings([*trained, *timed])
    names = renamed(arguments.names, held)
    if arguments.acts is not None:
        selection = select(arguments.acts, held)
        keep = [activation for activation in held if selection.shows(activation, baseline)]
        made = [kept for table in made if (kept := restricted(table, keep)).rows]
        costs = [left for case in costs if (left := case.restricted(keep)).rows]
    if names:
        made, costs = [named(table, names) for table in made], [case.named(names) for case in costs]
    groups = [table.group for table in made]
    printed: list[Table | Wide] = [widen(made)] if arguments.wide else [*made]
    several = len({group.task for group in groups}) > 1 and len(set(groups)) == len(groups)
    if several and not arguments.wide and arguments.format != "csv":
        printed.append(widen(made))
    columns = chosen(arguments.columns, printed) if arguments.columns is not None else ()
    if arguments.sort is not None:
        printed = sort(printed, arguments.sort)
    shown: list[Table | Wide | CostTable] = [*printed]
    if not arguments.wide and not (made and arguments.format == "csv"):
        shown += costs
    text = render(shown, arguments.format, View(columns, arguments.caption, terminal_width()))
    if arguments.format == "html" and sys.stdout.encoding.lower() not in ("utf-8", "utf8"):  # the page says it is UTF-8
        text = text.encode("ascii", "xmlcharrefreplace").decode()
    print(text, end="" if text.endswith("\n") else "\n")
    return 0


def held_by(stores: Iterable[Store]) -> set[str]:
    """List the activations of stores' records."""
    return {record.trial.activation for store in stores for record in store.records()}
