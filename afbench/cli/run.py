"""``afbench run``: train, and leave a table and pictures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..data import roots
from ..errors import UsageError, text_of
from . import closing, options

if TYPE_CHECKING:
    from ..campaign.run import Summary

HELP = "train a task's network with each activation, and write the table and the plots"
EXAMPLES = (
    "afbench run --task gmm --acts all",
    "afbench run --task digits --acts 'trainable,-pau' --seeds 11 --set model=cnn",
    "afbench run --task gmm --acts my_pkg.acts:Snake[alpha=2] --budget smoke",
)


def add(verb: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    verb.add_argument("--task", required=True, help="which task (afbench list tasks)")
    verb.add_argument(
        "--acts",
        default="all",
        metavar="WHICH",
        help="all | trainable | fixed | tag:NAME | glob* | specs, by commas; -name excludes (default: all)",
    )
    verb.add_argument("--seeds", type=options.whole, default=5, metavar="N", help="seeds 0 to N-1 (default: 5)")
    verb.add_argument("--jobs", type=options.whole, metavar="N", help="processes (default: as many as the cores)")
    verb.add_argument("--out", metavar="DIR", help="the results folder (default: results/TASK)")
    verb.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a setting of the task (afbench show TASK)",
    )
    verb.add_argument("--budget", default="default", help="smoke | default | paper | a fraction of the epochs")
    verb.add_argument("--baseline", default="relu", metavar="SPEC", help="what the others are compared with (relu)")
    verb.add_argument("--device", default="auto", help="auto | cpu | cuda | cuda:N (default: auto)")
    verb.add_argument("--engine", default="process", help=f"{' | '.join(options.ENGINES)} (default: process)")
    verb.add_argument("--timeout", type=options.real, metavar="SECONDS", help="give up a trial after this long")
    verb.add_argument("--retry", action="store_true", help="run trials again that diverged or raised")
    verb.add_argument("--keep-stale", action="store_true", help="count records of other versions of an entry")
    verb.add_argument("--no-cost", action="store_true", help="leave out the cost pass after the trials")
    options.add_data_root(verb)
    options.add_plugin(verb)


def call(arguments: argparse.Namespace) -> int:
    """Run; print plan, progress, table and summary."""
    from ..campaign.run import run
    from .progress import Terminal

    options.load_plugins(arguments.plugin)
    if arguments.data_root is not None:
        roots.use(arguments.data_root)
    terminal = Terminal()
    try:
        summary = run(
            arguments.task,
            arguments.acts,
            seeds=arguments.seeds,
            out=arguments.out,
            jobs=arguments.jobs,
            settings=options.pairs(arguments.set),
            budget=arguments.budget,
            baseline=arguments.baseline,
            device=arguments.device,
            engine=arguments.engine,
            timeout=arguments.timeout,
            retry=arguments.retry,
            keep_stale=arguments.keep_stale,
            cost=not arguments.no_cost,
            plugins=arguments.plugin,
            listener=terminal,
        )
    finally:
        terminal.close()
    if summary.interrupted:
        return report_interruption(summary)
    counts = f"{len(summary.ok)} ok, {len(summary.failed)} failed, {len(summary.skipped)} skipped"
    print(f"done: {counts}; {summary.store.path}\n", flush=True)
    table, lost = write_tables(summary)
    print(table)
    for line in closing.failures([(str(record.trial), record.status, record.reason) for record in summary.failed]):
        print(line)
    drawn, undrawn = write_plots(summary)
    for problem in (*lost, *undrawn):
        print(f"afbench: {problem}", file=sys.stderr)
    report(summary, drawn, tables=not lost)
    return 1 if summary.failed or lost or undrawn else 0


def write_tables(summary: Summary) -> tuple[str, list[str]]:
    """Write the tables into the results folder; returns this run's as text, and what could not be written."""
    from ..records.store import Store
    from ..report.summary import tables
    from ..report.tables.groups import group_of
    from ..report.tables.table import render
    from ..report.tables.view import View, terminal_width

    folder = Store.open(summary.store.path)
    made = tables(folder, baseline=summary.plan.baseline.spec)
    endings = (("text", "txt"), ("md", "md"), ("csv", "csv"), ("latex", "tex"))
    stem = f"{folder.path}/tables/{summary.plan.task.name}"
    lost = closing.write_all((Path(f"{stem}.{ending}"), render(made, name)) for name, ending in endings)
    own = {group_of(record) for record in [*summary.new, *summary.skipped]}
    shown = [table for table in made if table.group in own]
    return render(shown, "text", View(width=terminal_width())), lost


def write_plots(summary: Summary) -> tuple[list[Path], list[str]]:
    """Draw the task's plots into the results folder; returns those that are there, and what could not be written.

    One that cannot be drawn is said, and loses nothing else.
    """
    from ..records.store import Store
    from ..registry.spec import Spec
    from ..report.plots import draw, save
    from ..tasks.settings import changed

    store, task = Store.open(summary.store.path), summary.plan.task
    written, lost = [], []
    label = str(Spec(task.name, changed(task)))  # the folder may hold the task under other settings too
    damaged: dict[str, str] = {}
    for kind in task.plots:
        path = store.path / "plots" / f"{kind}.png"
        figure = None
        try:
            figure = draw(store, kind, task=label, baseline=summary.plan.baseline.spec)
        except UsageError as error:
            print(f"afbench: no plot {kind}: {error}", file=sys.stderr)
        except Exception as error:
            print(f"afbench: no plot {kind}: {type(error).__name__}: {text_of(error)}", file=sys.stderr)
        damaged |= {name: problem for name, problem in store.problems.items() if name.startswith("arrays/")}
        if figure is None:
            continue
        try:
            save(figure, path)
            written.append(path)
        except (OSError, UsageError) as error:
            lost.append(f"no plot {kind}: {text_of(error)}")
    for problem in damaged.values():
        print(f"afbench: warning: {problem}", file=sys.stderr)
    return written, lost


def report(summary: Summary, plots: list[Path], *, tables: bool) -> None:
    """Print what was written, and the next commands."""
    folder = summary.store.path
    names = [f"{folder}/tables/{summary.plan.task.name}.md (also .txt, .csv, .tex)"] * tables
    names += [str(path.relative_to(folder)) for path in plots]
    if names:
        print(f"written: {', '.join(names)}")
    draw = f"afbench plot {folder} {plots[0].stem} | " if plots else ""
    print(f"next: {draw}afbench table {folder} --format latex")


def report_interruption(summary: Summary) -> int:
    """Say what is kept and how to go on; returns 130."""
    left = len(summary.plan.trials) - len(summary.new) - len(summary.skipped)
    kept = len(summary.new) + len(summary.skipped)
    print(
        f"interrupted: {kept} trials are in {summary.store.path}, {left} are left; "
        "the same command goes on where this stopped",
        file=sys.stderr,
    )
    return 130
