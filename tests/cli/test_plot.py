"""The verb plot: what it names, and where it writes."""

from __future__ import annotations

import pytest

from afbench.cli import main, plot
from afbench.report.plots import KINDS
from afbench.store import Store
from afbench.trial import Record, Status, Trial


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A folder of moons and one of rings, below the current one."""
    monkeypatch.chdir(tmp_path)
    about = {"metric": "accuracy", "unit": "%", "higher_is_better": True}
    for task in ("moons", "rings"):
        store = Store.open(tmp_path / task, write=True)
        for name, score in {"relu": 90.0, "pau": 91.0}.items():
            store.write(Record(Trial(task, name, 0, {}), Status.OK, about=about, metrics={"accuracy": score}))
    return tmp_path


def test_help_names_every_kind():
    assert plot.KINDS == tuple(KINDS)


def test_one_folder_holds_its_plots_and_several_leave_theirs_here(folders, capsys):
    assert main(["plot", "moons", "rank"]) == 0
    assert main(["plot", "moons", "rings", "rank"]) == 0
    assert capsys.readouterr().out.split() == ["moons/plots/rank.png", "rank.png"]
    assert (folders / "rank.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["moons", "rings", "curve"], "takes one results folder"),
        (["moons", "rings", "tradeoff"], "no costs for plot 'tradeoff' of moons"),
        (["moons", "rings", "tradeoff", "--task", "ring"], "did you mean 'rings'? (they hold: moons, rings)"),
        (["moons", "rnk"], "did you mean 'rank'?"),
        (["mons", "rank"], "no results in mons"),
    ],
)
def test_what_is_wrong_is_one_line(given, said, folders, capsys):
    assert main(["plot", *given]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
