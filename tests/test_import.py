"""Importing afbench is light, and works from any folder."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

SCRIPT = Path(sysconfig.get_path("scripts")) / "afbench"
HEAVY = ("pandas", "matplotlib", "sklearn", "scipy")


def start(command, folder):
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_import_loads_torch_and_nothing_heavy(tmp_path):
    code = f"import sys, afbench; print('torch' in sys.modules, [m for m in {HEAVY} if m in sys.modules])"
    out, err = start([sys.executable, "-c", code], tmp_path).communicate()
    assert out == "True []\n", err


def test_a_folder_with_tasks_and_activations_of_its_own_shadows_nothing(tmp_path):
    (tmp_path / "tasks.py").write_text("raise SystemExit('the wrong tasks')\n")
    (tmp_path / "activations").mkdir()
    (tmp_path / "activations" / "__init__.py").write_text("raise SystemExit('the wrong activations')\n")
    commands = [sys.executable, "-m", "afbench"], [str(SCRIPT)]
    started = [start([*command, "list", "tasks"], tmp_path) for command in commands]  # at once: torch takes its time
    for process in started:
        out, err = process.communicate()
        assert (process.returncode, err) == (0, "")
        assert {"gmm", "regression_2d", "digits"} <= {line.split()[0] for line in out.splitlines()}


def test_load_is_public_though_it_comes_late():
    import afbench

    assert callable(afbench.load)
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        _ = afbench.no_such_name


def test_every_public_name_is_there():
    import afbench

    promised = "activation task create list_activations list_tasks penalty param_groups count_parameters run load"
    assert {*promised.split()} <= {*afbench.__all__}
    for name in afbench.__all__:
        assert hasattr(afbench, name), name
