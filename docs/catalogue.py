"""The pages made from the registry, docstrings and kinds of plots: ``python docs/catalogue.py``.

It writes ``activations.md``, a picture of each activation, ``activations/NAME.svg``, and the tables of ``fidelity.md``
and ``plot.md``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from afbench.report.plots import KINDS  # isort: skip  (before any other import of matplotlib)

import matplotlib
import torch
from matplotlib.figure import Figure

from afbench.registry.entries import ACTIVATIONS
from afbench.registry.entry import Entry
from afbench.registry.factory import Choice
from afbench.registry.parameters import count_parameters
from afbench.registry.settings import Setting
from afbench.registry.spec import show
from afbench.streams import forked
from afbench.training.sampling import GRID, graph

HERE = Path(__file__).parent
COMMAND = "python docs/catalogue.py"
COUNTED = (1, 64)
"""For how many channels parameters are counted."""
DRAWN = 4
"""How many channels a per-channel activation is drawn with."""
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "afbench",  # names of clip paths that do not change from run to run
    "svg.fonttype": "none",
    "font.sans-serif": "DejaVu Sans",  # one family: each label names all there are
    "font.size": 7,
    "path.simplify_threshold": 0.1,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}
MARK, END = f"<!-- made by {COMMAND} -->", "<!-- end of what is made -->"
"""What surrounds the tables in ``fidelity.md`` and ``plot.md``."""
UNSAID = dict.fromkeys(("Date", "Creator", "Format", "Type"))
"""Metadata that would change the bytes, or take room in each of many small files."""

HEAD = f"""# Activations

Made from the registry by `{COMMAND}`; what is said here is said in the classes. `afbench show NAME` says more.

Pictures show each activation in evaluation as it starts, from -5 to 5, under seed 0; per channel {DRAWN} channels that
are all fed the same value. Parameters are trainable ones, for C channels. [fidelity.md](fidelity.md) says
where each start comes from, and where the published code does otherwise.
"""


def entries() -> list[Entry]:
    """List afbench's own activations in the order of their names; what plugins add is not this page's."""
    return [entry for entry in ACTIVATIONS if entry.target.__module__.startswith("afbench.activations.")]


def page(shown: Iterable[Entry]) -> str:
    """Write the page: a table of all, then a section of each."""
    shown = list(shown)
    head = ["activation", *(f"C = {c}" for c in COUNTED), "tags", "source"]
    rows = [
        [f"[{entry.name}](#{entry.name})", *map(str, parameters(entry)), ", ".join(entry.tags), source(entry)]
        for entry in shown
    ]
    return "\n".join([HEAD, *table(head, rows), "", *map(section, shown)])


def section(entry: Entry) -> str:
    """Write one activation: formula, picture, first sentence, and what else it says of itself."""
    counts = ", ".join(f"{n} (C = {c})" for c, n in zip(COUNTED, parameters(entry), strict=True))
    aliases = [f"`{alias}`" + (f" = `{entry.name}[{of}]`" if of else "") for alias, of in entry.aliases.items()]
    facts = {
        "parameters": counts,
        "settings": "; ".join(map(setting, entry.settings.values())),
        "aliases": ", ".join(aliases),
        "tags": ", ".join(entry.tags),
        "source": source(entry),
        "exceptions": "; ".join(f"{check}: {why}" for check, why in entry.exceptions.items()),
    }
    listed = "\n".join(f"- {name}: {value}" for name, value in facts.items() if value)
    picture = f"![{entry.name}](activations/{entry.name}.svg)"
    return f"## {entry.name}\n\n`{entry.formula}`\n\n{picture}\n\n{entry.summary}\n\n{listed}\n"


def fidelity(entry: Entry) -> dict[str, str]:
    """Read the section ``Fidelity:`` of an activation's docstring: ``start``, ``published`` and ``ours``.

    Raises:
        ValueError: if there is no such section, it has another key, or no start of an entry that learns.
    """
    section = re.search(r"^Fidelity:\n((?: .*\n?)+)", inspect.getdoc(entry.target) or "", re.M)
    lines = re.split(r"\n {4}(?! )", "\n" + section[1].rstrip()) if section else []
    stated = dict(" ".join(line.split()).replace("``", "`").split(": ", 1) for line in lines[1:])
    given = {} if any(parameters(entry)) else {"start": "no parameters"}
    told = {**given, "published": "", "ours": "the formula", **stated}
    if not stated or sorted(told) != ["ours", "published", "start"]:
        raise ValueError(
            f"{entry.where}: the docstring of {entry.name} needs a section 'Fidelity:' with the lines start, "
            "published and ours (docs/add-an-activation.md)"
        )
    return told


def compared(entry: Entry) -> list[str]:
    """Return an activation's row in ``fidelity.md``."""
    told = fidelity(entry)
    return [f"`{entry.name}`", entry.paper, told["start"], told["published"], told["ours"]]


def table(head: list[str], rows: Iterable[list[str]]) -> list[str]:
    """Write a table in Markdown."""
    return [f"| {' | '.join(row)} |".replace("|  |", "| |") for row in (head, ["---"] * len(head), *rows)]


def inserted(name: str, lines: list[str]) -> str:
    """Return a page with lines between its two marks."""
    before, _, rest = (HERE / name).read_text().partition(MARK)
    return "\n".join([before + MARK, *lines, END + rest.partition(END)[2]])


def parameters(entry: Entry) -> list[int]:
    """Count the trainable parameters for each of the numbers of channels."""
    with torch.device("meta"):
        return [count_parameters(Choice(entry, {}).build(channels)).activation for channels in COUNTED]


def setting(one: Setting) -> str:
    """Say a setting with its default: ``alpha=1.0 (a float, above 0)``."""
    return f"`{one.name}={show(one.default)}` ({one.describe()})"


def source(entry: Entry) -> str:
    """Link the paper, or say the year."""
    number = entry.paper.removeprefix("arXiv:")
    linked = f"[{entry.paper}](https://arxiv.org/abs/{number})" if number != entry.paper else entry.paper
    return " ".join(filter(None, [linked, f"({entry.year})" if linked and entry.year else str(entry.year or "")]))


def picture(entry: Entry) -> Figure:
    """Draw an activation as it starts."""
    with forked(0, "catalogue"):
        module = Choice(entry, {}).build(DRAWN)
    figure = Figure(figsize=(2.4, 1.8), layout="constrained")
    axes = figure.add_subplot(xlim=(-5, 5), ylim=(-2.5, 5), xticks=(-4, 0, 4), yticks=(-2, 0, 4))
    axes.axhline(0, color="0.8", linewidth=0.6)
    axes.axvline(0, color="0.8", linewidth=0.6)
    axes.plot(GRID.numpy(), graph(module, DRAWN, 1, 2), linewidth=1.2)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def write(folder: Path) -> None:
    """Write the pages and the pictures; the same registry gives the same bytes."""
    shown = entries()
    (folder / "activations").mkdir(parents=True, exist_ok=True)
    (folder / "activations.md").write_text(page(shown))
    rows = table(["activation", "paper", "start", "published code", "afbench"], map(compared, shown))
    (folder / "fidelity.md").write_text(inserted("fidelity.md", rows))
    kinds = table(["kind", "what it shows"], ([f"`{name}`", plot.about] for name, plot in KINDS.items()))
    (folder / "plot.md").write_text(inserted("plot.md", kinds))
    with matplotlib.rc_context(STYLE):
        for entry in shown:
            picture(entry).savefig(folder / "activations" / f"{entry.name}.svg", metadata=UNSAID)


if __name__ == "__main__":
    write(HERE)
