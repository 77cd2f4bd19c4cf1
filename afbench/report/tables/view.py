"""How tables are printed: which columns in which order, how long a caption, how wide a text."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import UsageError, did_you_mean
from ...statistics.metric import written
from .caption import CAPTIONS
from .rows import Table
from .wide import Wide

WIDTH = 110
"""Columns of a text unless it is told otherwise."""
PIPED = 80
"""Characters of a line where there is no terminal and no ``$COLUMNS``."""
NARROWEST = 40
COLUMNS = ("activation", "n", "mean", "median", "interval", "vs", "published", "params", "step", "saved")
"""The columns of a task's table, by the names that ``--columns`` and ``--sort`` take; further metrics come after."""
ALIASES = {"seeds": "n", "95 % interval": "interval", "parameters": "params"}


@dataclass(frozen=True)
class View:
    """How tables are printed.

    Attributes:
        columns: the names of those to show, in this order; all that have content if empty.
        caption: ``full``, ``short`` or ``none``.
        width: of a text, in characters.
    """

    columns: tuple[str, ...] = ()
    caption: str = "full"
    width: int = WIDTH

    def __post_init__(self) -> None:
        """See that all is known."""
        if self.caption not in CAPTIONS:
            raise UsageError(
                f"unknown caption {self.caption!r}{did_you_mean(self.caption, CAPTIONS)}; it is {', '.join(CAPTIONS)}"
            )
        object.__setattr__(self, "width", max(self.width, NARROWEST))

    def of(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return those of the chosen columns that a table has; empty if it has none, and then all are shown."""
        return tuple(name for name in self.columns if name in names)


def terminal_width() -> int:
    """Return the characters of a line: of the terminal, of ``$COLUMNS``, or 80 where there is neither."""
    return shutil.get_terminal_size((PIPED, 24)).columns


def names_of(table: Table | Wide) -> dict[str, str]:
    """Map all that a table's columns go by to their names: a metric by its key, as it is written, or ``mean``."""
    if isinstance(table, Wide):
        return {name: name for name in ("activation", *table.names, "rank")} | {"mean rank": "rank"}
    known = {name: name for name in COLUMNS} | ALIASES
    known |= {f"vs {table.baseline}": "vs", table.metric: "mean", table.metric_name: "mean"}
    for extra in table.extras:
        known |= {name: f"extra {extra}" for name in (f"extra {extra}", extra, written(extra)) if name not in known}
    return known


def chosen(text: str, tables: Sequence[Table | Wide], option: str = "--columns") -> tuple[str, ...]:
    """Read names of columns, by commas.

    Raises:
        UsageError: if no table has one of them; it lists the names.
    """
    known: dict[str, str] = {}
    for table in tables:
        known = {**names_of(table), **known}
    found = []
    for name in (part.strip() for part in text.split(",")):
        if name not in known:
            listed = dict.fromkeys(one.removeprefix("extra ") for one in known.values())
            raise UsageError(f"{option}: no column {name!r}{did_you_mean(name, known)}; there are {', '.join(listed)}")
        found.append(known[name])
    if len(set(found)) < len(found):
        raise UsageError(f"{option}: {next(name for name in found if found.count(name) > 1)!r} is named twice")
    return tuple(found)


PLAIN = View()
"""All columns, full captions, 110 characters."""
