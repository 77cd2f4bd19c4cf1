"""The formats that tables are printed in: each module of this folder is one, and holds ``ENDING`` and ``render``.

A new format is one new file here; its module's name is the format's name.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from typing import Any

from ....errors import UsageError, did_you_mean
from ....records.wording import WIDTH
from ..grid import Grid

FORMATS = tuple(module.name for module in pkgutil.iter_modules(__path__))
"""The names of the formats."""


def render(grids: Grid | Iterable[Grid], format: str = "text", width: int = WIDTH) -> str:
    r"""Print grids in a format.

    Args:
        grids: one or several.
        format: ``text`` (ASCII but for the words of users), ``md`` (GitHub), ``csv`` (one header, one row an
            activation, every number unrounded), ``latex`` (booktabs; compiles alone, and can be ``\input``),
            ``html`` (one file that needs no other).
        width: the characters of a line of text.

    Raises:
        UsageError: for another format, or for grids of several kinds in one CSV, which has one header.
    """
    grids = [grids] if isinstance(grids, Grid) else grids
    text: str = find(format).render([grid.picked() for grid in grids], width)
    return text


def find(format: str) -> Any:
    """Return the module of a format.

    Raises:
        UsageError: if there is none.
    """
    if format not in FORMATS:
        near = did_you_mean(format, FORMATS)
        raise UsageError(f"unknown format {format!r}{near}; the formats are {', '.join(FORMATS)}")
    return importlib.import_module(f"{__name__}.{format}")
