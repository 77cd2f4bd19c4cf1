"""The reference folders give the tables that are committed beside them, and no cell has changed since 0.1.0.

After captions have changed on purpose, ``python -m tests.report.tables.test_reference`` renews the committed files.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import io
import re
from pathlib import Path

import pytest

from afbench.records.store import Snapshot
from afbench.report.summary import tables
from afbench.report.tables.cost_table import cost_grid, cost_tables
from afbench.report.tables.formats import FORMATS, find, render
from afbench.report.tables.task_grid import task_grid
from afbench.report.tables.wide import wide_grid, widen

REFERENCE = Path(__file__).parents[3] / "results/reference"
FOLDERS = ("gmm", "regression_2d", "cost")
COMMITTED = [
    (folder, format)
    for folder in FOLDERS
    for format in FORMATS
    if (REFERENCE / folder / "tables" / f"{folder}.{find(format).ENDING}").exists()
]
DECIMAL = re.compile(r"-?\d+\.\d+(e-?\d+)?")
CELLS = {
    "gmm": "dc4d36dcdb7f6d27b26d17918c147591ebd0125a6956fc4fcd76d69a0fc55eff",
    "regression_2d": "c8ba5c11b6666bf4c32800c6812c874b74a8453b26ee3327162ccb98e507078c",
    "cost": "5dfe360eeb0258712067563c7dd67320d618d8a1fdaf445c122d11f9ba706c3d",
    "tasks": "d675f0886d68f0813e63607b440fa3df533754a2a827ca14778bd9f57ea8b16f",
}
"""SHA-256 of all headers and cells in Markdown, as afbench printed them before every table became a grid."""


@functools.cache
def grids_of(folder):
    store = Snapshot.open(REFERENCE / folder)
    made = [task_grid(table) for table in tables(store)]
    made += [cost_grid(table) for table in cost_tables(store.costs(), network=not store.records())]
    assert made and not store.problems
    return made


def committed(folder, format):
    return REFERENCE / folder / "tables" / f"{folder}.{find(format).ENDING}"


def of_any_version(text):
    """A LaTeX caption names the version whose rules it means."""
    return re.sub(r"(of afbench )\d[\w.+]*?(?=\.\})", r"\1VERSION", text)


def values(text):
    """The cells of a CSV, line by line; decimal numbers as such."""
    return [
        [float(cell) if DECIMAL.fullmatch(cell) else cell for cell in line] for line in csv.reader(io.StringIO(text))
    ]


@pytest.mark.parametrize(("folder", "format"), COMMITTED)
def test_a_reference_table_is_the_committed_one(folder, format):
    printed, file = render(grids_of(folder), format), committed(folder, format)
    stored = file.read_text(encoding="utf-8")
    if format == "csv":  # unrounded numbers, whose last digit depends on the versions of NumPy and SciPy
        same = values(printed) == [
            [pytest.approx(cell, rel=1e-12, abs=0) if isinstance(cell, float) else cell for cell in line]
            for line in values(stored)
        ]
    else:
        same = of_any_version(printed) == of_any_version(stored)
    assert same, f"{file} differs from what is printed; if that is meant: python -m tests.report.tables.test_reference"


def test_every_folder_has_tables_in_four_formats():
    assert {(folder, format) for folder in FOLDERS for format in ("text", "md", "csv", "latex")} <= {*COMMITTED}


@pytest.mark.parametrize("name", CELLS)
def test_no_cell_has_changed(name):
    if name == "tasks":
        stores = [Snapshot.open(REFERENCE / folder) for folder in ("gmm", "regression_2d")]
        made = [wide_grid(widen([table for store in stores for table in tables(store)]))]
    else:
        made = grids_of(name)
    assert digest(render(made, "md")) == CELLS[name]


def digest(markdown):
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


if __name__ == "__main__":
    for folder, format in COMMITTED:
        committed(folder, format).write_text(render(grids_of(folder), format), encoding="utf-8")
