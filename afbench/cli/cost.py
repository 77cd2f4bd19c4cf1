"""``afbench cost``: the cost of activations, alone on shapes or in a task's network."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from ..cost.case import DTYPES, MODES, ROUNDS, SHAPES
from ..data import roots
from ..errors import UsageError
from . import closing, options

if TYPE_CHECKING:
    from ..cost.listening import Measured

HELP = "measure what activations cost in time, memory and parameters: alone on shapes, or in a task's network"
EXAMPLES = (
    "afbench cost --acts all --shapes 32x64x56x56,8x197x3072 --dtype float32,bfloat16 --threads 1,2",
    "afbench cost --acts relu,gelu,pau --shapes scaling --mode eager,compile",
    "afbench cost --task fashion_mnist --acts all",
)
ALONE = ("shapes", "dtype", "mode", "threads")


def add(verb: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    verb.add_argument("--acts", default="all", metavar="WHICH", help="activations, as for run (default: all)")
    verb.add_argument("--task", help="measure in the network of this task, with its dtype and threads")
    verb.add_argument(
        "--shapes", metavar="SIZES", help=f"sizes separated by commas (4-D is NCHW), or scaling (default: {SHAPES})"
    )
    verb.add_argument("--dtype", metavar="DTYPES", help=f"separated by commas: {', '.join(DTYPES)} (default: float32)")
    verb.add_argument(
        "--mode", metavar="MODES", help=f"separated by commas: {', '.join(MODES)} (default: eager; graph needs CUDA)"
    )
    verb.add_argument("--threads", metavar="COUNTS", help="numbers separated by commas (default: 1)")
    verb.add_argument("--device", default="auto", help="auto | cpu | cuda | cuda:N (default: auto)")
    verb.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="with --task: change a setting")
    verb.add_argument("--baseline", metavar="SPEC", help="with --task: the baseline of the ratios (default: relu)")
    verb.add_argument("--out", metavar="DIR", default="results/cost", help="the results folder (default: results/cost)")
    verb.add_argument(
        "--rounds", type=options.whole, default=ROUNDS, metavar="N", help=f"rounds, at least 5 (default: {ROUNDS})"
    )
    verb.add_argument("--again", action="store_true", help="measure again, even if the folder holds the costs")
    verb.add_argument("--engine", default="process", help=f"{' | '.join(options.ENGINES)} (default: process)")
    verb.add_argument("--json", action="store_true", help="print the costs as JSON instead of tables")
    options.add_data_root(verb)
    options.add_plugin(verb)


def call(arguments: argparse.Namespace) -> int:
    """Measure; print plan, progress and tables."""
    from ..cost.session import measure
    from .progress import Lines

    options.warn_of_entry_points()
    if arguments.data_root:
        roots.use(arguments.data_root)
    check_options(arguments)
    done = measure(
        arguments.acts,
        task=arguments.task,
        shapes=given(arguments.shapes, SHAPES),
        dtypes=given(arguments.dtype, "float32"),
        modes=given(arguments.mode, "eager"),
        threads=given(arguments.threads, "1"),
        device=arguments.device,
        settings=options.pairs(arguments.set),
        baseline=given(arguments.baseline, "relu"),
        out=arguments.out,
        rounds=arguments.rounds,
        again=arguments.again,
        engine=arguments.engine,
        plugins=arguments.plugin,
        listener=Lines(),
    )
    if done.interrupted:
        print(
            f"interrupted: {len(done.costs)} costs are in {done.store.path}; run the same command to continue",
            file=sys.stderr,
        )
        return 130
    if arguments.json:
        print(json.dumps([cost.to_dict() for cost in done.costs], indent=1))
        lost: list[str] = []
    else:
        text, lost = write_tables(done)
        print(text)
    failed = [(cost.activation, cost.status, cost.reason) for cost in done.failed]
    for line in [*closing.failures(failed), *(f"afbench: {problem}" for problem in lost)]:
        print(line, file=sys.stderr)
    return 1 if done.failed or lost else 0


def given(value: str | None, default: str) -> str:
    """Return an option's value, which may be empty, or its default."""
    return default if value is None else value


def check_options(arguments: argparse.Namespace) -> None:
    """Raise ``UsageError`` if the options of the two ways to measure are mixed."""
    if arguments.task is not None:
        for name in (name for name in ALONE if getattr(arguments, name) is not None):
            remedy = f"use --set {name}= with --task" if name in ("dtype", "threads") else "leave it out with --task"
            raise UsageError(f"--{name} works only without --task; {remedy}")
    elif arguments.set or arguments.baseline is not None:
        option = "set" if arguments.set else "baseline"
        raise UsageError(f"--{option} needs --task; without --task, costs are relative to relu, gelu and a copy")


def write_tables(done: Measured) -> tuple[str, list[str]]:
    """Write the tables into the results folder.

    Returns:
        The tables of the costs that were asked for, as text; and a line for each file that cannot be written.
    """
    from ..records.store import Store
    from ..report.tables.cost_table import case_of, cost_grid, cost_tables
    from ..report.tables.formats import FORMATS, find, render

    store = Store.open(done.store.path)
    folder = store.path
    made = cost_tables(store.costs())
    grids = [cost_grid(table) for table in made]
    paths = {name: folder / "tables" / f"cost.{find(name).ENDING}" for name in FORMATS}
    lost = closing.write_all((path, render(grids, name)) for name, path in paths.items())
    asked = {case_of(cost) for cost in done.costs}
    own = [grid for table, grid in zip(made, grids, strict=True) if table.case in asked]
    lines = [render(own, "text")]
    if not lost:
        lines.append(f"written: {folder}/tables/cost.md (also .txt, .csv, .tex, .html)")
    lines += ["next:", f"  afbench table {folder} --costs --format md"]
    if len({cost.shape for cost in done.costs}) >= 3:  # the plot needs three sizes
        lines.append(f"  afbench plot {folder} scaling")
    return "\n".join(lines), lost
