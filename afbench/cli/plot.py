"""``afbench plot``: draw a results folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import UsageError
from . import options

HELP = "draw a plot of results folders"
EXAMPLES = (
    "afbench plot results/gmm boundary",
    "afbench plot results/gmm shape --acts ditac,pau --output shape.pdf",
    "afbench plot results/gmm results/digits rank",
    "afbench plot results/gmm results/digits tradeoff",
    "afbench plot results/cost scaling --acts relu,gelu,ditac",
)
KINDS = (
    "boundary",
    "surface",
    "nodes",
    "shape",
    "curve",
    "rank",
    "tradeoff",
    "scaling",
)  # a test compares them with the plots


def add(verb: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    several = "a results folder; rank, tradeoff and scaling take several"
    verb.add_argument("results", metavar="RESULTS", nargs="+", help=several)
    verb.add_argument("kind", metavar="KIND", help=f"{', '.join(KINDS[:-1])} or {KINDS[-1]}")
    verb.add_argument("--acts", metavar="SPECS", help="only these activations, by their canonical specs")
    verb.add_argument("--task", help="which task, if the folders hold several; rank and tradeoff take all")
    verb.add_argument("--baseline", default="relu", metavar="SPEC", help="what the others are compared with (relu)")
    verb.add_argument("--width", choices=["column", "text"], help="3.4 or 7 inches wide")
    verb.add_argument(
        "--output",
        metavar="FILE",
        help="PNG, SVG or PDF; if not given RESULTS/plots/KIND.png, of several folders KIND.png",
    )


def call(arguments: argparse.Namespace) -> int:
    """Draw, save, and say where."""
    from ..report.plots import draw, save
    from ..spec import split
    from ..store import Store

    stores = [Store.open(path) for path in dict.fromkeys(arguments.results)]
    acts = None if arguments.acts is None else [options.canonical(spec) for spec in split(arguments.acts)]
    if acts == []:
        raise UsageError(f"no activation is selected by {arguments.acts!r}")
    wanted = {"width": arguments.width} if arguments.width else {}
    baseline = options.canonical(arguments.baseline)
    figure = draw(stores, arguments.kind, activations=acts, task=arguments.task, baseline=baseline, **wanted)
    for store in stores:
        options.warn_of_problems(store)
    folder = stores[0].path / "plots" if len(stores) == 1 else Path()
    path = Path(arguments.output) if arguments.output else folder / f"{arguments.kind}.png"
    save(figure, path)
    print(path)
    return 0
