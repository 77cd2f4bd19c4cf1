"""``afbench table``: single tables, the wide one, several folders."""

from __future__ import annotations

import csv
import io

import pytest

from afbench.cli import main
from afbench.store import Store
from afbench.trial import Record, Status, Trial


@pytest.fixture
def folders(tmp_path):
    """A folder of moons, and one of rings."""
    about = {"metric": "accuracy", "unit": "%", "higher_is_better": True}
    for task in ("moons", "rings"):
        store = Store.open(tmp_path / task, write=True)
        for name, score in {"relu": 90.0, "pau": 91.0}.items():
            store.write(Record(Trial(task, name, 0, {}), Status.OK, about=about, metrics={"accuracy": score}))
    return str(tmp_path / "moons"), str(tmp_path / "rings")


def test_several_folders_give_their_tables_and_a_wide_one(folders, capsys):
    assert main(["table", *folders]) == 0
    titles = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("moons", "rings", "2 tasks"))]
    assert titles[:3] == ["moons", "rings", "2 tasks: moons, rings"]
    assert main(["table", folders[0]]) == 0
    assert "tasks" not in capsys.readouterr().out


def test_wide_alone(folders, capsys):
    assert main(["table", *folders, "--wide"]) == 0
    assert capsys.readouterr().out.startswith("2 tasks: moons, rings\n")


def test_csv_holds_single_tables_or_the_wide_one(folders, capsys):
    assert main(["table", *folders, "--format", "csv"]) == 0
    lines = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [line["task"] for line in lines] == ["moons", "moons", "rings", "rings"]
    assert main(["table", *folders, "--format", "csv", "--wide"]) == 0
    assert [line["mean_rank"] for line in csv.DictReader(io.StringIO(capsys.readouterr().out))] == ["1.0", "2.0"]


def test_html_is_one_page(folders, capsys):
    assert main(["table", *folders, "--format", "html"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("<!DOCTYPE html>") and shown.count("<table>") == 3 and shown.count("<html") == 1


def test_wide_of_one_task_is_refused_in_a_line(folders, capsys):
    assert main(["table", folders[0], "--wide"]) == 2
    assert "takes several tasks, here is only moons" in capsys.readouterr().err
