"""``afbench plot``: draw a results folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..lazy import defining
from . import options

HELP = "draw a plot from results folders"
EXAMPLES = (
    "afbench plot results/gmm boundary",
    "afbench plot results/gmm shape --acts 'trainable,-pau' --output shape.pdf",
    "afbench plot results/gmm boundary --acts 'relu,*ditac' --names 'ditac=DiTAC (ours)' --seed 0 --no-caption",
    "afbench plot results/gmm results/digits rank",
    "afbench plot results/gmm results/digits tradeoff",
    "afbench plot results/cost scaling --acts relu,gelu,ditac",
)
KINDS = defining("report.plots", "PLOT")
"""Names of the kinds, which are not imported for --help."""


def add(verb: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    verb.add_argument("results", metavar="RESULTS", nargs="+", help="results folders; most kinds take one")
    verb.add_argument("kind", metavar="KIND", help=f"{', '.join(KINDS[:-1])} or {KINDS[-1]}")
    options.add_shown(verb)
    verb.add_argument("--task", help="the task, if the folders hold several (default: all, for plots over tasks)")
    verb.add_argument("--seed", type=int, metavar="N", help="the seed to draw (default: the median seed)")
    verb.add_argument("--page", default="all", metavar="N", help="one page of a plot with several pages (default: all)")
    verb.add_argument("--no-caption", action="store_true", help="leave out the caption below the plot")
    verb.add_argument("--width", choices=["column", "text"], help="3.4 or 7 inches wide")
    verb.add_argument(
        "--output",
        metavar="FILE",
        help="PNG, SVG (several pages: FILE-1, FILE-2) or PDF (default: RESULTS/plots/KIND.png; KIND.png for several "
        "folders)",
    )


def call(arguments: argparse.Namespace) -> int:
    """Draw, save, and print the files."""
    from ..records.store import Snapshot
    from ..report.plots import draw_pages, save_pages

    stores = [Snapshot.open(path) for path in dict.fromkeys(arguments.results)]
    figures = draw_pages(
        stores,
        arguments.kind,
        activations=arguments.acts,
        task=arguments.task,
        baseline=arguments.baseline,
        caption=not arguments.no_caption,
        names=arguments.names,
        **own(arguments),
    )
    folder = stores[0].path / "plots" if len(stores) == 1 else Path()
    path = Path(arguments.output) if arguments.output else folder / f"{arguments.kind}.png"
    try:
        files = save_pages(figures, path)
    finally:
        options.warn(problem for store in stores for problem in store.problems.values())
    for file in files:
        print(file)
    return 0


def own(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the given options that only some kinds take.

    Raises:
        UsageError: if the page is not a number.
    """
    given = {"width": arguments.width, "seed": arguments.seed}
    if arguments.page != "all":
        if not (arguments.page.isascii() and arguments.page.isdecimal()):
            raise UsageError(f"--page takes a number from 1 or all, not {arguments.page!r}")
        given["page"] = int(arguments.page)
    return {name: value for name, value in given.items() if value is not None}
