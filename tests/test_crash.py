"""The real thing, killed: ``python -m afbench run`` in processes of its own loses the trials in flight and no more.

The task's trials take a few milliseconds. While a file ``hold`` stands beside the plugin, a trial that begins after the
first three are in the store stands still, so that a test can choose its moment. A run takes seconds to start, and so
does each of its workers: there are few of both here.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import afbench
from afbench.records.store import Store
from afbench.records.trial import Record, Status
from afbench.registry.entries import ACTIVATIONS, TASKS

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs signals")

PLUGIN = '''
import os, time
from pathlib import Path
import afbench, torch
from torch import nn
from afbench.models import mlp

HERE = Path(__file__).parent
(HERE / "processes" / str(os.getpid())).touch()  # every process of a run passes here

@afbench.task("crash")
class Crash(afbench.Task):
    """The sign of a product, MLP 2-8-2."""

    plots = ("curve",)
    epochs: int = 3
    batch_size: int = 16

    def data(self, rng: torch.Generator) -> afbench.Splits:
        while (HERE / "hold").exists() and len(list(HERE.glob("results/trials/*.json"))) >= 3:
            (HERE / "held" / str(os.getpid())).touch()
            time.sleep(0.01)
        points = torch.randn(300, 2, generator=rng)
        labels = (points.prod(1) > 0).long()
        return afbench.Splits(*((points[i : i + 100], labels[i : i + 100]) for i in (0, 100, 200)))

    def network(self, act):
        return mlp(2, 8, 2, act=act)

@afbench.activation("quits")
class Quits(nn.Module):
    """Takes its process down."""

    def forward(self, x):
        os._exit(7)
'''


class Ground:
    """A folder with the plugin, and the runs that are started in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.results, self.hold = folder, folder / "results", folder / "hold"
        (folder / "plugin.py").write_text(PLUGIN)
        for name in ("processes", "held"):
            (folder / name).mkdir()
        self.runs: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str, acts: str = "relu,tanh,prelu", seeds: int = 4) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "afbench", "run", "--task", "crash", "--plugin", "plugin.py", "--no-cost"]
        command += ["--acts", acts, "--seeds", str(seeds), "--out", "results", *arguments]
        # A group of its own, so that a Ctrl-C can be sent to all of a run as a terminal does.
        pipe: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        run = subprocess.Popen(command, cwd=self.folder, start_new_session=True, **pipe)
        self.runs.append(run)
        return run

    def run(self, *arguments: str, **changes: Any) -> tuple[int, str, str]:
        return finish(self.start(*arguments, **changes))

    def records(self) -> list[Record]:
        store = Store.open(self.results)
        records = store.records()
        assert store.problems == {}
        return records

    def metrics(self) -> dict[str, Any]:
        assert {record.status for record in self.records()} == {Status.OK}
        return {record.key: record.metrics for record in self.records()}

    def pids(self, what: str) -> list[int]:
        return [int(file.name) for file in (self.folder / what).iterdir()]

    def close(self) -> None:
        for run in self.runs:
            if run.poll() is None:
                run.kill()
                run.communicate()
        wait_until(lambda: not any(map(alive, self.pids("processes"))), seconds=5)
        for left in filter(alive, self.pids("processes")):
            os.kill(left, signal.SIGKILL)


def finish(run: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = run.communicate(timeout=120)
    return run.returncode, out, err


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat")
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def wait_until(true: Callable[[], Any], seconds: float = 60) -> bool:
    """Wait for something to become true, for so long at most."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(true())


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    # A shell that runs the tests in the background lets them ignore Ctrl-C, and their children with them.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    ground = Ground(tmp_path)
    yield ground
    ground.close()
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The metrics of a run that nothing happened to, in this process."""
    ground = Ground(tmp_path_factory.mktemp("uninterrupted"))
    for registry in (ACTIVATIONS, TASKS):
        registry.populate()
    before = [(registry, dict(registry.entries), dict(registry.aliases)) for registry in (ACTIVATIONS, TASKS)]
    given = {"seeds": 4, "out": ground.results, "engine": "inline", "cost": False}
    afbench.run("crash", "relu,tanh,prelu", plugins=[ground.folder / "plugin.py"], **given)
    for registry, entries, aliases in before:
        registry.entries, registry.aliases = entries, aliases
    assert len(ground.metrics()) == 12
    return ground.metrics()


@pytest.mark.parametrize(
    ("sent", "expected"),
    [pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow), (signal.SIGKILL, -9)],
    ids=["Ctrl-C", "kill -9"],
)
def test_an_interrupted_run_keeps_what_is_done_leaves_no_process_and_resumes_to_the_same_bits(
    ground: Ground, uninterrupted: dict[str, Any], sent: signal.Signals, expected: int
) -> None:
    ground.hold.touch()
    run = ground.start("--jobs", "1")
    assert wait_until(lambda: ground.pids("held"))
    if sent is signal.SIGINT:
        os.killpg(run.pid, sent)
    else:
        run.send_signal(sent)
    code, _, err = finish(run)
    assert code == expected
    assert wait_until(lambda: not any(map(alive, ground.pids("processes"))), seconds=2)
    assert "Traceback" not in err
    kept = ground.metrics()
    assert 3 <= len(kept) < 12
    assert kept.items() <= uninterrupted.items()
    if sent is signal.SIGINT:
        assert f"interrupted: {len(kept)} trials are in results, {12 - len(kept)} are left" in err

    ground.hold.unlink()
    resume = ("--jobs", "2") if sent is signal.SIGINT else ("--engine", "inline")  # starts without workers
    code, out, err = ground.run(*resume)
    assert code == 0, err
    assert f"done: 12 of 12 trials ok ({12 - len(kept)} new), 0 failed" in out
    assert ground.metrics() == uninterrupted


@pytest.mark.slow
def test_a_killed_worker_is_a_lost_row_that_the_next_run_repeats(ground: Ground, uninterrupted: dict[str, Any]) -> None:
    ground.hold.touch()
    run = ground.start("--jobs", "1")
    assert wait_until(lambda: ground.pids("held"))
    os.kill(ground.pids("held")[0], signal.SIGKILL)
    ground.hold.unlink()
    code, out, _ = finish(run)
    assert code == 1
    assert "done: 11 of 12 trials ok (12 new), 1 failed" in out
    [lost] = [record for record in ground.records() if record.status is not Status.OK]
    assert lost.status is Status.LOST
    assert f"failed  {lost.trial}: lost: its process died (signal 9, SIGKILL)" in out

    code, out, err = ground.run("--engine", "inline")
    assert code == 0, err
    assert "done: 12 of 12 trials ok (1 new), 0 failed" in out
    assert ground.metrics() == uninterrupted
    assert {record.attempt for record in ground.records() if record.key == lost.key} == {2}


@pytest.mark.slow
def test_an_activation_that_takes_its_process_down_is_a_lost_row_and_the_others_are_fine(
    ground: Ground, uninterrupted: dict[str, Any]
) -> None:
    code, out, _ = ground.run("--jobs", "1", acts="quits,tanh", seeds=1)
    assert code == 1
    assert "failed  quits seed 0: lost: its process died (exit code 7)" in out
    found = {record.trial.activation: record for record in ground.records()}
    assert {name: record.status for name, record in found.items()} == {"quits": "lost", "relu": "ok", "tanh": "ok"}
    for name in ("relu", "tanh"):
        assert found[name].metrics == uninterrupted[found[name].key]


@pytest.mark.slow
def test_two_runs_at_once_into_one_folder_do_no_harm(ground: Ground, uninterrupted: dict[str, Any]) -> None:
    ground.hold.touch()
    runs = [ground.start("--jobs", "1") for _ in range(2)]
    assert wait_until(lambda: len(ground.pids("held")) == 2)
    ground.hold.unlink()
    for run in runs:
        code, _, err = finish(run)
        assert code == 0, err
        assert "warning" not in err
    assert ground.metrics() == uninterrupted
    assert not list(ground.results.rglob("*.tmp"))
