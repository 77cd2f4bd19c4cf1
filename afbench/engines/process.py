"""The process engine: a few processes that are reused, so that each pays for its imports once.

Python's own pools end as a whole when one process dies, which is what a benchmark of other people's code has to
survive; so this one keeps a pipe to each process, replaces one that dies, and reports the item it held.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from multiprocessing import resource_tracker
from typing import Any, TypeVar

from ..errors import AfbenchError
from .outcome import Failure, Setup

Item = TypeVar("Item")
Result = TypeVar("Result")

# Not fork: torch's threads and a CUDA context do not survive it.
context = multiprocessing.get_context("spawn")


class Worker:
    """One process, the pipe to it, and the item it works on."""

    def __init__(self, work: Callable[[Any], Any], setup: Setup) -> None:
        """Start the process."""
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, work, setup), daemon=True)
        with interrupts_held_back():
            self.process.start()
        theirs.close()
        self.item: Any = None
        self.ready = False
        self.since = time.monotonic()

    def give(self, item: Any) -> None:
        """Send an item; a process that is already dead is noticed when it is waited for."""
        self.item, self.since = item, time.monotonic()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.pipe.send(item)

    def stop(self) -> None:
        """End the process, whatever it does, and wait for its end."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


@contextlib.contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Hold Ctrl-C back in this thread while a process starts.

    The child inherits the mask: Ctrl-C, which reaches it too, would end it with a traceback before it can ignore it.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # starting it lifts the mask, so that it comes first
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def serve(pipe: Any, work: Callable[[Any], Any], setup: Setup) -> None:
    """Work in a child process until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    threading.Thread(target=follow_parent, daemon=True).start()
    try:
        setup()
    except AfbenchError as error:
        pipe.send(error)
        return
    pipe.send("ready")
    while True:
        try:
            item = pipe.recv()
        except EOFError:
            return
        pipe.send((work(item),))


def follow_parent() -> None:
    """End this process as soon as its parent has ended, even by kill -9: no worker is left behind."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def process(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    jobs: int = 1,
    setup: Setup | None = None,
    timeout: float | None = None,
) -> Generator[tuple[Item, Result | Failure]]:
    """Run items in ``jobs`` processes; yields each with its result, as they finish.

    An item whose process dies, or that takes longer than ``timeout`` seconds, yields a Failure; the run goes on.
    """
    waiting = list(items)[::-1]
    setup = setup or Setup()
    workers = [Worker(work, setup) for _ in range(min(jobs, len(waiting)))]
    try:
        while workers:
            handles: dict[Any, Worker] = {w.pipe: w for w in workers}
            handles |= {w.process.sentinel: w for w in workers}
            found = multiprocessing.connection.wait(list(handles), patience(workers, timeout))
            for worker in {id(handles[h]): handles[h] for h in found}.values():
                yield from listen(worker, waiting, workers, work, setup)
            for worker in [w for w in workers if overdue(w, timeout)]:
                item = worker.item
                replace(worker, workers, waiting, work, setup)
                yield item, Failure("timeout", f"took longer than {timeout:g} s")
    finally:
        for worker in workers:
            worker.stop()


def listen(
    worker: Worker, waiting: list[Any], workers: list[Worker], work: Callable[[Any], Any], setup: Setup
) -> Iterator[tuple[Any, Any]]:
    """Take what a worker says, or notice that it died; then give it the next item, or let it go."""
    try:
        said = worker.pipe.recv() if worker.pipe.poll() else None
    except (EOFError, OSError):  # ended before, or in the middle of, what it had to say
        said = None
    if isinstance(said, AfbenchError):
        raise said
    if said is None:
        worker.process.join()
        if not worker.ready:
            raise AfbenchError(f"a worker process ended before it was ready ({ending(worker.process.exitcode)})")
        item = worker.item
        replace(worker, workers, waiting, work, setup)
        if item is not None:
            yield item, Failure("lost", f"its process died ({ending(worker.process.exitcode)})")
        return
    item, worker.item, worker.ready = worker.item, None, True
    if waiting:
        worker.give(waiting.pop())
    else:
        workers.remove(worker)
        worker.stop()
    if said != "ready":
        yield item, said[0]


def replace(
    worker: Worker, workers: list[Worker], waiting: list[Any], work: Callable[[Any], Any], setup: Setup
) -> None:
    """End a worker and, if there is work left, start another in its place."""
    workers.remove(worker)
    worker.stop()
    if len(waiting) > sum(w.item is None for w in workers):
        workers.append(Worker(work, setup))


def overdue(worker: Worker, timeout: float | None) -> bool:
    """Tell whether a worker's item has used up its time."""
    return timeout is not None and worker.item is not None and time.monotonic() - worker.since > timeout


def patience(workers: list[Worker], timeout: float | None) -> float | None:
    """Return how long to wait until the first item can be overdue."""
    ends = [w.since + timeout for w in workers if w.item is not None] if timeout is not None else []
    # No longer than an hour at a time: the system's own wait takes no more than some weeks.
    return min(max(0.0, min(ends) - time.monotonic()) + 0.01, 3600.0) if ends else None


def ending(code: int | None) -> str:
    """Say how a process ended."""
    if code is not None and code < 0:
        return f"signal {-code}, {signal.Signals(-code).name}"
    return f"exit code {code}"
