"""What all formats have in common."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from afbench.errors import UsageError
from afbench.report.summary import tables
from afbench.report.tables.arrange import named
from afbench.report.tables.formats import FORMATS, find, render
from afbench.report.tables.task_grid import task_grid

LONG = ["ditac[a=-3,b=3,lambda_var=1,init_smooth=3]", "ditac[a=-4,b=4,cells=20,lambda_var=2,init_smooth=3]"]


def test_a_significant_difference_is_starred_in_each_format(store, put):
    for seed in range(6):
        put("relu", seed, 90.0 + seed)
        put("pau", seed, 91.0 + seed + 0.01 * seed)
        put("worse", seed, 89.0 + seed if seed else 95.0)
    shown = {format: render(map(task_grid, tables(store)), format) for format in FORMATS}
    assert "*" not in shown["text"]  # 2 comparisons need 7 seeds
    put("relu", 6, 96.0)
    put("pau", 6, 97.5)
    put("worse", 6, 95.0)
    shown = {format: render(map(task_grid, tables(store)), format) for format in FORMATS}
    pau, worse = (next(line for line in shown["text"].splitlines() if name in line) for name in ("pau ", "worse "))
    assert "]*" in pau and "]*" not in worse
    assert "* marks p at most 0.05" in " ".join(shown["text"].split())
    assert shown["md"].count(r"] \* |") == 1 and shown["latex"].count(r"]\rlap{$^{*}$}") == 1
    assert [line["significant"] for line in csv.DictReader(io.StringIO(shown["csv"]))] == ["true", "", "false"]


def test_an_unknown_format_is_refused_with_the_nearest(nasty):
    with pytest.raises(UsageError, match="unknown format 'latx'; did you mean 'latex'"):
        render(map(task_grid, nasty), "latx")


@pytest.mark.parametrize("format", FORMATS)
def test_names_stand_in_rows_headers_and_captions(table, format):
    text = render(task_grid(named(table, {LONG[0]: "DiTAC, ours_<1>", "relu": "ReLU & co"})), format)
    printed = {
        "text": ("DiTAC, ours_<1>", "vs ReLU & co"),
        "md": (r"| DiTAC, ours\_\<1\>", "vs ReLU & co"),
        "csv": ('"DiTAC, ours_<1>"', "ReLU & co"),
        "latex": (r"DiTAC, ours\_$<$1$>$", r"vs ReLU \& co"),
        "html": ("DiTAC, ours_&lt;1&gt;", "vs ReLU &amp; co"),
    }[format]
    assert all(words in text for words in printed)
    assert "`DiTAC" not in text and r"\texttt{DiTAC" not in text and "<code>DiTAC" not in text
    if format == "csv":
        lines = list(csv.DictReader(io.StringIO(text)))
        assert {line["activation"] for line in lines} == {"relu", "gelu", "pau", *LONG}  # the spec stays
    else:
        assert "relu" not in text.replace("(relu", "").split("Rules:")[0] or format == "latex"


def test_the_documentation_lists_the_formats_that_there_are():
    page = (Path(__file__).parents[4] / "docs/table.md").read_text(encoding="utf-8")
    listed = re.search(r"\| format \|.*?\n\n", page, re.DOTALL)
    assert {*re.findall(r"^\| `(\w+)` \|", listed[0], re.MULTILINE)} == {*FORMATS}
    assert {find(format).ENDING for format in FORMATS} == {"txt", "md", "csv", "tex", "html"}
