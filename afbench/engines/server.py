"""The server of the process engine: it pays for the imports once, then forks a fresh process for every item.

What an item does to its process (torch's default dtype, a patched function, a thread) ends with that process; the
next is forked from the server, which runs no user's code after its set-up. Forking copies the memory of one thread
only, so that it is safe while there is one: ``unfit`` looks, and elsewhere each item gets a process from scratch.

There is one keeper for each job. It forks the worker, relays what it answers, and ends everything it started:
orphans of a worker become children of its keeper (Linux: ``PR_SET_CHILD_SUBREAPER``), which kills them.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import pickle
import select
import signal
import sys
import threading
import time
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from .. import errors
from ..errors import one_line
from .ambient import pinned
from .outcome import Failure, Setup

KILL, STOP = b"kill", b"stop"
"""What the parent says beside items: end the item at hand; end altogether."""
LARGEST = 64 * 2**20
"""Bytes of an answer at most. A record and its arrays have some hundred kilobytes."""
STOPPED_FOR = 10.0
"""Seconds after which a worker that was stopped (SIGSTOP) is given up."""
CANARY = 60.0
"""Seconds that a first fork may take to show that it can compute."""
PDEATHSIG, SUBREAPER = 1, 36
"""Options of Linux's prctl."""


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
    """Say why this process must not fork workers, or return an empty text."""
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
            return "a forked process does not compute"
        time.sleep(0.002)
    if ended[1]:
        return f"a forked process does not compute ({ending(os.waitstatus_to_exitcode(ended[1]))})"
    names = [repr(thread.name) for thread in threading.enumerate() if thread is not threading.main_thread()]
    native = len(os.listdir("/proc/self/task")) - 1
    if names or native > 0:
        return f"loading it started {', '.join(names) or f'{native} threads of compiled code'}"
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


def fork() -> int:
    """Fork; what is still to be printed is printed once."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 on: about threads, which unfit() counts
        return os.fork()


def prctl(option: int, value: int) -> None:
    """Set an attribute of this process, where the system has it."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def keep(pipe: Any, work: Callable[[Any], Any], others: set[int]) -> None:
    """Keep items until the parent says so or has ended; does not return."""
    try:
        prctl(SUBREAPER, 1)
        waker, wakes = os.pipe()
        for end in (waker, wakes):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        pipe.send("ready")
        while True:
            message = pipe.recv_bytes()
            if message == STOP:
                break
            if message != KILL:  # of an item that has just ended
                pipe.send(Keeping(pipe, (waker, wakes), others).item(work, message))
    except (EOFError, OSError):  # the parent has ended
        pass
    finally:
        os._exit(0)


class Keeping:
    """One worker in the hands of its keeper."""

    def __init__(self, pipe: Any, waking: tuple[int, int], others: set[int]) -> None:
        """Keep it for the parent at the other end of a pipe; ``others`` are children that are no worker's."""
        self.pipe, self.waking, self.others = pipe, waking, others
        self.token, self.answer = os.urandom(16), bytearray()

    def item(self, work: Callable[[Any], Any], item: bytes) -> tuple[str, Any]:
        """Fork a worker for an item; returns ``("answer", bytes)``, or how it ended without one."""
        reader, writer = os.pipe()
        pid = fork()
        if pid == 0:
            for end in (reader, *self.waking, self.pipe.fileno()):
                os.close(end)
            carry_out(work, item, writer, self.token)
        os.close(writer)
        os.set_blocking(reader, False)
        try:
            ended = self.watch(pid, reader)
        finally:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
            self.clear(pid)
            self.read(reader)
            os.close(reader)
        found = unwrap(self.answer, self.token)
        return ("answer", found) if found is not None else ended

    def watch(self, pid: int, reader: int) -> tuple[str, Any]:
        """Wait until the worker has ended or has to; takes its answer in."""
        since: float | None = None  # when it was stopped
        listening = [self.pipe, self.waking[0], reader]
        while True:
            ready = select.select(listening, [], [], 1.0 if since is not None else None)[0]
            if self.waking[0] in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self.waking[0], 4096)
            if reader in ready and not self.read(reader):
                listening.remove(reader)
            if len(self.answer) > LARGEST:
                return "large", None
            if self.pipe in ready:
                if self.pipe.recv_bytes() == STOP:
                    raise EOFError
                return "killed", None
            done, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
            if done and os.WIFSTOPPED(status):
                since = time.monotonic()
            elif done and os.WIFCONTINUED(status):
                since = None
            elif done:
                return "ended", os.waitstatus_to_exitcode(status)
            elif since is not None and time.monotonic() - since > STOPPED_FOR:
                return "stopped", None

    def read(self, reader: int) -> bool:
        """Take in what there is of the answer; returns whether there may be more."""
        with contextlib.suppress(BlockingIOError):
            while len(self.answer) <= LARGEST:
                piece = os.read(reader, 2**20)
                if not piece:
                    return False
                self.answer += piece
        return True

    def clear(self, pid: int) -> None:
        """End whatever the worker started and left behind, and wait for its end."""
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
        end = time.monotonic() + 5.0
        while (left := children() - self.others) and time.monotonic() < end:
            for child in left:
                with contextlib.suppress(OSError):
                    os.kill(child, signal.SIGKILL)
            for child in left:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(child, os.WNOHANG)
            time.sleep(0.001)


def children() -> set[int]:
    """List this process's children, those that have ended and were not waited for included."""
    own, found = os.getpid(), set()
    try:
        for task in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{task}/children", encoding="ascii") as file:
                found |= set(map(int, file.read().split()))
        return found
    except OSError:  # a kernel without this list: look at every process
        pass
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, ValueError), open(f"/proc/{name}/stat", encoding="ascii") as file:
            if int(file.read().rpartition(")")[2].split()[1]) == own:
                found.add(int(name))
    return found


def carry_out(work: Callable[[Any], Any], item: bytes, writer: int, token: bytes) -> None:
    """Be the worker: work, write the answer, end. Threads and exit handlers of the item end with it."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        keeper = os.getppid()
        prctl(PDEATHSIG, signal.SIGKILL)
        os.setsid()
        if os.getppid() == keeper:
            answer = token + pack(work, item)
            view = memoryview(answer)
            while view:
                view = view[os.write(writer, view) :]
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(BaseException):
                stream.flush()
        os._exit(0)


def pack(work: Callable[[Any], Any], item: bytes) -> bytes:
    """Work on an item; returns the length of what came out, and that.

    The ambient state is pinned and never put back: this process ends with the item, which may have broken torch.
    """
    pin = pinned()
    try:
        pin.__enter__()
        result = work(pickle.loads(item))
    except BaseException as error:
        result = Failure("error", one_line(error))
    try:
        answer = pickle.dumps(result)
    except BaseException as error:
        answer = pickle.dumps(Failure("error", f"its result cannot be sent: {one_line(error)}"))
    if len(answer) > LARGEST - 64:
        size = f"{len(answer) / 2**20:,.0f} MiB, more than {LARGEST // 2**20}"
        answer = pickle.dumps(Failure("error", f"its result is too large ({size})"))
    return len(answer).to_bytes(8, "big") + answer


def unwrap(answer: bytes | bytearray, token: bytes) -> bytes | None:
    """Find the answer in what a worker wrote; what its code wrote around it is left out."""
    start = answer.find(token)
    if start < 0:
        return None
    start += len(token) + 8
    length = int.from_bytes(answer[start - 8 : start], "big")
    found = bytes(answer[start : start + length])
    return found if len(found) == length else None


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
