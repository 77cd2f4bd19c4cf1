"""CIFAR batches: the binary version, and the Python version read without running the pickle's own calls."""

from __future__ import annotations

import io
import math
import pickle
from typing import Any

import numpy as np

PIXELS = 3 * 32 * 32
Pair = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


def parse_binary(content: bytes, labels: int) -> Pair:
    """Read a batch of the binary version: records of the labels, one byte each, and 3072 pixels, plane by plane.

    Args:
        content: the file.
        labels: label bytes of a record; the last one counts (CIFAR-100 has the coarse label before the fine one).

    Returns:
        Images [N, 3, 32, 32] and labels [N], uint8.

    Raises:
        ValueError: if the file is not a whole number of records.

    Source:
        Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".
    """
    size = labels + PIXELS
    if not content or len(content) % size:
        raise ValueError(f"its {len(content)} bytes are not a multiple of the record size {size}")
    records = np.frombuffer(content, np.uint8).reshape(-1, size)
    return records[:, labels:].reshape(-1, 3, 32, 32), records[:, labels - 1]


def parse_pickled(content: bytes, labels: str) -> Pair:
    """Read a batch of the Python version, a Python 2 pickle of a dictionary with ``data`` and a list of labels.

    A pickle is a program that may call anything it names. Here it can name only the three things that a NumPy array
    is made of. Each becomes an inert record of its arguments; NumPy is not called either.

    Args:
        content: the file.
        labels: the labels' key, ``labels`` or ``fine_labels``.

    Returns:
        Images [N, 3, 32, 32] and labels [N], uint8.

    Raises:
        ValueError: if the pickle names anything else, or is not such a batch.

    Source:
        Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html, "Python version".
    """
    try:
        batch = Reader(io.BytesIO(content), encoding="bytes").load()
    except Forbidden:
        raise
    except Exception as error:  # a broken pickle may fail in any way
        raise ValueError(f"not a readable pickle ({type(error).__name__})") from error
    try:
        pixels = array(batch[b"data"])
        numbers = np.array(batch[labels.encode()], np.uint8)
        return pixels.reshape(len(numbers), 3, 32, 32), numbers
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"no CIFAR batch with data and {labels} ({type(error).__name__})") from error


class Forbidden(ValueError):
    """A pickle names something that no CIFAR batch needs."""


class Inert:
    """Stands for a name in the pickle: it keeps its arguments and does nothing."""

    def __init__(self, *arguments: Any) -> None:
        """Keep the arguments."""
        self.arguments = arguments
        self.state: Any = ()

    def __setstate__(self, state: Any) -> None:
        """Keep the state."""
        self.state = state


class Reconstruct(Inert):
    """Stands for ``numpy.core.multiarray._reconstruct``."""


class Dtype(Inert):
    """Stands for ``numpy.dtype``."""


class Reader(pickle.Unpickler):
    """An unpickler that knows three names and no others."""

    names = {
        ("numpy.core.multiarray", "_reconstruct"): Reconstruct,
        ("numpy", "ndarray"): Inert,
        ("numpy", "dtype"): Dtype,
    }

    def find_class(self, module: str, name: str) -> type[Inert]:
        """Look a name up.

        Raises:
            Forbidden: if no CIFAR batch needs it.
        """
        if (module, name) not in self.names:
            raise Forbidden(
                f"its pickle names {module}.{name}, which a CIFAR batch does not contain; nothing was executed"
            )
        return self.names[module, name]


def array(inert: Any) -> np.ndarray[Any, Any]:
    """Make the array [N, 3072] of unsigned bytes that an inert record describes.

    Raises:
        ValueError: if it is no such array.
        TypeError: if it is no array at all.
    """
    if not isinstance(inert, Reconstruct):
        raise TypeError("not an array")
    _, shape, dtype, fortran, raw = inert.state
    if not isinstance(dtype, Dtype) or dtype.arguments[0] not in (b"u1", b"|u1") or not isinstance(raw, bytes):
        raise ValueError("not an array of unsigned bytes")
    if len(shape) != 2 or shape[1] != PIXELS or len(raw) != math.prod(shape):
        raise ValueError(f"not an array of rows of {PIXELS}")
    return np.frombuffer(raw, np.uint8).reshape(shape, order="F" if fortran else "C")
