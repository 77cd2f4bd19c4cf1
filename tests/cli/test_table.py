"""``afbench table``: single tables, the wide one, several folders."""

from __future__ import annotations

import csv
import html
import io

import pytest

from afbench.cli import main
from afbench.records.store import Store
from afbench.records.trial import Record, Status, Trial


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
    assert "needs several tasks, but there is only moons" in capsys.readouterr().err


@pytest.fixture
def gmm(tmp_path):
    """A folder with activations of afbench's and of a user's, under canonical specs."""
    about = {"metric": "r2", "unit": "%", "higher_is_better": True}
    store = Store.open(tmp_path / "gmm", write=True)
    scores = {"relu": 90.0, "pau": 91.0, "ditac[cells=20]": 93.0, "gone.module:Act[alpha=2.0]": 92.0}
    for name, score in scores.items():
        for seed in range(3):
            sizes = {"activation": 0 if name == "relu" else 9}
            record = Record(Trial("gmm", name, seed, {}), Status.OK, about, parameters=sizes)
            store.write(record.with_(metrics={"r2": score + seed * len(name) / 100}))
    return str(tmp_path / "gmm")


def test_options_of_one_table(gmm, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    names = 'ditac[cells=20]="DiTAC, ours",gone.module:Act[alpha=2]=Mine'
    call = ["table", gmm, "--acts", "trainable,-pau", "--columns", "params,mean", "--sort", "mean:asc"]
    assert main([*call, "--names", names, "--caption", "none"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line]
    assert lines[1] == ["activation", "params", "R2", "%"]
    assert [line[0] for line in lines[2:5]] == ["relu", "Mine", ">"] and "DiTAC, ours" in " ".join(lines[4])
    assert len(lines) == 5


@pytest.mark.parametrize("format", ["text", "md", "csv", "latex", "html"])
def test_every_format_takes_the_options(gmm, capsys, format):
    call = [
        "table",
        gmm,
        "--format",
        format,
        "--acts",
        "-pau",
        "--columns",
        "n,mean",
        "--sort",
        "n",
        "--caption",
        "short",
    ]
    assert main(call) == 0
    shown = capsys.readouterr().out
    assert "pau" not in shown and "ditac" in shown and "r2" not in shown and "R2" in shown or format == "csv"


def test_acts_that_start_with_a_dash_stand_alone(gmm, capsys):
    assert main(["table", gmm, "--acts", "-pau", "--caption", "none"]) == 0
    assert "pau" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--acts", "ditacc"], "no activation 'ditacc' in the results"),
        (["--columns", "men"], "no column 'men'; did you mean 'mean'?; there are activation, n, mean"),
        (["--sort", "mean:up"], "--sort takes COLUMN, COLUMN:asc or COLUMN:desc, not 'mean:up'"),
        (["--names", "pau"], "--names takes SPEC=NAME"),
        (["--names", "pua=P"], "--names: no activation 'pua' in the results; did you mean 'pau'?"),
        (["--baseline", "pua"], "no activation 'pua' in the results; did you mean 'pau'?"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(gmm, capsys, options, said):
    assert main(["table", gmm, *options]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1


@pytest.mark.parametrize("width", ["40", "80", "132"])
def test_a_text_fits_the_terminal(gmm, capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", width)
    assert main(["table", gmm]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= int(width)


def test_a_wide_table_takes_the_options(folders, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    call = ["table", *folders, "--wide", "--columns", "rank,rings", "--sort", "rank:desc", "--names", "pau=PAU"]
    assert main([*call, "--caption", "none"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line]
    assert lines[1] == ["activation", "mean", "rings"] and [line[0] for line in lines[3:5]] == ["relu", "PAU"]


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252", "utf-8"])
def test_an_html_page_is_the_utf_8_that_it_says(folders, monkeypatch, encoding):
    held = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(held, encoding))
    assert main(["table", folders[0], "--names", "pau=Pad\u00e9 \u00b1 \u03b2", "--format", "html"]) == 0
    page = html.unescape(held.getvalue().decode("utf-8"))
    assert "Pad\u00e9 \u00b1 \u03b2" in page and "\u2191" in page
