"""IDX, the format of the MNIST family: a header of big-endian integers, then the values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

UNSIGNED_BYTE = 8


def parse(content: bytes, dimensions: int) -> np.ndarray[Any, Any]:
    """Read an array of unsigned bytes.

    The header is two zero bytes, a byte for the type (8: unsigned byte), a byte for the number of dimensions, and
    each dimension in 4 bytes, the highest first. The values follow, the last index fastest.

    Args:
        content: the file, uncompressed.
        dimensions: the expected number: 3 for images [N, H, W], 1 for labels [N].

    Returns:
        The array, uint8; it shares the content's memory and cannot be written to.

    Raises:
        ValueError: if the content is something else, or too short or too long for its header.

    Source:
        LeCun, Cortes and Burges, The MNIST database of handwritten digits, "The IDX file format".

    >>> parse(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]), 1)
    array([7, 9], dtype=uint8)
    """
    start = 4 + 4 * dimensions
    if content[:4] != bytes([0, 0, UNSIGNED_BYTE, dimensions]) or len(content) < start:
        raise ValueError(f"not an IDX file of unsigned bytes with {dimensions} dimensions")
    shape = tuple(np.frombuffer(content, ">u4", dimensions, offset=4).tolist())
    if len(content) - start != math.prod(shape):
        raise ValueError(f"it holds {len(content) - start} values, but its header says {math.prod(shape)}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
