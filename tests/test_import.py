"""What is imported when: nothing heavy before it is needed, nothing that prints, from any folder."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

import afbench

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "results" / "reference"
SCRIPT = Path(sysconfig.get_path("scripts")) / "afbench"
HEAVY = ("torch", "numpy", "scipy", "pandas", "matplotlib", "rich", "sklearn", "torchvision", "onnx")
SLOW_PARTS = ("torch._dynamo", "torch._inductor", "torch.utils.cpp_extension", "torch.onnx", "sympy", "triton")
"""What torch imports late: the first takes as long as torch itself, the third prints on machines without a GPU."""
CALLS = """
import contextlib, io, json, sys
from afbench.cli import main

for call in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            code = main(call)
        except SystemExit as exit:
            code = exit.code
    assert code == int(sys.argv[2]), (call, code)
print(json.dumps([name for name in json.loads(sys.argv[3]) if name in sys.modules]))
"""


def start(command, folder, **environment):
    return subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def loaded(*calls, code=0, asked=(*HEAVY, *SLOW_PARTS, "scipy.stats")):
    """Make calls in one fresh process; returns which of the modules are loaded after them."""
    words = [json.dumps(calls), str(code), json.dumps(asked)]
    out, err = start([sys.executable, "-c", CALLS, *words], ROOT).communicate()
    assert out, err
    return json.loads(out)


VERBS = ("run", "list", "show", "table", "plot", "cost", "compare", "doctor", "data")


def test_help_and_versions_import_nothing_heavy():
    assert loaded(["--help"], ["--version"], [], *([verb, "--help"] for verb in VERBS)) == []


def test_a_wrong_call_imports_nothing_heavy():
    wrong = ["rnu"], ["--frobnicate"], ["run"], ["run", "--tsk", "gmm"], ["list", "taks"], ["table"], ["plot", "a"]
    assert loaded(*wrong, ["cost", "--rounds", "many"], ["compare", "a"], ["data", "find"], code=2) == []


def test_tables_and_comparisons_of_records_need_no_torch(tmp_path):
    gmm, cost = str(REFERENCE / "gmm"), str(REFERENCE / "cost")
    shutil.copytree(REFERENCE / "gmm" / "trials", tmp_path / "trials")
    assert loaded(["table", gmm], ["table", cost, "--format", "md"], ["compare", gmm, str(tmp_path)]) == [
        "numpy",
        "scipy",
    ]


def test_plots_of_records_need_no_torch(tmp_path):
    found = loaded(["plot", str(REFERENCE / "gmm"), "tradeoff", "--output", str(tmp_path / "plot.svg")])
    assert not {*found} & {"torch", "pandas", "sklearn", *SLOW_PARTS}


def test_list_and_show_import_torch_without_its_slow_parts():
    found = loaded(
        ["list", "activations"], ["list", "tasks"], ["show", "ditac"], ["show", "ditac[cells=20]"], ["show", "gmm"]
    )
    assert found == ["torch", "numpy", "scipy"]


def test_help_answers_at_once(tmp_path):
    """A third of a second on an idle core; the bound here is for a busy machine, and torch alone takes longer."""
    seconds = []
    for _ in range(3):
        began = time.monotonic()
        out, _ = start([sys.executable, "-m", "afbench", "--help"], tmp_path).communicate()
        seconds.append(time.monotonic() - began)
        assert "commands" in out
    assert min(seconds) < 1.5


USES = """
import contextlib, io, sys
import afbench
from afbench.cli import main

with contextlib.redirect_stdout(io.StringIO()):
    for call in ["list activations", "list tags", "show ditac", "show gmm", "table " + sys.argv[1], "data list"]:
        assert main(call.split()) == 0, call
import torch
afbench.create("ditac")(torch.zeros(2)).sum().backward()
"""


@pytest.mark.parametrize(
    "options",
    [
        ["-W", "default"],
        pytest.param(["-OO"], marks=pytest.mark.slow),
        pytest.param(["-W", "error"], marks=pytest.mark.slow),
    ],
    ids=["default", "OO", "error"],
)
def test_nothing_is_printed_but_what_was_asked_for(tmp_path, options):
    """No warning of others, and none of ours with all warnings shown or made errors; without docstrings too."""
    _, err = start([sys.executable, *options, "-c", USES, str(REFERENCE / "gmm")], tmp_path).communicate()
    assert err == ""


@pytest.mark.slow
def test_a_run_prints_its_progress_and_nothing_foreign(tmp_path):
    call = [
        "run",
        "--task",
        "gmm",
        "--acts",
        "prelu",
        "--seeds",
        "1",
        "--budget",
        "smoke",
        "--engine",
        "inline",
        "--no-cost",
    ]
    process = start([sys.executable, "-W", "default", "-m", "afbench", *call], tmp_path)
    out, err = process.communicate()
    assert "2 ok, 0 failed" in out
    assert [line for line in err.splitlines() if not line.startswith(("trials ", "cost "))] == []


SHADOWS = ("torch", "random", "numpy", "json", "activations", "tasks", "spec", "string", "statistics", "types_of_mine")


@pytest.mark.slow
def test_a_folder_with_modules_of_the_same_names_shadows_nothing(tmp_path):
    for name in SHADOWS:
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('the wrong {name}')\n")
    run = ["run", "--task", "digits", "--acts", "tanh", "--seeds", "1", "--budget", "smoke", "--jobs", "1", "--no-cost"]
    calls = (
        [sys.executable, "-m", "afbench", "list", "tasks"],
        [sys.executable, "-m", "afbench", *run],
        [str(SCRIPT), "list", "tasks"],
    )
    for process in [start(call, tmp_path) for call in calls]:  # at once: torch takes its time
        out, err = process.communicate()
        assert process.returncode == 0, err
        assert "wrong" not in err
        assert "digits" in out


def test_a_module_of_the_current_folder_is_found_though_it_comes_last(tmp_path):
    (tmp_path / "my_acts.py").write_text("import torch\n\nclass Twice(torch.nn.Module):\n    '''2 x.'''\n")
    out, err = start([sys.executable, "-m", "afbench", "show", "my_acts:Twice"], tmp_path).communicate()
    assert "2 x." in out, err


def test_no_home_and_a_folder_that_cannot_be_written(tmp_path):
    bare = {name: value for name, value in os.environ.items() if name not in ("HOME", "USERPROFILE", "XDG_CACHE_HOME")}
    process = subprocess.run(
        [sys.executable, "-B", "-m", "afbench", "data", "list"], cwd="/", env=bare, capture_output=True, text=True
    )
    assert (process.returncode, process.stderr) == (0, "")


def test_dir_shows_what_is_public_and_dunders():
    names = {name for name in dir(afbench) if not name.startswith("__")}
    assert names == {name for name in afbench.__all__ if name != "__version__"}
    assert "__version__" in dir(afbench)


def test_every_public_name_is_there_with_a_docstring_and_an_example():
    promised = "activation task create list_activations list_tasks penalty param_groups count_parameters run load"
    assert {*promised.split()} <= {*afbench.__all__}
    for name in afbench.__all__:
        public = getattr(afbench, name)
        if name != "__version__":
            assert public.__doc__, name
            assert ">>>" in public.__doc__ or "Example::" in public.__doc__, f"{name} has no example"


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'afbench' has no attribute 'no_such_name'"):
        _ = afbench.no_such_name
    with pytest.raises(ImportError, match="no_such_name"):
        from afbench import no_such_name  # noqa: F401
    assert not hasattr(afbench, "_private")


LAZY = """
import sys, afbench
assert 'torch' not in sys.modules
assert afbench.errors.UsageError is afbench.UsageError     # a submodule that nobody imported
assert 'torch' not in sys.modules
namespace = {}
exec('from afbench import *', namespace)
assert {*afbench.__all__} <= {*namespace}
import afbench.activations, afbench.testing
assert afbench.testing.check_activation
@afbench.activation('lazy_test', formula='x')
class Lazy(__import__('torch').nn.Module): ...
assert 'lazy_test' in afbench.list_activations()
"""


def test_public_names_and_submodules_come_when_asked_for(tmp_path):
    process = start([sys.executable, "-c", LAZY], tmp_path)
    _, err = process.communicate()
    assert process.returncode == 0, err


def test_layers_are_pickled_by_where_they_are_defined(tmp_path):
    """A pickle of a fresh process, which has imported nothing but the pickle's own module names."""
    layer = afbench.create("swish")
    (tmp_path / "layer.pkl").write_bytes(pickle.dumps(layer))
    code = "import pickle; print(type(pickle.load(open('layer.pkl', 'rb'))).__name__)"
    out, err = start([sys.executable, "-c", code], tmp_path).communicate()
    assert out == "Swish\n", err
