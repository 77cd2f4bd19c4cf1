"""The process engine: results arrive, and a process that dies or hangs costs its own item and no other.

The work is ``operator.call``: an item is any function of the standard library with its arguments, so that a worker
finds it without a module of ours. Starting a worker takes seconds, so that one run serves several tests.
"""

import multiprocessing
import operator
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from afbench.engines import Failure, Setup
from afbench.engines.outcome import SlowStart
from afbench.engines.process import process
from afbench.errors import AfbenchError, UsageError

KILL_ITSELF = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
ANSWER = partial(pow, 2, 10)
# A pipe holds 64 KiB: a keeper that is stopped takes no more, so that the worker dies in the middle of sending.
DIE_WHILE_SENDING = """
import os, signal, subprocess, threading
subprocess.Popen(['sh', '-c', f'sleep 1; kill -CONT {os.getppid()}'], start_new_session=True)
threading.Timer(0.5, os._exit, [9]).start()
os.kill(os.getppid(), signal.SIGSTOP)
"""


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat")
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def wait_until(true: Any, seconds: float) -> bool:
    """Wait for something to become true, for so long at most."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(true())


# One run with every mishap in it

MISHAPS = {
    "first": ANSWER,
    "exits": partial(os._exit, 123),
    "is killed": partial(exec, KILL_ITSELF),
    "hangs": partial(time.sleep, 600),
    "dies while it sends": partial(eval, f"(exec({DIE_WHILE_SENDING!r}), '.' * 10**7)[1]"),
    "last": partial(str.upper, "done"),
}


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Any]:
    """What came out of a run with every mishap, by name."""
    names = {id(item): name for name, item in MISHAPS.items()}
    yielded = process(operator.call, MISHAPS.values(), jobs=2, timeout=3.0)
    return {names[id(item)]: outcome for item, outcome in yielded}


def test_every_item_has_one_outcome(outcomes: dict[str, Any]) -> None:
    assert outcomes.keys() == MISHAPS.keys()


def test_the_items_before_and_after_a_mishap_are_done(outcomes: dict[str, Any]) -> None:
    assert outcomes["first"] == 1024
    assert outcomes["last"] == "DONE"


def test_a_process_that_exits_is_lost_with_its_exit_code(outcomes: dict[str, Any]) -> None:
    assert outcomes["exits"] == Failure("lost", "its process died (exit code 123)")


def test_a_process_that_is_killed_is_lost_with_the_signals_name(outcomes: dict[str, Any]) -> None:
    assert outcomes["is killed"] == Failure("lost", "its process died (signal 9, SIGKILL)")


def test_an_item_that_hangs_runs_out_of_time(outcomes: dict[str, Any]) -> None:
    assert outcomes["hangs"] == Failure("timeout", "took longer than 3 s")


def test_a_worker_killed_in_the_middle_of_sending_its_result_is_lost(outcomes: dict[str, Any]) -> None:
    assert outcomes["dies while it sends"] == Failure("lost", "its process died (exit code 9)")


# One run with none

LOOK = partial(eval, "(__import__('sys').plugin_was_here, __import__('sys').path)")
INTERRUPT_ITSELF = partial(exec, "import os, signal; os.kill(os.getpid(), signal.SIGINT)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a plugin."""
    made = tmp_path_factory.mktemp("code")
    (made / "plugin.py").write_text("import sys; sys.plugin_was_here = True")
    return made


class InterruptsAtStart:
    """Something in a worker's setup that sends it SIGINT while it is still being read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (eval, ("(__import__('os').kill(__import__('os').getpid(), 2), 'nowhere')[1]",))


@pytest.fixture(scope="module")
def results(folder: Path) -> list[Any]:
    """What one worker gave for one item after another."""
    setup = Setup(plugins=(str(folder / "plugin.py"),), path=(str(folder), InterruptsAtStart()))  # type: ignore[arg-type]
    items = [os.getpid, LOOK, INTERRUPT_ITSELF, os.getpid]
    return [result for _, result in process(operator.call, items, jobs=1, setup=setup)]


def test_every_item_has_a_process_of_its_own(results: list[Any]) -> None:
    assert len({results[0], results[3], os.getpid()}) == 3


def test_workers_have_the_plugins_and_the_path(results: list[Any], folder: Path) -> None:
    plugin, path = results[1]
    assert plugin is True
    assert str(folder) in path


def test_an_interrupt_while_a_worker_starts_is_left_to_the_parent(results: list[Any]) -> None:
    # Ctrl-C reaches every process of the terminal; a worker that heard it while it starts would print a traceback.
    assert len(results) == 4
    assert "nowhere" in results[1][1]


def test_an_interrupt_while_a_worker_works_is_left_to_the_parent(results: list[Any]) -> None:
    assert results[2] is None


# Runs of their own


def test_nothing_in_is_nothing_out() -> None:
    assert list(process(abs, [], jobs=2)) == []


def test_no_more_processes_are_started_than_there_are_items_and_closing_ends_them() -> None:
    outcomes = process(operator.call, [os.getpid, partial(time.sleep, 600)], jobs=50)
    _, pid = next(outcomes)
    workers = multiprocessing.active_children()
    assert len(workers) <= 2
    outcomes.close()
    assert not alive(pid)
    assert not any(worker.is_alive() for worker in workers)


@pytest.mark.parametrize(
    ("plugin", "kind", "reason"),
    [
        ("1 / 0", UsageError, "plugin.py failed: ZeroDivisionError"),
        ("import os; os._exit(3)", AfbenchError, "before it was ready .exit code 3"),
    ],
)
def test_a_setup_that_fails_ends_the_run_with_the_reason(
    tmp_path: Path, plugin: str, kind: type[AfbenchError], reason: str
) -> None:
    (tmp_path / "plugin.py").write_text(plugin)
    with pytest.raises(kind, match=reason):
        list(process(operator.call, [ANSWER], setup=Setup(plugins=(str(tmp_path / "plugin.py"),))))


def test_an_activation_that_only_this_session_knows_is_a_fault_of_the_set_up() -> None:
    with pytest.raises(UsageError, match="cannot find activation 'mine' .*Move it to a file"):
        Setup(activations=("relu", "mine"))()


@pytest.mark.slow
def test_code_that_starts_a_thread_when_it_is_loaded_gets_a_process_from_scratch_for_each_item(tmp_path: Path) -> None:
    plugin = tmp_path / "plugin.py"
    plugin.write_text("import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()")
    with pytest.warns(
        SlowStart, match="loading it started the threads 'Thread-1 .* so each trial starts a new process"
    ):
        outcomes = list(process(operator.call, [os.getpid] * 2, setup=Setup(plugins=(str(plugin),))))
    assert len({pid for _, pid in outcomes} | {os.getpid()}) == 3


WORK_FOR_EVER = """
import operator, sys
from functools import partial
from afbench.engines.process import process

code = f"import os, pathlib; pathlib.Path({sys.argv[1]!r}, str(os.getpid())).touch()\\nwhile True: pass"
list(process(operator.call, [partial(exec, code)]))
"""


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_killing_the_parent_leaves_no_worker_behind(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WORK_FOR_EVER, str(tmp_path)], stderr=subprocess.DEVNULL) as parent:
        try:
            assert wait_until(lambda: list(tmp_path.iterdir()), seconds=60)
        finally:
            parent.send_signal(signal.SIGKILL)
    worker = int(next(tmp_path.iterdir()).name)
    ended = wait_until(lambda: not alive(worker), seconds=2)
    if not ended:
        os.kill(worker, signal.SIGKILL)
    assert ended
