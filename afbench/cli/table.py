"""``afbench table``: the tables of results folders."""

from __future__ import annotations

import argparse
import sys

from ..errors import UsageError
from ..registry.spec import BASELINE
from ..report.tables.formats import FORMATS
from ..report.tables.grid import CAPTIONS
from . import options
from .folding import width

HELP = "print tables of results folders"
EXAMPLES = (
    "afbench table results/gmm",
    "afbench table results/gmm --acts 'trainable,-pau' --columns mean,vs,params --sort params",
    "afbench table results/gmm --names 'ditac=DiTAC (ours)' --caption short --format latex > table.tex",
    "afbench table results/gmm results/moons --wide --format html > table.html",
    "afbench table results/cost --format md",
)


def add(verb: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    verb.add_argument("results", metavar="RESULTS", nargs="+", help="one results folder or several")
    verb.add_argument("--format", choices=FORMATS, default="text", help="default: text")
    verb.add_argument("--wide", action="store_true", help="print only the table with one column a task and mean ranks")
    verb.add_argument(
        "--costs", action="store_true", help="print only the tables of costs, also of costs in tasks' networks"
    )
    options.add_shown(verb)
    verb.add_argument("--columns", metavar="NAMES", help="columns to print, in this order: mean,vs,params")
    verb.add_argument(
        "--sort", metavar="COLUMN", help="column to sort by: step, params:desc (default: the best row first)"
    )
    verb.add_argument("--caption", choices=CAPTIONS, default="full", help="length of the captions (default: full)")


def call(arguments: argparse.Namespace) -> int:
    """Print each task's table, then the wide table of all tasks, then costs; a CSV holds one kind of table.

    Costs in a task's network are columns of the task's table; without trials they have a table of their own.
    """
    from ..records.store import Snapshot
    from ..report.selection import canonical, holdings, renamed, select, spec_among
    from ..report.summary import tables
    from ..report.tables.arrange import named, restricted
    from ..report.tables.cost_table import cost_grid, cost_tables
    from ..report.tables.formats import render
    from ..report.tables.grid import chosen, sort
    from ..report.tables.task_grid import task_grid
    from ..report.tables.wide import wide_grid, widen

    stores = [Snapshot.open(path) for path in dict.fromkeys(arguments.results)]
    with_trials = [] if arguments.costs else [store for store in stores if store.records()]
    activations = [record.trial.activation for store in with_trials for record in store.records()]
    baseline = canonical(arguments.baseline, activations if arguments.baseline != BASELINE else ())
    made = [table for store in with_trials for table in tables(store, baseline)]
    timed = [case for store in stores for case in cost_tables(store.costs(), network=store not in with_trials)]
    options.warn(problem for store in stores for problem in store.problems.values())
    if not made and not (timed and not arguments.wide):
        wanted = "costs" if arguments.costs else "records"
        raise UsageError(f"no {wanted} in {', '.join(arguments.results)}")
    if made and baseline != BASELINE:
        spec_among(baseline, [row.activation for table in made for row in table.rows])
    counts = [(row.activation, row.parameters) for table in made for row in table.rows]
    counts += [(cost.activation, cost.parameters.get("activation")) for case in timed for cost in case.costs]
    available = holdings(counts)
    names = renamed(arguments.names, available)
    if arguments.acts is not None:
        selection = select(arguments.acts, available)
        keep = [activation for activation in available if selection.shows(activation, baseline)]
        made = [kept for table in made if (kept := restricted(table, keep)).rows]
        timed = [left for case in timed if (left := case.restricted(keep)).costs]
    if names:
        made, timed = [named(table, names) for table in made], [case.named(names) for case in timed]
    groups = [table.group for table in made]
    several = len({group.task for group in groups}) > 1 and len(set(groups)) == len(groups)
    grids = [] if arguments.wide else [task_grid(table) for table in made]
    if arguments.wide or (several and arguments.format != "csv"):
        grids.append(wide_grid(widen(made)))
    columns = chosen(arguments.columns, grids) if arguments.columns is not None else ()
    grids = [grid.picked(columns) for grid in (grids if arguments.sort is None else sort(grids, arguments.sort))]
    if not arguments.wide and not (made and arguments.format == "csv"):
        grids += [cost_grid(case) for case in timed]
    grids = [grid.with_caption(arguments.caption) for grid in grids]
    text = render(grids, arguments.format, width())
    if arguments.format == "html" and sys.stdout.encoding.lower() not in ("utf-8", "utf8"):  # the page says it is UTF-8
        text = text.encode("ascii", "xmlcharrefreplace").decode()
    print(text, end="" if text.endswith("\n") else "\n")
    return 0
