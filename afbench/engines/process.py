"""The process engine: every item in a fresh process, forked from one that has paid for the imports.

Python's own pools end when one process dies, use a process for many items, or import a script again in each. A
benchmark of other people's code must survive a crash of that code and keep nothing of what it changed. This engine
talks to keepers (``keeper.py``), one for each job. A keeper forks a worker for each item and reports how it ended.
Where forking is not safe, each item gets a process from scratch: as separate, and a few seconds slower.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import pickle
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, TypeVar

from ..errors import AfbenchError, one_line
from .keeper import KILL, STOP, pack
from .outcome import Failure, Setup, SlowStart
from .server import ending, interrupts_held_back, main_hidden, serve, settle

Item = TypeVar("Item")
Result = TypeVar("Result")

# The server itself is not forked: torch's threads and a CUDA context do not survive it.
context = multiprocessing.get_context("spawn")

GRACE = 10.0
"""Seconds that a process has to end."""


class Worker:
    """Works on one item at a time for the parent: a keeper, or a process from scratch for a single item."""

    def __init__(self, pipe: Any, process: Any, *, single: bool = False) -> None:
        """Talk to it through a pipe; ``process`` is what was started for it."""
        self.pipe, self.process, self.single = pipe, process, single
        self.item: Any = None
        self.ready = self.expired = False
        self.since = time.monotonic()

    def give(self, item: Any) -> None:
        """Send an item; the death of a process is noticed by whoever waits for it."""
        self.item, self.expired, self.since = item, False, time.monotonic()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.pipe.send(item)

    def expire(self) -> None:
        """End the item: its time is up."""
        self.expired, self.since = True, time.monotonic()
        if self.single:
            self.process.kill()
            return
        with contextlib.suppress(OSError):
            self.pipe.send_bytes(KILL)

    def stop(self) -> None:
        """End it and what it works on, and wait for its end."""
        if self.single or not self.ready:  # not ready: there is no worker yet that a keeper has to end
            self.process.kill()
        with contextlib.suppress(OSError, EOFError):
            self.pipe.send_bytes(STOP)
            end = time.monotonic() + GRACE
            while self.pipe.poll(max(0.0, end - time.monotonic())):
                self.pipe.recv_bytes()
            self.process.kill()  # it has not heard in all that time
        self.pipe.close()
        if self.single:
            self.process.join()


class Crew:
    """The workers of a run, and how more of them are started."""

    def __init__(self, work: Callable[[Any], Any], setup: Setup, timeout: float | None) -> None:
        """Make an empty one."""
        self.work, self.setup, self.timeout = work, setup, timeout
        self.workers: list[Worker] = []
        self.processes: list[Any] = []
        self.forks = True

    def start(self, count: int) -> None:
        """Start workers: one server with a keeper for each, or processes from scratch."""
        pairs = [context.Pipe() for _ in range(count)]
        groups = [pairs] if self.forks else [[pair] for pair in pairs]
        for group in groups:
            theirs = [pair[1] for pair in group]
            target: Any = serve if self.forks else serve_one
            process = context.Process(target=target, args=(theirs, self.work, self.setup), daemon=True)
            with interrupts_held_back(), main_hidden():
                process.start()
            self.processes.append(process)
            self.workers += [Worker(ours, process, single=not self.forks) for ours, _ in group]
            for pipe in theirs:
                pipe.close()

    def drop(self, worker: Worker, waiting: int) -> None:
        """End a worker; start another in its place if an item waits and no worker is free."""
        self.workers.remove(worker)
        worker.stop()
        if waiting > sum(w.item is None for w in self.workers):
            self.start(1)

    def fork_no_more(self, worker: Worker, why: str) -> None:
        """Replace the keepers of a server by as many processes from scratch."""
        if self.forks:
            warnings.warn(
                f"{why}, so each trial starts a new process, which takes some seconds more", SlowStart, stacklevel=2
            )
        self.forks = False
        unfit = [w for w in self.workers if w.process is worker.process]
        for replaced in unfit:
            self.workers.remove(replaced)
            replaced.stop()
        self.start(len(unfit))

    def close(self) -> None:
        """End all that was started, and wait for its end."""
        for worker in self.workers:
            worker.stop()
        self.workers = []
        for process in self.processes:
            process.join(GRACE)
            if process.is_alive():
                process.kill()
                process.join()
        self.processes = []


def process(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    jobs: int = 1,
    setup: Setup | None = None,
    timeout: float | None = None,
) -> Generator[tuple[Item, Result | Failure]]:
    """Run each item in a process of its own, ``jobs`` at a time; yields each with its result, as they finish.

    An item whose process dies, or that takes longer than ``timeout`` seconds, yields a Failure; the run goes on.

    Raises:
        AfbenchError: if the set-up fails; no item has run then.
    """
    waiting = list(items)[::-1]
    if not waiting:
        return
    crew = Crew(work, setup or Setup(), timeout)
    try:
        crew.start(min(jobs, len(waiting)))
        while crew.workers:
            pipes = {w.pipe: w for w in crew.workers}
            ready: Any = multiprocessing.connection.wait(list(pipes), patience(crew.workers, timeout))
            for worker in [pipes[pipe] for pipe in ready]:
                if worker in crew.workers:
                    yield from hear(worker, waiting, crew)
            for worker in crew.workers[:]:
                if worker.expired and time.monotonic() - worker.since > GRACE:  # its keeper hears nothing
                    item = worker.item
                    crew.drop(worker, len(waiting))
                    yield item, late(timeout)
                elif overdue(worker, timeout):
                    worker.expire()
    finally:
        crew.close()


def hear(worker: Worker, waiting: list[Any], crew: Crew) -> Iterator[tuple[Any, Any]]:
    """Receive a message of a worker, or notice that it died; then give it the next item, or end it."""
    try:
        message = worker.pipe.recv()
    except Exception:  # it ended before its message, or in the middle of it
        message = "gone", None
    if message == "ready":
        worker.ready = True
        worker.give(waiting.pop()) if waiting else crew.drop(worker, 0)
        return
    kind, content = message
    if not worker.ready:
        if kind == "unfit":
            crew.fork_no_more(worker, content)
            return
        if kind != "gone":
            raise kind(content)
        worker.process.join(GRACE)
        raise AfbenchError(f"a worker process ended before it was ready ({ending(worker.process.exitcode)})")
    item, worker.item = worker.item, None
    outcome = received(kind, content, worker, crew.timeout)
    if kind == "gone" or worker.single:
        crew.drop(worker, len(waiting))
    elif waiting:
        worker.give(waiting.pop())
    else:
        crew.drop(worker, 0)
    yield item, outcome


def received(kind: str, content: Any, worker: Worker, timeout: float | None) -> Any:
    """Make the outcome of an item from the message of its worker."""
    if kind == "answer":
        try:
            return pickle.loads(content)
        except BaseException as error:
            if issubclass(type(error), KeyboardInterrupt):
                raise
            return Failure("error", f"its result cannot be read: {one_line(error)}")
    if worker.expired:
        return late(timeout)
    if kind == "stopped":
        return Failure("lost", "its process was stopped (SIGSTOP)")
    if kind == "large":
        return Failure("error", "its result is too large")
    if kind == "gone" and worker.single:
        worker.process.join(GRACE)
        content = worker.process.exitcode
    elif kind == "gone":
        return Failure("lost", "its process died, and so did the process that started it")
    return Failure("lost", f"its process died ({ending(content)})")


def late(timeout: float | None) -> Failure:
    """Return the failure of an item whose time is up."""
    return Failure("timeout", f"took longer than {timeout:g} s")


def overdue(worker: Worker, timeout: float | None) -> bool:
    """Tell whether a worker's item has used up its time."""
    waits = timeout is not None and worker.item is not None and not worker.expired
    return waits and time.monotonic() - worker.since > timeout  # type: ignore[operator]


def patience(workers: list[Worker], timeout: float | None) -> float | None:
    """Return how long to wait until the first item can be overdue."""
    if timeout is None:
        return None
    ends = [w.since + (GRACE if w.expired else timeout) for w in workers if w.item is not None]
    # No longer than an hour at a time: the system's own wait takes no more than some weeks.
    return min(max(0.0, min(ends) - time.monotonic()) + 0.01, 3600.0) if ends else None


def serve_one(pipes: list[Any], work: Callable[[Any], Any], setup: Setup) -> None:
    """Be a process from scratch: set up, work on one item, answer."""
    [pipe] = pipes
    settle()
    threading.Thread(target=follow_parent, daemon=True).start()
    try:
        setup()
    except AfbenchError as error:
        pipe.send((AfbenchError, str(error)))
        return
    pipe.send("ready")
    with contextlib.suppress(EOFError):
        item = pipe.recv_bytes()
        if item != STOP:
            pipe.send(("answer", pack(work, item)[8:]))
    os._exit(0)


def follow_parent() -> None:
    """End this process as soon as its parent has ended, even by kill -9: no worker is left behind."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
