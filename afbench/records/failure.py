"""An exception as a record holds it: a status, one line, and the end of its traceback."""

from __future__ import annotations

from typing import Any

import torch

from ..errors import AfbenchError, Diverged, Unavailable, line, name_of, one_line, printable, text_of, trace
from .trial import Status


def failure(error: BaseException) -> dict[str, Any]:
    """Return the ``status`` and the ``error`` of an exception. It never raises, whatever the exception is."""
    kinds: list[tuple[type | tuple[type, ...], Status]] = [
        (Diverged, Status.DIVERGED),
        ((MemoryError, torch.OutOfMemoryError), Status.OOM),
        (Unavailable, Status.UNAVAILABLE),
    ]
    raised = type(error)  # not isinstance, which asks the exception itself
    status = next((s for kind, s in kinds if issubclass(raised, kind)), Status.ERROR)
    if issubclass(raised, RuntimeError) and "DefaultCPUAllocator: can't allocate memory" in text_of(error):
        status = Status.OOM  # on a CPU torch raises no kind of its own
    message = one_line(error, named=not issubclass(raised, AfbenchError))
    if issubclass(raised, SystemExit):
        message = line(f"called sys.exit({text_of(error)})")
    return {
        "status": status,
        "error": {"type": printable(name_of(error)), "message": message, "traceback": trace(error)},
    }
