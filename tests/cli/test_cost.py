"""The verb cost: plan, tables, JSON, resuming; and that what is wrong is one line."""

from __future__ import annotations

import contextlib
import json

import pytest

from afbench.cli import main
from afbench.cost import alone, rounds

BASE = ["cost", "--acts", "relu,gelu", "--engine", "inline", "--rounds", "5"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(alone, "cache_bytes", lambda: 2**12)
    monkeypatch.setattr(rounds, "quiet", contextlib.nullcontext)  # a full garbage collection takes longer
    return tmp_path


def test_alone_prints_a_table_a_case_and_writes_them(here, capsys):
    assert main([*BASE, "--shapes", "4x8,16"]) == 0
    out, err = capsys.readouterr()
    assert err.startswith("4 costs = 2 activations x 2 cases, each timed together with relu, gelu and a copy; 0 done")
    assert [line for line in out.splitlines() if line.startswith("cost alone")] == [
        "cost alone: 16 float32, eager, cpu, 1 thread",
        "cost alone: 4x8 float32, eager, cpu, 1 thread",
    ]
    assert "next:\n  afbench table results/cost --costs --format md\n" in out and "scaling" not in out
    assert {path.name for path in (here / "results/cost/tables").iterdir()} == {
        f"cost.{ending}" for ending in ("txt", "md", "csv", "tex", "html")
    }
    assert main([*BASE, "--shapes", "16"]) == 0
    out, err = capsys.readouterr()
    assert "2 done" in err and out.count("cost alone") == 1  # of what was asked for


def test_a_folder_of_costs_alone_is_one_of_results(capsys):
    assert main([*BASE, "--shapes", "16"]) == 0
    capsys.readouterr()
    for form in ("text", "md", "csv", "latex", "html"):
        assert main(["table", "results/cost", "--format", form]) == 0
        assert "gelu" in capsys.readouterr().out
    assert main(["table", "results/cost", "--wide"]) == 2
    assert "no records in results/cost" in capsys.readouterr().err


def test_json_is_what_is_stored(here, capsys):
    assert main([*BASE, "--shapes", "16", "--json"]) == 0
    costs = json.loads(capsys.readouterr().out)
    stored = [json.loads(path.read_text()) for path in (here / "results/cost/costs").iterdir()]
    assert sorted(costs, key=lambda c: c["key"]) == sorted(stored, key=lambda c: c["key"])


def test_in_a_network(here, capsys):
    assert main([*BASE, "--task", "gmm", "--set", "batch_size=32", "--out", "out"]) == 0
    out, _ = capsys.readouterr()
    assert "cost in the network of gmm (batch_size=32), cpu, 1 thread" in out
    assert main(["table", "out", "--format", "csv"]) == 0
    assert capsys.readouterr().out.count("gmm") == 2


def test_a_failure_is_a_row_and_exit_code_1(here, capsys):
    (here / "fails_here.py").write_text(
        "import afbench\nfrom torch import nn\n\n@afbench.activation('fails_here')\nclass Fails(nn.Module):\n"
        "    def forward(self, x):\n        raise ValueError('not today')\n"
    )
    call = [*BASE, "--shapes", "16", "--plugin", "fails_here.py"]
    call[call.index("relu,gelu")] = "relu,fails_here"
    assert main(call) == 1
    out, err = capsys.readouterr()
    assert "no figures: error ValueError: not today" in " ".join(out.split())
    assert "failed  fails_here: error: ValueError: not today" in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--acts", "rellu"], "unknown activation 'rellu'; did you mean 'relu'?"),
        (["--task", "gm"], "unknown task 'gm'; did you mean 'gmm'?"),
        (["--task", "gmm", "--shapes", "4"], "--shapes works only without --task"),
        (["--task", "gmm", "--threads", "2"], "--set threads="),
        (["--set", "lr=1"], "--set needs --task"),
        (["--baseline", "elu"], "--baseline needs --task"),
        (["--task", "gmm", "--baseline", "rellu"], "unknown activation 'rellu'"),
        (["--shapes", "4xx"], "not '4xx'"),
        (["--shapes", ""], "--shapes is empty"),
        (["--dtype", "float23"], "did you mean 'float32'?"),
        (["--mode", "eagr"], "did you mean 'eager'?"),
        (["--threads", "0"], "--threads takes positive integers"),
        (["--rounds", "2"], "--rounds must be at least 5, not 2"),
        (["--device", "abacus"], "unknown device 'abacus'"),
        (["--out", ""], "--out takes a folder"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(here, capsys, options, said):
    assert main([*BASE, *options]) == 2
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and said in err
    assert list(here.iterdir()) == []
