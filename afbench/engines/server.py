"""The server of the process engine: it pays for the imports once, then forks a fresh process for every item.

What an item changes in its process (torch's default dtype, a patched function, a thread) ends with that process. The
next process is forked from the server, which runs no user's code after its set-up. Forking copies one thread alone, so
that it is safe in a process with one thread: ``unfit`` checks that. Where it is not, each item gets a process from
scratch. There is one keeper (``keeper.py``) for each job.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from .. import errors
from .keeper import fork, keep
from .outcome import Setup

CANARY = 60.0
"""Seconds that a first fork may take to show that it can compute."""


def serve(pipes: Sequence[Any], work: Callable[[Any], Any], setup: Setup) -> None:
    """Set up, then keep one item at a time for each pipe, until the pipes close."""
    settle()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a team of threads would not survive the fork
    try:
        setup()
        why = unfit()
    except errors.AfbenchError as error:
        known = type(error) if type(error).__module__ == errors.__name__ else errors.AfbenchError
        for pipe in pipes:
            pipe.send((known, str(error)))
        return
    torch.set_num_threads(threads)
    if why:
        for pipe in pipes:
            pipe.send(("unfit", why))
        return
    gc.collect()
    gc.freeze()  # the collector of a fork leaves what it shares with the server untouched
    others: set[int] = set()
    for place, pipe in enumerate(pipes[1:], start=1):
        pid = fork()
        if pid == 0:
            for index, other in enumerate(pipes):
                if index != place:
                    other.close()
            keep(pipe, work, set())
        others.add(pid)
        pipe.close()
    keep(pipes[0], work, others)


def settle() -> None:
    """Leave the terminal to the parent: Ctrl-C reaches the whole group, and the parent decides; no input is read."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    with contextlib.suppress(OSError):
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        if nothing != 0:
            os.close(nothing)


def unfit() -> str:
    """Return why this process must not fork workers; empty if it may."""
    if sys.platform != "linux":
        return "this system has no safe fork"
    pid = fork()  # numpy's OpenBLAS ends its threads at a fork, so that they are counted after one
    if pid == 0:
        sing()
    end = time.monotonic() + CANARY
    while (ended := os.waitpid(pid, os.WNOHANG)) == (0, 0):
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return "a forked process cannot compute"
        time.sleep(0.002)
    if ended[1]:
        return f"a forked process cannot compute ({ending(os.waitstatus_to_exitcode(ended[1]))})"
    names = [repr(thread.name) for thread in threading.enumerate() if thread is not threading.main_thread()]
    native = len(os.listdir("/proc/self/task")) - 1
    if names or native > 0:
        return (
            f"loading it started {'the threads ' + ', '.join(names) if names else f'{native} threads of compiled code'}"
        )
    return ""


def sing() -> None:
    """Be the first fork: compute in threads and backward, and end with 0 if that works."""
    code = 3
    try:
        torch.set_num_threads(2)
        weight = torch.ones(100_000, requires_grad=True)
        weight.exp().sum().backward()
        bad = getattr(torch.cuda, "_is_in_bad_fork", lambda: False)()
        code = 4 if bad and torch.cuda.device_count() else 0  # asking for a GPU is harmless where there is none
    finally:
        os._exit(code)


def ending(code: int | None) -> str:
    """Say how a process ended."""
    if code is not None and code < 0:
        try:
            return f"signal {-code}, {signal.Signals(-code).name}"
        except ValueError:  # a real-time signal has no name
            return f"signal {-code}"
    return f"exit code {code}"


@contextlib.contextmanager
def main_hidden() -> Iterator[None]:
    """Hide the calling script while a process starts.

    Else the child would run it again: without ``if __name__ == "__main__":`` it would start a run of its own. What a
    child needs of the script's file, ``Setup`` loads by name.
    """
    before = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = before


@contextlib.contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Hold Ctrl-C back in this thread while a process starts.

    The child inherits the mask: Ctrl-C, which reaches it too, would end it with a traceback before it can ignore it.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # starting it lifts the mask, so that it comes first
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
