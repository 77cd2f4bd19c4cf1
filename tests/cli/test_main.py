"""The command line: a wrong call is one line on standard error, exit code 2, and nothing written."""

from __future__ import annotations

import os

import pytest

from afbench.cli import VERBS, main, options
from afbench.engines import ENGINES
from afbench.version import __version__


def words(value):
    """Name a case by its call, not by its message."""
    return " ".join(value)[:40] if isinstance(value, list) else ""


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """An empty folder to stand in."""
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def complaint(empty, capsys):
    """Make a wrong call; returns the one line that it says."""

    def call(*argv):
        try:
            code = main(argv)
        except SystemExit as exit:
            code = exit.code
        out, err = capsys.readouterr()
        assert (code, out) == (2, "")
        assert len(err.splitlines()) == 1, err
        assert err.startswith("afbench")
        assert list(empty.iterdir()) == [], "nothing is written"
        return err

    return call


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["rnu"], "unknown command 'rnu'; did you mean 'run'?"),
        (["frobnicate"], f"unknown command 'frobnicate' (commands: {', '.join(VERBS)})"),
        (["--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["run"], "the following arguments are required: --task"),
        (["run", "--task", "gmm", "--frobnicate"], "--frobnicate"),
        (["run", "--task", "gmm", "two\nlines"], "unrecognized arguments"),
        (["list"], "the following arguments are required: kind"),
        (["list", "taks"], "invalid choice: 'taks'"),
        (["table", "nowhere"], "no results in nowhere"),
        (["plot", "nowhere", "curve"], "no results in nowhere"),
    ],
    ids=words,
)
def test_a_wrong_call(complaint, argv, message):
    assert message in complaint(*argv)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--task", "gm"], "unknown task 'gm'; did you mean 'gmm'?"),
        (["--acts", "rellu"], "unknown activation 'rellu'; did you mean 'relu'?"),
        (["--acts", "prelu[aa=1]"], "activation 'prelu' has no setting 'aa'; did you mean 'a'?"),
        (["--acts", "prelu[a=x]"], "activation 'prelu': a must be a float, not 'x'"),
        (["--acts", "ditac[cells=-3]"], "cells"),
        (["--acts", "ditac[a=2,b=-1]"], "ditac[a=2.0,b=-1.0]"),
        (["--acts", "prelu[a=1"], "malformed spec"),
        (["--acts", "prelu[]"], "malformed spec 'prelu[]': the brackets are empty"),
        (["--acts", 'prelu[a="1\n"]'], "malformed spec"),
        (["--acts", "relu,-relu"], "no activation is selected by 'relu,-relu'"),
        (["--acts", ""], "no activation is selected by ''"),
        (["--acts", "tag:nothing"], "no activation has the tag 'nothing'"),
        (["--acts", "zzz*"], "no activation matches 'zzz*'"),
        (["--acts", "no_such_package:Snake"], "cannot import 'no_such_package:Snake'"),
        (["--acts", "torch:relu"], "torch:relu"),
        (["--baseline", "rellu"], "unknown activation 'rellu'; did you mean 'relu'?"),
        (["--set", "epoch=3"], "task 'gmm' has no setting 'epoch'; did you mean 'epochs'?"),
        (["--set", "epochs=many"], "task 'gmm': epochs must be an int, at least 1, at most 1000000, not 'many'"),
        (["--set", "epochs=0"], "epochs must be an int, at least 1, at most 1000000, not '0'"),
        (["--set", "lr=nan"], "lr must be a float, above 0, not 'nan'"),
        (["--set", "epochs"], "--set takes key=value, not 'epochs'"),
        (["--set", "=3"], "--set takes key=value, not '=3'"),
        (["--set", "epochs="], "--set takes key=value, not 'epochs='"),
        (["--set", "epochs=1", "--set", "epochs=2"], "--set gives 'epochs' twice"),
        (["--set", "device=abacus"], "unknown device 'abacus'"),
        (["--budget", "huge"], "--budget takes default, smoke or a fraction above 0 and at most 1, not 'huge'"),
        (["--budget", "paper"], "task 'gmm' has no published length; --budget takes default, smoke or a fraction"),
        (["--budget", "1_0"], "not '1_0'"),
        (["--budget", "\u0660.5"], "--budget takes default, smoke or a fraction"),
        (["--seeds", "10000000"], "--seeds must be at most 10000, not 10000000"),
        (["--seeds", "3.0"], "argument --seeds: it takes an integer such as 5, not '3.0'"),
        (["--seeds", "\u0663"], "argument --seeds: it takes an integer"),
        (["--seeds", "1_0"], "argument --seeds: it takes an integer such as 5, not '1_0'"),
        (["--seeds", "+5"], "argument --seeds: it takes an integer such as 5, not '+5'"),
        (["--seeds", " 5"], "argument --seeds: it takes an integer such as 5, not ' 5'"),
        (["--seeds", "1e1"], "argument --seeds: it takes an integer such as 5, not '1e1'"),
        (["--seeds", "0x10"], "argument --seeds: it takes an integer such as 5, not '0x10'"),
        (["--seeds", "9" * 5000], "argument --seeds: it takes an integer"),
        (["--jobs", "1e9"], "argument --jobs: it takes an integer such as 5, not '1e9'"),
        (["--jobs", "1000000000"], "--jobs must be at most 1000000, not 1000000000"),
        (["--timeout", "1_0"], "argument --timeout: it takes a number such as 0.5, not '1_0'"),
        (["--timeout", "1e23"], "--timeout must be above 0 and at most 31536000 seconds"),
        (["--set", "epochs=1e23"], "epochs must be an int, at least 1, at most 1000000, not '1e23'"),
        (["--set", "epochs=10000000"], "epochs must be an int, at least 1, at most 1000000, not '10000000'"),
        (["--set", "epochs= 5"], "epochs must be an int, at least 1, at most 1000000, not ' 5'"),
        (["--set", "lr=\u0661"], "lr must be a float"),
        (["--set", "epoch=3", "--set", "lr=fast"], "did you mean 'epochs'?; task 'gmm': lr must be a float"),
        (["--acts", "leaky_relu[slope=\u0661]"], "slope must be a float"),
        (
            ["--acts", "rellu,geluu"],
            "(python -m afbench list activations); unknown activation 'geluu'; did you mean 'gelu'",
        ),
        (["--device", "cpu:5"], "unknown device 'cpu:5'; did you mean 'cpu'?; give auto, cpu, cuda or cuda:N"),
        (["--device", "cuda:-1"], "unknown device 'cuda:-1'"),
        (["--device", "CUDA"], "unknown device 'CUDA'; did you mean 'cuda'?"),
        (["--device", "gpu"], "unknown device 'gpu'; did you mean 'cuda'?"),
        (["--device", "meta"], "unknown device 'meta'"),
        (["--device", "cuda:\u0660"], "unknown device 'cuda:"),
        (["--set", "device=cpu:5"], "unknown device 'cpu:5'"),
        (["--device", "abacus"], "unknown device 'abacus'; give auto, cpu, cuda or cuda:N"),
        (["--device", "cuda:99"], "device 'cuda:99' is not available"),
        (["--seeds", "0"], "--seeds must be at least 1, not 0"),
        (["--seeds", "-1"], "--seeds must be at least 1, not -1"),
        (["--seeds", "five"], "argument --seeds: it takes an integer such as 5, not 'five'"),
        (["--jobs", "0"], "--jobs must be at least 1, not 0"),
        (["--timeout", "0"], "--timeout must be above 0 and at most 31536000 seconds (a year), not 0"),
        (["--timeout", "nan"], "--timeout must be above 0 and at most 31536000 seconds (a year), not nan"),
        (["--engine", "proces"], "unknown engine 'proces'; did you mean 'process'?"),
        (["--plugin", "none.py"], "plugin none.py not found"),
        (["--plugin", "none.py", "--plugin", "nor_this.py"], "plugin nor_this.py not found"),
        (["--out", "x" * 300], "x" * 300),
        (["--out", ""], "--out"),
    ],
    ids=words,
)
def test_a_wrong_run(complaint, options, message):
    given = {"--task": "gmm", "--acts": "tanh", "--seeds": "1", "--engine": "inline", "--budget": "smoke"}
    defaults = [word for option, value in given.items() if option not in options for word in (option, value)]
    assert message in complaint("run", *defaults, "--no-cost", *options)


RUN = ["run", "--task", "gmm", "--acts", "tanh", "--seeds", "1", "--engine", "inline", "--budget", "smoke", "--no-cost"]


@pytest.mark.parametrize(("below", "why"), [("", "is a file"), ("/below/it", "cannot be written")])
def test_a_results_path_that_is_a_file(complaint, tmp_path, below, why):
    file = tmp_path / "file"
    file.write_text("mine")
    assert f"{file}{below} {why}" in complaint(*RUN, "--out", f"{file}{below}")
    assert file.read_text() == "mine"


def test_a_results_path_that_cannot_be_written(complaint, tmp_path, monkeypatch):
    folder = tmp_path / "read_only"
    folder.mkdir()
    monkeypatch.setattr(os, "access", lambda *_, **__: False)  # root may write anywhere
    assert f"{folder / 'new'} cannot be written" in complaint(*RUN, "--out", str(folder / "new"))
    assert list(folder.iterdir()) == []


def test_a_results_folder_that_holds_a_file_where_its_trials_belong(complaint, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "trials").write_text("mine")
    assert str(tmp_path / "out" / "trials") in complaint(*RUN, "--out", str(tmp_path / "out"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["trials"]


def test_a_results_path_that_is_a_link_to_nowhere(complaint, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    assert "link" in complaint(*RUN, "--out", str(tmp_path / "link"))


def test_a_plugin_that_fails_leaves_the_run_undone(complaint, tmp_path):
    (tmp_path / "broken.py").write_text("\n1 / 0\n")
    line = complaint(*RUN, "--plugin", str(tmp_path / "broken.py"))
    assert "broken.py failed: ZeroDivisionError: division by zero (broken.py:2)" in line


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([verb, "--help"])
    text = capsys.readouterr().out
    assert f"examples:\n  afbench {verb} " in text


def test_help_names_all_engines():
    assert options.ENGINES == [*ENGINES]


def test_no_verb_is_help(capsys):
    assert main([]) == 0
    text = capsys.readouterr().out
    assert all(f" {verb} " in text for verb in VERBS)
    assert "python -m afbench run --task gmm --acts all" in text


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"afbench {__version__}\n"


def test_an_exclusion_may_come_first_on_the_command_line(complaint):
    """What is wrong here is the unknown name, not the minus before it."""
    assert "unknown activation 'rellu'" in complaint("run", "--task", "gmm", "--acts", "-rellu")


def test_an_interrupted_verb_exits_with_130(monkeypatch):
    def interrupt(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(VERBS["list"], "call", interrupt)
    assert main(["list", "tasks"]) == 130
