"""The verb plot: what it names, and where it writes."""

from __future__ import annotations

import numpy as np
import pytest

from afbench.cli import main, plot
from afbench.records.store import Store
from afbench.records.trial import Record, Status, Trial
from afbench.report.plots import KINDS


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
    assert plot.KINDS == [*KINDS]


def test_one_folder_holds_its_plots_and_several_leave_theirs_here(folders, capsys):
    assert main(["plot", "moons", "rank"]) == 0
    assert main(["plot", "moons", "rings", "rank"]) == 0
    assert capsys.readouterr().out.split() == ["moons/plots/rank.png", "rank.png"]
    assert (folders / "rank.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["moons", "rings", "curve"], "takes one results folder"),
        (["moons", "rings", "tradeoff"], "plot 'tradeoff' needs step times of moons"),
        (["moons", "rings", "tradeoff", "--task", "ring"], "did you mean 'rings'? (they hold: moons, rings)"),
        (["moons", "rnk"], "did you mean 'rank'?"),
        (["mons", "rank"], "no results in mons"),
    ],
)
def test_what_is_wrong_is_one_line(given, said, folders, capsys):
    assert main(["plot", *given]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


@pytest.fixture
def shapes(tmp_path, monkeypatch):
    """A folder of 40 activations that learn, with their shapes."""
    monkeypatch.chdir(tmp_path)
    about = {"metric": "accuracy", "unit": "%", "higher_is_better": True, "plots": ["shape", "curve"]}
    store = Store.open(tmp_path / "moons", write=True)
    x = np.linspace(-5, 5, 21)
    for index, name in enumerate(["relu", *(f"act{i}" for i in range(40))]):
        arrays = {"shape/0/x": x, "shape/0/before": np.maximum(x, 0), "shape/0/after": np.maximum(x, 0.02 * index * x)}
        arrays |= {f"curve/{part}": np.arange(1.0, 4.0) for part in ("epoch", "loss", "validation")}
        record = Record(Trial("moons", name, 0, {}), Status.OK, about=about, metrics={"accuracy": 90.0 - index})
        store.write(record, arrays)
    return tmp_path


@pytest.mark.slow
def test_a_pdf_holds_all_pages_and_other_files_are_numbered(shapes, capsys):
    assert main(["plot", "moons", "shape", "--output", "all.pdf"]) == 0
    assert (shapes / "all.pdf").read_bytes().count(b"/Type /Page ") == 2
    assert main(["plot", "moons", "shape", "--output", "all.svg", "--no-caption"]) == 0
    assert main(["plot", "moons", "shape", "--output", "second.svg", "--page", "2"]) == 0
    assert main(["plot", "moons", "shape", "--output", "one.svg", "--acts", "act1,act2"]) == 0
    assert capsys.readouterr().out.split() == ["all.pdf", "all-1.svg", "all-2.svg", "second.svg", "one.svg"]
    assert "act39" not in (shapes / "all-1.svg").read_text() and "act39" in (shapes / "second.svg").read_text()


def test_names_stand_in_the_plot(shapes, capsys):
    call = ["plot", "moons", "shape", "--acts", "act*,-act1", "--names", "act2=Mine (ours)", "--output", "named.svg"]
    assert main([*call, "--page", "1"]) == 0
    text = (shapes / "named.svg").read_text()
    assert "<!-- Mine (ours) -->" in text and "<!-- act2 -->" not in text and "<!-- act1 -->" not in text
    assert main(["plot", "moons", "curve", "--names", "act2=Mine", "--acts", "act2", "--output", "c.svg"]) == 0
    assert "<!-- Mine -->" in (shapes / "c.svg").read_text()


def test_acts_and_names_are_read_as_table_reads_them(shapes, capsys):
    call = ["plot", "moons", "curve", "--acts", "act2,act3,-relu", "--names", 'act2="Mine, learned",act3=Other']
    assert main([*call, "--names", "relu=ReLU", "--output", "quoted.svg"]) == 0
    text = (shapes / "quoted.svg").read_text()
    assert "<!-- Mine, learned -->" in text and "<!-- Other -->" in text and "<!-- ReLU -->" not in text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["shape", "--page", "3"], "plot 'shape' of moons has 2 pages; there is no page 3"),
        (["shape", "--page", "two"], "--page takes a number from 1 or all, not 'two'"),
        (["curve", "--page", "1"], "plot 'curve' takes no option 'page'"),
        (["curve", "--seed", "1"], "plot 'curve' takes no option 'seed'"),
        (["boundary", "--seed", "0"], "moons cannot draw 'boundary'. Available: shape, curve, rank, tradeoff."),
        (["shape", "--acts", "tag:none"], "no activation of moons has the tag 'none'"),
        (["shape", "--acts", "act0,nobody"], "no activation 'nobody' in moons"),
        (["shape", "--names", "nobody=N"], "no activation 'nobody' in moons"),
        (["shape", "--names", "act39=A,rellu=R"], "--names: no activation 'rellu' in moons; did you mean 'relu'?"),
        (["shape", "--names", "act0=relu"], "--names: two activations would be called 'relu'"),
        (["shape", "--names", "act0"], "--names takes SPEC=NAME, not 'act0'"),
    ],
)
def test_options_that_are_wrong_are_one_line(given, said, shapes, capsys):
    assert main(["plot", "moons", *given]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
