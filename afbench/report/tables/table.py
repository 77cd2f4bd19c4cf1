"""Tables in five formats: text for a terminal, Markdown, CSV with every digit, LaTeX and HTML that stand alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...errors import UsageError, did_you_mean
from .cost_table import CostTable, cost_text
from .flat import csv
from .html import html
from .latex import latex
from .markdown import md
from .rows import Table
from .text import one_text, wide_text
from .view import WIDTH, View
from .wide import Wide

__all__ = ["FORMATS", "WIDTH", "render", "text"]

Any_ = Table | Wide | CostTable


def render(tables: Any_ | Sequence[Any_], format: str = "text", view: View | None = None) -> str:
    r"""Print tables in a format.

    Args:
        tables: one or several, wide ones and costs too.
        format: ``text`` (ASCII but for what users wrote), ``md`` (GitHub), ``csv`` (one header, one
            row an activation, every number unrounded), ``latex`` (booktabs; compiles alone, and can be ``\input``),
            ``html`` (one file that needs no other).
        view: which columns, how long a caption, how wide a text; all columns, full captions, 110 characters if None.

    Raises:
        UsageError: for another format, or for wide tables or costs beside others in one CSV, which has one header.
    """
    if format not in FORMATS:
        raise UsageError(
            f"unknown format {format!r}{did_you_mean(format, FORMATS)}; the formats are {', '.join(FORMATS)}"
        )
    held = [tables] if isinstance(tables, Table | Wide | CostTable) else list(tables)
    return FORMATS[format](held, view or View())


def text(tables: Sequence[Any_], view: View) -> str:
    """Print tables for a terminal, within its width."""
    return "\n".join(
        wide_text(table, view)
        if isinstance(table, Wide)
        else cost_text(table, view.width, view.caption)
        if isinstance(table, CostTable)
        else one_text(table, view)
        for table in tables
    )


FORMATS: dict[str, Callable[[Sequence[Any_], View], str]] = {
    "text": text,
    "md": md,
    "csv": csv,
    "latex": latex,
    "html": html,
}
