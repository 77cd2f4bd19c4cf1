"""Reading a trial's arrays from a file of any origin: sizes are checked before anything is unpacked."""

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

from ..errors import AfbenchError, one_line

Array = np.ndarray[Any, Any]

LARGEST_FILE = 16 * 2**20
"""Bytes of a file. A trial's arrays take at most 256 kB by contract; a user's task may keep more."""
LARGEST_UNPACKED = 64 * 2**20
"""Bytes of all arrays of a file, unpacked."""
MOST_ARRAYS = 10_000
"""Arrays in a file. A place of a network has five."""
REAL = "biuf"
"""Kinds of NumPy dtypes that are real numbers."""


class Damaged(AfbenchError):
    """A file holds no arrays, or an array is not what it must be; the message is one line."""


def read_arrays(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    """Read the arrays of an ``.npz`` file; nothing is unpickled.

    Returns:
        The arrays of real numbers by name, and the reason why an array was left out, by its name.

    Raises:
        FileNotFoundError: if there is no such file.
        Damaged: if it is not a file of arrays, or larger than a run ever writes.
    """
    try:
        content = read_file(path)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return unpack(archive)
    except (FileNotFoundError, Damaged):
        raise
    except OSError as error:
        raise Damaged(error.strerror or "it cannot be read") from None
    except Exception as error:  # zipfile, zlib and struct raise half a dozen kinds
        raise Damaged(f"no .npz file ({one_line(error)})") from None


def read_file(path: Path) -> bytes:
    """Read a regular file: not a folder, a pipe or a device."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise Damaged("not a file")
    if status.st_size > LARGEST_FILE:
        raise Damaged(f"{status.st_size / 2**20:.0f} MiB; at most {LARGEST_FILE // 2**20} MiB are read")
    return path.read_bytes()


def unpack(archive: zipfile.ZipFile) -> tuple[dict[str, Array], dict[str, str]]:
    """Unpack the members of an archive that hold arrays."""
    members = archive.infolist()
    if len(members) > MOST_ARRAYS:
        raise Damaged(f"{len(members)} arrays; at most {MOST_ARRAYS} are read")
    size = sum(member.file_size for member in members)
    if size > LARGEST_UNPACKED:
        raise Damaged(f"{size / 2**20:.0f} MiB unpacked; at most {LARGEST_UNPACKED // 2**20} MiB are read")
    arrays: dict[str, Array] = {}
    problems: dict[str, str] = {}
    for member in members:
        name = member.filename.removesuffix(".npy")
        try:
            with archive.open(member) as file, warnings.catch_warnings():
                warnings.simplefilter("error")  # NumPy warns of odd headers and reads them all the same
                array = read_array(file, member.file_size)
        except Damaged as error:
            problems[name] = str(error)
        except Exception as error:
            problems[name] = f"damaged ({one_line(error)})"
        else:
            if name in arrays:
                problems[name] = "stored twice"
            arrays[name] = array
    return {name: array for name, array in arrays.items() if name not in problems}, problems


def read_array(file: IO[bytes], size: int) -> Array:
    """Read an array from a file of ``size`` bytes.

    ``numpy.lib.format.read_array`` allocates what the header claims before it reads; here the claim is checked first.
    """
    version = npy.read_magic(file)
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    if version not in readers:
        raise Damaged("no array of numbers")
    shape, fortran, dtype = readers[version](file)
    if dtype.kind not in REAL:
        raise Damaged(f"{content_of(dtype)}, not real numbers")
    count = math.prod(shape)
    if any(length < 0 for length in shape) or len(shape) > 8:
        raise Damaged(f"no array has the shape {shape}")
    if count * dtype.itemsize > size:
        raise Damaged(f"too short for its shape {shape}")
    content = file.read()
    if len(content) != count * dtype.itemsize:
        raise Damaged(f"{len(content)} bytes instead of the {count * dtype.itemsize} that its shape {shape} needs")
    flat = np.frombuffer(content, dtype)
    array = flat.reshape(shape, order="F" if fortran else "C")
    return array.astype(dtype.newbyteorder("="))  # a copy, which is writable


def content_of(dtype: np.dtype[Any]) -> str:
    """Name what a dtype holds."""
    names = {"c": "complex numbers", "O": "Python objects", "S": "bytes", "U": "text", "V": "records"}
    return names.get(dtype.kind, f"values of type {dtype.name}")
