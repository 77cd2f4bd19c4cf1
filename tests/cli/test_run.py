"""The verb run: its exit codes, what it says last, and what it says of code that no worker can find."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from afbench.cli import main
from afbench.records.store import Store

PLUGIN = '''
import afbench, torch
from torch import nn
from afbench.models import mlp

@afbench.task("tiny_run")
class TinyRun(afbench.Task):
    """The sign of a sum, MLP 2-4-2."""

    epochs: int = 1
    plots = ("curve", "shape")

    def data(self, rng: torch.Generator) -> afbench.Splits:
        points = torch.randn(12, 2, generator=rng)
        batch = points, (points.sum(1) > 0).long()
        return afbench.Splits(batch, batch, batch)

    def network(self, act):
        return mlp(2, 4, 2, act=act)

@afbench.activation("talks")
class Talks(nn.Module):
    """Raises at length."""
    def forward(self, x):
        raise ValueError("so long " * 2000)
'''
SCRIPT = '''
import afbench
from torch import nn

@afbench.activation("of_main", formula="x")
class OfMain(nn.Module):
    """x."""
    def forward(self, x):
        return x

if __name__ == "__main__":
    run = afbench.run("tiny_run", "of_main", seeds=1, jobs=1, cost=False, plugins=["plugin.py"], out="out", **{changes})
    print([(record.trial.activation, str(record.status)) for record in run.new])
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to stand in, with a plugin."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugin.py").write_text(PLUGIN)
    return tmp_path


@pytest.fixture
def run(folder, capsys):
    """Run the verb in this process; returns exit code, output, and what was said on standard error."""

    def call(*options):
        given = ["--task", "tiny_run", "--seeds", "2", "--no-cost", "--engine", "inline", "--plugin", "plugin.py"]
        code = main(["run", *given, "--out", "out", *options])
        return code, *capsys.readouterr()

    return call


def full(*given):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_tables_that_cannot_be_written_are_printed_and_the_code_is_1(run, monkeypatch):
    assert run("--acts", "relu")[0] == 0
    monkeypatch.setattr("afbench.cli.closing.write_whole", lambda path, content: full())
    code, out, err = run("--acts", "relu")
    assert code == 1
    assert "relu" in out.partition("activation")[2], "the table is printed all the same"
    assert "out/tables/tiny_run.md cannot be written (No space left on device)" in err
    assert "tables/tiny_run.md" not in out


def test_plots_that_cannot_be_written_make_the_code_1(run, folder):
    (folder / "out" / "plots").mkdir(parents=True)
    (folder / "out" / "plots" / "curve.png").mkdir()
    code, out, err = run("--acts", "relu,prelu")
    assert code == 1
    [line] = [line for line in err.splitlines() if "no plot curve" in line]
    assert "curve.png" in line and "Is a directory" in line, err
    assert "plots/shape.png" in out, err


def test_a_run_loads_a_plugin_once_and_reads_its_records_once_for_all_tables_and_plots(run, folder, monkeypatch):
    folder.joinpath("count.py").write_text("with open('loads', 'a') as file:\n    file.write('x')\n")
    read, records = [], Store.records
    monkeypatch.setattr(Store, "records", lambda store: read.append(store.path) or records(store))
    assert run("--acts", "relu,prelu", "--plugin", "count.py")[0] == 0
    assert folder.joinpath("loads").read_text() == "x"
    assert len(read) == 1


def test_a_failures_closing_line_has_a_readable_length(run):
    code, out, _ = run("--acts", "relu,talks")
    assert code == 1
    lines = [line for line in out.splitlines() if line.startswith("  failed")]
    assert [line[: len("  failed  talks seed 0: error: ValueError: so long")] for line in lines] == [
        f"  failed  talks seed {seed}: error: ValueError: so long" for seed in (0, 1)
    ]
    assert all(len(line) <= 160 for line in lines)


def test_a_budget_without_a_published_length_is_refused(run, folder):
    code, _, err = run("--acts", "relu", "--budget", "paper")
    assert code == 2
    assert "task 'tiny_run' has no published length" in err
    assert not (folder / "out").exists()


def test_an_edit_is_said_in_a_line(run, folder):
    own = folder / "own.py"
    text = "import afbench\nfrom torch import nn\n@afbench.activation('ours')\nclass Ours(nn.Module):\n"
    text += "    '''Ours.'''\n    def forward(self, x):\n        return {} * x\n"
    own.write_text(text.format(1))
    options = ["--acts", "ours", "--plugin", "own.py"]
    assert "stale" not in run(*options)[1]
    own.write_text(text.format(2))
    said = [line for line in run(*options, "--keep-stale")[1].splitlines() if line.startswith("stale: ")]
    kept = "2 trials kept by --keep-stale, although the current code may give other results"
    assert said == [f"stale: the source of ours or of its task changed; {kept}"]
    said = [line for line in run(*options)[1].splitlines() if line.startswith("stale: ")]
    assert said == ["stale: the source of ours or of its task changed; 2 trials run again"]


@pytest.mark.parametrize("out", ["", "nul\0byte", "plugin.py", "plugin.py/below", "loop", "nowhere", "n" * 300])
def test_a_folder_that_cannot_be_is_one_line(run, folder, out):
    (folder / "loop").symlink_to("loop")
    (folder / "nowhere").symlink_to("gone")
    code, said, err = run("--acts", "relu", "--out", out)
    assert (code, said) == (2, "")
    assert err.startswith("afbench: ") and len(err.splitlines()) == 1


def started(folder, *command, **changes):
    return subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True, **changes)


def test_a_class_of_no_file_is_refused_before_anything_runs(folder):
    script = SCRIPT.replace("{changes}", "{}").replace('if __name__ == "__main__":', "if True:")
    ended = started(folder, "-c", script)
    last = ended.stderr.splitlines()[-1]
    assert "activation 'of_main': defined in a notebook" in last
    assert "plugins=['FILE.py']" in last and "engine='inline'" in last
    assert not (folder / "out").exists()


def test_a_class_of_no_file_runs_inline(folder):
    script = SCRIPT.replace("{changes}", "{'engine': 'inline'}")
    ended = started(folder, "-", input=script)
    assert ended.stdout.splitlines()[-1:] == ["[('relu', 'ok'), ('of_main', 'ok')]"], ended.stderr


@pytest.mark.slow
def test_a_class_of_a_script_is_found_by_the_workers(folder):
    (folder / "script.py").write_text(SCRIPT.replace("{changes}", "{}"))
    ended = started(folder, "script.py")
    assert ended.stdout.splitlines()[-1:] == ["[('relu', 'ok'), ('of_main', 'ok')]"], ended.stderr


def test_a_reader_that_leaves_costs_no_trial(folder):
    command = "run --task tiny_run --acts relu,prelu --seeds 3 --no-cost --plugin plugin.py --engine inline --out out"
    line = f"{sys.executable} -m afbench {command} | head -1; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True)
    assert (ended.returncode, len(ended.stdout.splitlines())) == (1, 1), ended.stderr
    assert ended.stderr.splitlines()[-1] == "afbench: standard output: Broken pipe"
    assert len(Store.open(folder / "out").records()) == 6
    assert (Path(folder) / "out" / "tables" / "tiny_run.md").exists()


def test_a_script_without_a_main_guard_runs_or_is_told_in_one_line(folder):
    script = SCRIPT.replace("{changes}", "{}").replace('if __name__ == "__main__":', "if True:")
    (folder / "own.py").write_text(script)
    (folder / "plain.py").write_text(script.replace('"of_main", seeds', '"relu", seeds'))
    ended = started(folder, "plain.py")
    assert ended.stdout.splitlines()[-1:] == ["[('relu', 'ok')]"], ended.stderr
    ended = started(folder, "own.py")
    assert "put the call under: if __name__ == '__main__':" in ended.stderr.splitlines()[-1]
    assert ended.stderr.count("Traceback") <= 3, "one chain of this process, none of a child's"
