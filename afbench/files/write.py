"""Writing a file whole or not at all, on file systems that refuse some of what that takes."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

NOT_ON_DISK = frozenset({errno.EIO, errno.ENOSPC, errno.EDQUOT})
"""What ``fsync`` of a file says where its content was lost. Any other refusal means that the mount cannot sync."""

CANNOT_RENAME = frozenset({errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})
"""What a rename within one folder says where the mount cannot rename at all."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a kill at any moment leaves the old one, the new one, or none: never a part of it.

    Syncing to the disk is best effort: network mounts and some containers refuse it, and only a power cut would tell.
    Where a mount cannot rename, the file is written in place: a record cut short by a kill is then named as damaged.

    Raises:
        OSError: if the file cannot be written; it names the path and the cause.
    """
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch(path) as temporary:
            put(temporary, content)
            try:
                os.replace(temporary, path)
            except OSError as error:
                if error.errno not in CANNOT_RENAME:
                    raise
                put(path, content)
    sync_folder(path.parent)


def move(source: Path, target: Path) -> None:
    """Move a file into another folder, which may be on another device; a target that exists is replaced.

    Raises:
        OSError: if that cannot be; it names the target and the cause.
    """
    with naming(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.replace(source, target)
            return
        except OSError as error:
            if error.errno not in CANNOT_RENAME:
                raise
    write_whole(target, source.read_bytes())
    source.unlink()


def put(path: Path, content: bytes) -> None:
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
    """Bring a folder's list of names to the disk, where the mount allows it."""
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let every OSError name the file that was to be written: a full disk names none, a rename the temporary one."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


@contextlib.contextmanager
def scratch(path: Path) -> Iterator[Path]:
    """Name a temporary file beside ``path``, and remove it if it is still there after.

    Its name is short, so that the longest name that a folder takes can be written, and its own: two runs, two threads
    or two machines may write the same file.
    """
    temporary = path.parent / f".{os.getpid()}-{secrets.token_hex(4)}.tmp"
    try:
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
