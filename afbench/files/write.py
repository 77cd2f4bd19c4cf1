"""Writing a file whole or not at all, also on file systems that cannot sync or rename."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

NOT_ON_DISK = frozenset({errno.EIO, errno.ENOSPC, errno.EDQUOT})
"""Errors of ``fsync`` that mean that content was lost. Any other error means that the mount cannot sync."""

CANNOT_RENAME = frozenset({errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})
"""Errors of a rename within a folder that mean that the mount cannot rename at all."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a kill at any moment leaves the old file, the new one, or none, but never a part of it.

    Where a mount cannot sync, as some network mounts and containers, the file is not safe from a power cut. Where a
    mount cannot rename, the file is written in place; readers report a record cut short by a kill as damaged.

    Raises:
        OSError: if the file cannot be written; it names the path and the cause.
    """
    with errors_naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(path) as temporary:
            write_in_place(temporary, content)
            try:
                os.replace(temporary, path)
            except OSError as error:
                if error.errno not in CANNOT_RENAME:
                    raise
                write_in_place(path, content)
    sync_folder(path.parent)


def move(source: Path, target: Path) -> None:
    """Move a file into another folder, which may be on another device; a target that exists is replaced.

    Raises:
        OSError: if the file cannot be moved; it names the target and the cause.
    """
    with errors_naming(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.replace(source, target)
            return
        except OSError as error:
            if error.errno not in CANNOT_RENAME:
                raise
    write_whole(target, source.read_bytes())
    source.unlink()


def write_in_place(path: Path, content: bytes) -> None:
    """Write a file in place and ask the system to bring it to the disk."""
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno in NOT_ON_DISK:
                raise


def sync_folder(folder: Path) -> None:
    """Sync a folder's list of names to the disk, where the mount can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def errors_naming(path: Path) -> Iterator[None]:
    """Let every OSError name the target: a full disk names no file, and a rename the temporary file."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


@contextlib.contextmanager
def temporary_beside(path: Path) -> Iterator[Path]:
    """Name a temporary file beside ``path``, and remove it at the end if it still exists.

    The name is short, since ``path`` may have the longest name that the folder takes, and unique, since two threads
    or machines may write the same file.
    """
    temporary = path.parent / f".{os.getpid()}-{secrets.token_hex(4)}.tmp"
    try:
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
