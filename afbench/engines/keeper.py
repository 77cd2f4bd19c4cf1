"""The keeper of the process engine: it forks a worker for each item, relays its answer, and ends all that it started.

Orphans of a worker become children of its keeper (Linux: ``PR_SET_CHILD_SUBREAPER``), which kills them.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pickle
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

from ..errors import one_line
from .ambient import pinned
from .outcome import Failure

KILL, STOP = b"kill", b"stop"
"""Messages of the parent, apart from items: end the current item; end the keeper."""
LARGEST = 64 * 2**20
"""Bytes of an answer at most. A record and its arrays have some hundred kilobytes."""
STOPPED_FOR = 10.0
"""Seconds after which a worker that was stopped (SIGSTOP) is given up."""
PDEATHSIG, SUBREAPER = 1, 36
"""Options of Linux's prctl."""


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
            be_worker(work, item, writer, self.token)
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
        answer = unwrap(self.answer, self.token)
        return ("answer", answer) if answer is not None else ended

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
        """Read what has arrived of the answer; returns whether more may come."""
        with contextlib.suppress(BlockingIOError):
            while len(self.answer) <= LARGEST:
                piece = os.read(reader, 2**20)
                if not piece:
                    return False
                self.answer += piece
        return True

    def clear(self, pid: int) -> None:
        """End all processes that the worker started, and wait for their end."""
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
    own, pids = os.getpid(), set()
    try:
        for task in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{task}/children", encoding="ascii") as file:
                pids |= set(map(int, file.read().split()))
        return pids
    except OSError:  # a kernel without this list: look at every process
        pass
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, ValueError), open(f"/proc/{name}/stat", encoding="ascii") as file:
            if int(file.read().rpartition(")")[2].split()[1]) == own:
                pids.add(int(name))
    return pids


def be_worker(work: Callable[[Any], Any], item: bytes, writer: int, token: bytes) -> None:
    """Be the worker: work, write the answer, and end, without waiting for threads or exit handlers of the item."""
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
    """Work on an item; returns the length of the pickled result, then the pickled result.

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
    """Find the answer in what a worker wrote, among what its own code may have written."""
    start = answer.find(token)
    if start < 0:
        return None
    start += len(token) + 8
    length = int.from_bytes(answer[start - 8 : start], "big")
    content = bytes(answer[start : start + length])
    return content if len(content) == length else None


def fork() -> int:
    """Fork, with all output flushed before, so that nothing is printed twice."""
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
