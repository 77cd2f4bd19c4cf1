"""Reading a trial's arrays from disk. The file may come from anywhere: it is measured before it is unpacked."""

from __future__ import annotations

import io
import math
import stat
import warnings
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from ..errors import AfbenchError

Array = np.ndarray[Any, Any]

LARGEST_FILE = 16 * 2**20
"""Bytes of a file. A trial's arrays take at most 256 kB by contract; a task of a user's may keep more."""
LARGEST = 64 * 2**20
"""Bytes of all its arrays, unpacked."""
MOST = 10_000
"""Arrays in a file. Each place of a network has five."""
REAL = "biuf"
"""Kinds of NumPy dtypes that are real numbers."""


class Damaged(AfbenchError):
    """A file holds no arrays, or an array is not what it must be; the message says why, in one line."""


def read_arrays(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    """Read the arrays of an ``.npz`` file; nothing is unpickled.

    Returns:
        The arrays of real numbers by name, and by name why another one was left out.

    Raises:
        FileNotFoundError: if there is no such file.
        Damaged: if it is no file of arrays, or larger than any that a run writes.
    """
    try:
        content = whole(path)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return unpack(archive)
    except (FileNotFoundError, Damaged):
        raise
    except OSError as error:
        raise Damaged(error.strerror or "it cannot be read") from None
    except Exception as error:  # zipfile, zlib and struct raise half a dozen kinds
        raise Damaged(f"no .npz file ({line(error)})") from None


def whole(path: Path) -> bytes:
    """Read a file; a folder, a pipe or a device is none."""
    held = path.stat()
    if not stat.S_ISREG(held.st_mode):
        raise Damaged("not a file")
    if held.st_size > LARGEST_FILE:
        raise Damaged(f"{held.st_size / 2**20:.0f} MiB; at most {LARGEST_FILE // 2**20} MiB are read")
    return path.read_bytes()


def unpack(archive: zipfile.ZipFile) -> tuple[dict[str, Array], dict[str, str]]:
    """Unpack the members of an archive that hold arrays."""
    members = archive.infolist()
    if len(members) > MOST:
        raise Damaged(f"{len(members)} arrays; at most {MOST} are read")
    size = sum(member.file_size for member in members)
    if size > LARGEST:
        raise Damaged(f"{size / 2**20:.0f} MiB unpacked; at most {LARGEST // 2**20} MiB are read")
    arrays: dict[str, Array] = {}
    problems: dict[str, str] = {}
    for member in members:
        name = member.filename.removesuffix(".npy")
        try:
            with archive.open(member) as file, warnings.catch_warnings():
                warnings.simplefilter("error")  # NumPy warns of odd headers, and then reads them
                array = read(file, member.file_size)
        except Damaged as error:
            problems[name] = str(error)
        except Exception as error:
            problems[name] = f"damaged ({line(error)})"
        else:
            if name in arrays:
                problems[name] = "stored twice"
            arrays[name] = array
    return {name: array for name, array in arrays.items() if name not in problems}, problems


def read(file: IO[bytes], size: int) -> Array:
    """Read an array from a file of so many bytes.

    ``numpy.lib.format.read_array`` makes room for what the header claims before it looks at what is there.
    """
    version = npy.read_magic(file)
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    if version not in readers:
        raise Damaged("no array of numbers")
    shape, fortran, dtype = readers[version](file)
    if dtype.kind not in REAL:
        raise Damaged(f"{kind(dtype)}, not real numbers")
    count = math.prod(shape)
    if any(length < 0 for length in shape) or len(shape) > 8:
        raise Damaged(f"no array has the shape {shape}")
    if count * dtype.itemsize > size:
        raise Damaged(f"shorter than its shape {shape} says")
    content = file.read()
    if len(content) != count * dtype.itemsize:
        raise Damaged(f"{len(content)} bytes, not the {count * dtype.itemsize} of its shape {shape}")
    flat = np.frombuffer(content, dtype)
    array = flat.reshape(shape, order="F" if fortran else "C")
    return array.astype(dtype.newbyteorder("="))  # a copy, which can be written to


def kind(dtype: np.dtype[Any]) -> str:
    """Say what a dtype holds."""
    names = {"c": "complex numbers", "O": "Python objects", "S": "bytes", "U": "text", "V": "records"}
    return names.get(dtype.kind, f"values of type {dtype.name}")


def line(error: Exception) -> str:
    """Put an error into one short line."""
    text = "".join(sign if sign.isprintable() else "?" for sign in " ".join(str(error).split()))
    return (text or type(error).__name__)[:100]
