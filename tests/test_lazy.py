"""What a package offers before it is imported: a new engine or kind of plot is one file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import afbench
from afbench.lazy import defining
from afbench.records.store import Store
from afbench.records.trial import Record, Status, Trial

ENGINE = '''
"""The backwards engine: the last item first."""

def backwards(work, items, *, jobs=1, setup=None, timeout=None):
    for item in reversed([*items]):
        yield item, work(item)
'''
PLOT = '''
"""Scores as dots."""

from .kind import Plot

def draw(trials, sheet):
    figure = sheet.figure(1.0, [trials.title])
    figure.subplots().plot([trials.mean(name) for name in trials.ok], "o")
    yield figure

PLOT = Plot("scores as dots", draw)
'''
USE = """
import contextlib, runpy, sys
from afbench.cli import main

for verb in ("run", "cost", "plot"):
    with contextlib.suppress(SystemExit):
        main([verb, "--help"])
assert not {"torch", "matplotlib"} & {*sys.modules}
assert main(["plot", "results", "dots"]) == 0
assert main(["plot", "results", "boundary"]) == 2
from afbench.engines import ENGINES
print(list(ENGINES["backwards"](abs, [-1, -2])))
"""


def test_a_new_engine_and_a_new_plot_are_one_file_each(tmp_path: Path) -> None:
    shutil.copytree(Path(afbench.__file__).parent, tmp_path / "afbench", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "afbench" / "engines" / "backwards.py").write_text(ENGINE)
    (tmp_path / "afbench" / "report" / "plots" / "dots.py").write_text(PLOT)
    about = {"metric": "accuracy", "unit": "%", "plots": ["curve"]}
    store = Store.open(tmp_path / "results", write=True)
    store.write(Record(Trial("moons", "relu", 0, {}), Status.OK, about=about, metrics={"accuracy": 90.0}))
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "COLUMNS": "200"}
    call = [sys.executable, "-c", USE]
    done = subprocess.run(call, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("backwards | inline | process (default: process)") == 2
    assert "boundary, curve, dots, nodes, rank" in done.stdout
    assert "moons cannot draw 'boundary'. Available: curve, dots, rank, tradeoff." in done.stderr
    assert done.stdout.endswith("results/plots/dots.png\n[(-2, 2), (-1, 1)]\n")


def test_modules_that_define_nothing_of_the_name_are_passed_over() -> None:
    assert {"trials", "style"}.isdisjoint(defining("report.plots", "PLOT"))
    assert defining("report.plots", "no_such_name") == []
