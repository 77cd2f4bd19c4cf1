"""The verb compare: text, JSON, exit codes."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from afbench.cli import main

HERE = Path(__file__).parents[1] / "compare" / "conftest.py"
SPEC = importlib.util.spec_from_file_location("compare_folders", HERE)
folders = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(folders)


@pytest.fixture
def ab(tmp_path):
    a, b = (folders.Folder(tmp_path / name).environment() for name in "ab")
    for name, factor in (("pau", 1.5), ("ditac", 1.2), ("relu", 1.0), ("gelu", 0.5)):
        a.cost(name)
        b.cost(name, factor * 2e-3, copy=2.0 * factor, commit="b" * 40 + "+")
    a.trials("pau", [90.0, 92.0, 94.0])
    b.trials("pau", [80.0, 82.1, 84.0])
    return a.path, b.path


def test_text_is_worst_first_and_counts_what_is_unchanged(ab, capsys):
    assert main(["compare", *ab]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert [line.split(":")[0] for line in lines if line[:1].isalpha() and ":" in line][-5:] == [
        "worse", "slower", "faster", "unchanged", "result",
    ]  # fmt: skip
    slower = lines.index(next(line for line in lines if line.startswith("slower: 2")))
    assert [line.split()[0] for line in lines[slower + 2 : slower + 4]] == ["pau", "ditac"]
    assert "1.500x" in lines[slower + 2] and "2.00 ms" in lines[slower + 2]
    assert lines[2].split() == ["commit", "a" * 12, "b" * 12 + "+"]
    assert lines[-1] == "result: 1 worse, 2 slower (threshold 5 %)"
    assert not any(line.startswith("  relu") for line in lines)
    assert main(["compare", *ab, "--all"]) == 0
    assert any(line.startswith("  relu") for line in capsys.readouterr().out.splitlines())


def test_fail_on_regression(ab, capsys):
    assert main(["compare", *ab, "--fail-on", "regression"]) == 1
    assert main(["compare", *reversed(ab)]) == 0
    a, b = ab
    assert main(["compare", a, str(folders.Folder(Path(a).parent / "c").environment().cost("pau").path)]) == 0
    assert main(["compare", a, str(Path(a).parent / "c"), "--fail-on", "regression"]) == 0


def test_json(ab, capsys):
    assert main(["compare", *ab, "--json", "--fail-on", "regression", "--threshold", "30%"]) == 1
    held = json.loads(capsys.readouterr().out)
    assert [*held] == [
        "a", "b", "threshold", "level", "regression", "counts", "changes", "only_in_a", "only_in_b", "refused", "notes",
        "problems",
    ]  # fmt: skip
    assert [*held["a"]] == ["path", "commits", "machines", "dates", "trials", "costs"]
    assert (held["threshold"], held["regression"], held["counts"]["slower"]) == (0.3, True, 1)
    slower = next(change for change in held["changes"] if change["verdict"] == "slower")
    assert {**slower, "low": 0, "high": 0} == {
        "kind": "time", "activation": "pau", "case": "4x8 float32, eager, cpu, 1 thread", "figure": "forward, cold",
        "verdict": "slower", "a": 2e-3, "b": 3e-3, "effect": 1.5, "low": 0, "high": 0, "n": 15, "reason": "",
        "unstable": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--threshold", "5"], "--threshold takes a share such as 5% or 0.05, not '5'"),
        (["--threshold", "-3%"], "--threshold"),
        (["--fail-on", "slower"], "invalid choice: 'slower'"),
    ],
)
def test_a_wrong_call_is_one_line(ab, capsys, more, said):
    try:
        code = main(["compare", *ab, *more])
    except SystemExit as exit_:
        code = exit_.code
    err = capsys.readouterr().err
    assert code == 2 and said in err and err.count("\n") == 1


def test_what_cannot_be_compared_exits_with_2(ab, tmp_path, capsys):
    assert main(["compare", ab[0], ab[0]]) == 2
    assert main(["compare", ab[0], str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_damaged_files_are_named(ab, capsys):
    (Path(ab[0]) / "costs" / "half.json").write_text("{")
    assert main(["compare", *ab]) == 0
    assert (
        "half.json: not JSON (line 1: Expecting property name enclosed in double quotes); the file stays"
        in capsys.readouterr().err
    )
