"""The errors that a caller can act on: one line each, naming the thing, what was expected, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AfbenchError(Exception):
    """An error of afbench whose message stands alone, without a traceback.

    >>> import afbench
    >>> try:
    ...     afbench.create("ditacc")
    ... except afbench.AfbenchError as error:
    ...     print(error)
    unknown activation 'ditacc'; did you mean 'ditac'? (python -m afbench list activations)
    """


class UsageError(AfbenchError, ValueError):
    """The call was wrong; nothing was written. The command line exits with 2.

    >>> from afbench import create
    >>> create("prelu[a=steep]")
    Traceback (most recent call last):
    afbench.errors.UsageError: activation 'prelu': a must be a float, not 'steep'
    """


class Unavailable(AfbenchError):
    """Data or a device is not here; the message says how to get it."""


class ActivationError(AfbenchError):
    """An activation broke its contract while it ran: wrong shape or dtype, or NaN from finite input."""


class SlowKernels(UserWarning):
    """The compiled kernels are not here, so the plain path runs; said once."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known word, whatever its case, or an empty string.

    >>> did_you_mean("ditacc", ["ditac", "relu"])
    "; did you mean 'ditac'?"
    """
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.6)
    return f"; did you mean {folded[near[0]]!r}?" if near else ""
