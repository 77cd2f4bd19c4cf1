"""``afbench run``: train, and write tables and plots."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from ..data import roots
from ..errors import UsageError, text_of
from . import closing, options
from .folding import width

if TYPE_CHECKING:
    from ..campaign.run import Summary
    from ..records.store import Store

HELP = "train a task's network with each activation, and write the table and the plots"
EXAMPLES = (
    "afbench run --task gmm --acts all",
    "afbench run --task digits --acts 'trainable,-pau' --seeds 11 --set model=cnn",
    "afbench run --task gmm --acts 'ditac[cells=20],gelu' --budget smoke",
)


def add(verb: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    verb.add_argument("--task", required=True, help="the task (afbench list tasks)")
    verb.add_argument(
        "--acts",
        default="all",
        metavar="WHICH",
        help="all | trainable | fixed | tag:NAME | glob* | specs, separated by commas; -NAME excludes (default: all)",
    )
    verb.add_argument("--seeds", type=options.whole, default=5, metavar="N", help="seeds 0 to N-1 (default: 5)")
    verb.add_argument(
        "--jobs", type=options.whole, metavar="N", help="parallel processes (default and maximum: the number of cores)"
    )
    verb.add_argument("--out", metavar="DIR", help="the results folder (default: results/TASK)")
    verb.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a setting of the task (afbench show TASK)",
    )
    verb.add_argument("--budget", default="default", help="smoke | default | paper | a fraction of the epochs")
    verb.add_argument(
        "--baseline", default="relu", metavar="SPEC", help="the activation that the others are compared with (relu)"
    )
    verb.add_argument("--device", default="auto", help="auto | cpu | cuda | cuda:N (default: auto)")
    verb.add_argument("--engine", default="process", help=f"{' | '.join(options.ENGINES)} (default: process)")
    verb.add_argument(
        "--timeout", type=options.real, metavar="SECONDS", help="stop a trial after this number of seconds"
    )
    verb.add_argument("--retry", action="store_true", help="repeat trials that diverged or raised an error")
    verb.add_argument("--keep-stale", action="store_true", help="also use results of older code")
    verb.add_argument(
        "--no-cost", action="store_true", help="do not measure costs (step time, saved bytes) after the trials"
    )
    options.add_data_root(verb)
    options.add_plugin(verb)


def call(arguments: argparse.Namespace) -> int:
    """Run; print plan, progress, table and summary."""
    from ..campaign.run import run
    from ..records.store import Snapshot
    from .progress import Terminal

    options.warn_of_entry_points()
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
    total, failed = len(summary.new) + len(summary.skipped), len(summary.failed)
    counts = f"{total - failed} of {total} trials ok ({len(summary.new)} new), {failed} failed"
    print(f"done: {counts}; results: {summary.store.path}\n", flush=True)
    folder = Snapshot.open(summary.store.path)
    table, lost = write_tables(summary, folder)
    print(table)
    for line in closing.failures([(str(record.trial), record.status, record.reason) for record in summary.failed]):
        print(line)
    drawn, undrawn = write_plots(summary, folder)
    for problem in (*lost, *undrawn):
        print(f"afbench: {problem}", file=sys.stderr)
    report(summary, drawn, tables=not lost)
    return 1 if summary.failed or lost or undrawn else 0


def write_tables(summary: Summary, folder: Store) -> tuple[str, list[str]]:
    """Write the tables into the results folder; return this run's as text, and a line for each that is not written."""
    from ..records.groups import group_of
    from ..report.summary import tables
    from ..report.tables.formats import find, render
    from ..report.tables.task_grid import task_grid

    made = tables(folder, baseline=summary.plan.baseline.spec)
    stem, grids = f"{folder.path}/tables/{summary.plan.task.name}", [task_grid(table) for table in made]
    paths = {name: Path(f"{stem}.{find(name).ENDING}") for name in ("text", "md", "csv", "latex")}
    lost = closing.write_all((path, render(grids, name)) for name, path in paths.items())
    own = {group_of(record) for record in [*summary.new, *summary.skipped]}
    shown = [grid for table, grid in zip(made, grids, strict=True) if table.group in own]
    return render(shown, "text", width()), lost


def write_plots(summary: Summary, store: Store) -> tuple[list[Path], list[str]]:
    """Draw the task's plots into the results folder.

    Plots that cannot be drawn are named on standard error.

    Returns:
        The files that were written, and a line for each that cannot be written.
    """
    from ..registry.spec import Spec
    from ..report.plots import draw, save
    from ..tasks.base import changed

    task = summary.plan.task
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
    options.warn(damaged.values())
    return written, lost


def report(summary: Summary, plots: list[Path], *, tables: bool) -> None:
    """Print what was written, and the next commands."""
    folder = summary.store.path
    names = [f"{folder}/tables/{summary.plan.task.name}.md (also .txt, .csv, .tex)"] * tables
    names += [str(path.relative_to(folder)) for path in plots]
    if names:
        print(f"written: {', '.join(names)}")
    commands = [f"afbench table {quote(str(folder))} --format latex"]
    commands += [f"afbench plot {quote(str(folder))} {plots[0].stem} --output {plots[0].stem}.pdf"] if plots else []
    print("next:", *commands, sep="\n  ")


def report_interruption(summary: Summary) -> int:
    """Print what is kept and how to continue; returns 130."""
    left = len(summary.plan.trials) - len(summary.new) - len(summary.skipped)
    kept = len(summary.new) + len(summary.skipped)
    print(
        f"interrupted: {kept} trials are in {summary.store.path}, {left} are left; run the same command to continue",
        file=sys.stderr,
    )
    return 130
