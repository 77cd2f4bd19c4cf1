"""A table as a grid of cells with roles: what every kind of table is built into, and every format prints."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...errors import UsageError, did_you_mean

CAPTIONS = ("short", "full", "none")
"""How much a caption says: what the numbers cannot be read without; notes and the place of the rules too; nothing."""
BOLD = "Bold:"
"""How a sentence about the best rows begins; a text says ``>:``."""
UNSTABLE = "!"
"""Stands after a time that is unreliable."""

Value = str | int | float | None


@dataclass(frozen=True)
class Cell:
    """One cell in plain words, which each format typesets in its own way.

    Attributes:
        text: a number as it is printed, or the name of a row; empty where there is nothing.
        value: what rows are sorted by; NaN where there is nothing.
        spread: half the width of the number's interval (``0.4``), or the interval's ends (``[97.1, 99.8]``).
        role: ``number``, ``word`` instead of a number, ``code`` for a spec, ``name`` for the name that a row is given.
        suffix: what follows the name of a row.
        best: whether the number, or the row that the cell names, is among the best.
        significant: whether the number is a significant difference.
        marks: the numbers of footnotes, from 1 on.
        failures: failed trials in a word or two each, for formats that have room for them.
    """

    text: str = ""
    value: float | str = math.nan
    spread: str = ""
    role: str = "number"
    suffix: str = ""
    best: bool = False
    significant: bool = False
    marks: tuple[int, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def superscript(self) -> str:
        """The numbers of its footnotes: ``1,2``."""
        return ",".join(map(str, self.marks))

    def joined(self, sign: str = "±") -> str:
        """Return the number and its spread: ``91.2 ± 0.4``, ``98.3 [97.1, 99.8]``."""
        if not self.spread:
            return self.text
        return f"{self.text} {self.spread}" if self.spread.startswith("[") else f"{self.text} {sign} {self.spread}"


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: what ``--columns`` and ``--sort`` call it.
        header: what stands above its cells.
        above: what stands above the header; neighbours that share it are a group.
        exponent: its numbers are in units of ten to this power.
        higher: whether higher is better, where the header shows that.
        descending: whether the largest comes first if no direction is asked for.
        shown: whether it is shown if no columns are asked for.
        optional: whether a narrow text may leave it out.
        aliases: other names of it.
        fields: the fields of a row's data that hold its numbers.
    """

    name: str
    header: str
    above: str = ""
    exponent: int = 0
    higher: bool | None = None
    descending: bool = False
    shown: bool = True
    optional: bool = False
    aliases: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grid:
    """A table that is ready to print.

    Attributes:
        kind: grids of one kind have the same fields in their data.
        label: what documents refer to it by.
        title: what stands above it.
        columns: the first one names the rows.
        rows: a cell for each column.
        data: for each row its numbers for machines, unrounded, by field.
        caption: sentences.
        rules: the page of the documentation that holds the rules; empty if it is not to be named.
        notes: what is odd about the whole table.
        footnotes: what the marks of cells refer to, from 1 on.
        wording: words the caption anew for the names of other columns, where it depends on them.
    """

    kind: str
    label: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    data: tuple[Mapping[str, Value], ...] = ()
    caption: tuple[str, ...] = ()
    rules: str = ""
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    wording: Callable[[Collection[str]], Sequence[str]] | None = None

    @classmethod
    def of(
        cls,
        names: tuple[str, str, str],
        columns: Iterable[tuple[Column, Iterable[Cell]]],
        data: Iterable[Mapping[str, Value]],
        *words: Any,
    ) -> Grid:
        """Build a grid from kind, label and title, from columns with their cells, and from all further fields."""
        headers, cells = zip(*columns, strict=True)
        return cls(*names, headers, tuple(zip(*cells, strict=True)), tuple(data), *words)

    @property
    def sentences(self) -> list[str]:
        """The caption, with the place of the rules if it names that."""
        return [*self.caption, *([f"Rules: {self.rules}."] if self.rules else [])]

    @property
    def known(self) -> dict[str, Column]:
        """The columns by all names that they go by."""
        by_alias = {alias: column for column in reversed(self.columns) for alias in column.aliases}
        return by_alias | {column.name: column for column in self.columns}

    def with_caption(self, detail: str) -> Grid:
        """Return the grid with a ``full`` caption, a ``short`` one or ``none``.

        Raises:
            UsageError: for another word.
        """
        if detail not in CAPTIONS:
            near = did_you_mean(detail, CAPTIONS)
            raise UsageError(f"unknown caption {detail!r}{near}; the captions are {', '.join(CAPTIONS)}")
        caption = () if detail == "none" else self.caption
        return self if detail == "full" else replace(self, caption=caption, rules="", notes=())

    def picked(self, names: Sequence[str] = ()) -> Grid:
        """Return the grid with the named columns, in this order; if it has none of them, with the usual ones."""
        by_name = {column.name: index for index, column in enumerate(self.columns) if index}
        chosen = [by_name[name] for name in dict.fromkeys(names) if name in by_name]
        indices = [0, *(chosen or (index for index in by_name.values() if self.columns[index].shown))]
        columns = tuple(self.columns[index] for index in indices)
        rows, data = tuple(tuple(row[index] for index in indices) for row in self.rows), self.data
        if chosen:
            columns = tuple(replace(column, shown=True, optional=False) for column in columns)
            fields = dict.fromkeys(name for column in columns for name in column.fields)
            data = tuple({name: line[name] for name in fields if name in line} for line in data)
        caption = self.caption
        if caption and self.wording:
            caption = tuple(self.wording([column.name for column in columns]))
        return replace(self, columns=columns, rows=rows, data=data, caption=caption)

    def ordered(self, name: str, direction: str = "") -> Grid:
        """Return the grid with its rows sorted by a column, those without a number last."""
        index = next((i for i, column in enumerate(self.columns) if column.name == name), None)
        if index is None:
            return self
        values = [row[index].value for row in self.rows]
        absent = [i for i, value in enumerate(values) if isinstance(value, float) and math.isnan(value)]
        down = direction == "desc" or (not direction and self.columns[index].descending)
        order = sorted((i for i in range(len(values)) if i not in absent), key=values.__getitem__, reverse=down)
        order += absent
        return replace(self, rows=tuple(self.rows[i] for i in order), data=tuple(self.data[i] for i in order))


def chosen(text: str, grids: Sequence[Grid], option: str = "--columns") -> tuple[str, ...]:
    """Read names of columns, separated by commas.

    Raises:
        UsageError: if no grid has one of them; the message lists the names.
    """
    known = {name: column.name for grid in reversed(grids) for name, column in grid.known.items()}
    names = []
    for name in (part.strip() for part in text.split(",")):
        if name not in known:
            listed = dict.fromkeys(column.name.removeprefix("extra ") for grid in grids for column in grid.columns)
            raise UsageError(f"{option}: no column {name!r}{did_you_mean(name, known)}; there are {', '.join(listed)}")
        names.append(known[name])
    if len(set(names)) < len(names):
        raise UsageError(f"{option}: {next(name for name in names if names.count(name) > 1)!r} is named twice")
    return tuple(names)


def sort(grids: Sequence[Grid], text: str) -> list[Grid]:
    """Sort the rows of each grid that has the column: ``step``, ``params:desc``.

    Without a direction the best row comes first where the column has a direction of its own, else the smallest number.

    Raises:
        UsageError: if no grid has the column, or the text is not COLUMN, COLUMN:asc or COLUMN:desc.
    """
    known = {name for grid in grids for name in grid.known}
    name, direction = text.strip(), ""
    if name not in known:  # the name of a column may hold a colon
        head, _, tail = (part.strip() for part in name.rpartition(":"))
        if tail in ("asc", "desc"):
            name, direction = head, tail
        elif head in known:
            raise UsageError(f"--sort takes COLUMN, COLUMN:asc or COLUMN:desc, not {text!r}")
    names = chosen(name, grids, "--sort")
    if len(names) > 1:
        raise UsageError(f"--sort takes one column, not {len(names)}")
    return [grid.ordered(names[0], direction) for grid in grids]


@dataclass
class Footnotes:
    """Footnotes in the order of their first mark; rows with the same one share it."""

    texts: list[str] = field(default_factory=list)

    def marks(self, texts: Sequence[str]) -> tuple[int, ...]:
        """Add the footnotes of a row; returns their numbers, from 1 on."""
        self.texts += [text for text in texts if text not in self.texts]
        return tuple(sorted(self.texts.index(text) + 1 for text in texts))
