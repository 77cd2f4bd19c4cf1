"""Signals: SIGTERM ends a run as Ctrl-C does, so that finished work is kept and reported."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_heard: list[int] | None = None
"""The signals that came since ``terminable`` listens; None while it does not."""


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM end a run as Ctrl-C does, where signals can be caught; note the signals (see ``interrupted``)."""
    global _heard
    heard: list[int] = []

    def interrupt(number: int, frame: Any) -> None:
        heard.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    own = [] if os.name == "nt" else [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        own.append(signal.SIGINT)
        _heard = heard
    before = {number: signal.signal(number, interrupt) for number in own}
    try:
        yield
    finally:
        _heard = None
        for number, handler in before.items():
            signal.signal(number, handler)


def interrupted() -> bool:
    """Tell whether a KeyboardInterrupt comes from the user: an activation or a task may raise one itself.

    Workers ignore Ctrl-C, and a run notes it; anywhere else the answer is yes.
    """
    if _heard is not None:
        return bool(_heard)
    return signal.getsignal(signal.SIGINT) != signal.SIG_IGN
