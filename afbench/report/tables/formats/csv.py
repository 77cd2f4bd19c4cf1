"""Tables for machines: one line a row, the same fields for all tables, every number unrounded."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from ....errors import UsageError
from ..grid import Grid

ENDING = "csv"


def render(grids: Sequence[Grid], width: int) -> str:
    """Print grids as CSV with one header. What was not measured is empty; truths are ``true`` and ``false``.

    Raises:
        UsageError: for grids of several kinds, whose fields differ.
    """
    if len({grid.kind for grid in grids}) > 1:
        raise UsageError("a CSV can hold one kind of table: choose --wide or --costs")
    fields = dict.fromkeys(name for grid in grids for line in grid.data for name in line)
    if "notes" in fields:  # the last field, whatever further metrics the tables have
        fields["notes"] = fields.pop("notes")
    if not fields:
        return ""
    out = io.StringIO()
    rows = csv.DictWriter(out, list(fields), lineterminator="\n")
    rows.writeheader()
    for line in (line for grid in grids for line in grid.data):
        rows.writerow({name: str(value).lower() if isinstance(value, bool) else value for name, value in line.items()})
    return out.getvalue()
