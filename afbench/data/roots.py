"""The folders of data sets on this machine: the one that the user gives, afbench's cache, the system's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ..errors import UsageError

VARIABLE = "AFBENCH_DATA"
"""An environment variable and no task setting: worker processes inherit it, and where data lies changes no result."""
SYSTEM = Path("/usr/share/datasets")
"""Where Debian's ``dataset-*`` packages put theirs."""


class Root(NamedTuple):
    """A folder of data sets, and its name in records: not its path, which may hold the user's name."""

    place: str
    path: Path


def roots() -> list[Root]:
    """List the folders in the order in which sets are looked for."""
    value = os.environ.get(VARIABLE)
    first = [Root(f"the folder of --data-root or {VARIABLE}", folder(value))] if value else []
    return [*first, Root("afbench's cache", cache()), Root(str(SYSTEM), SYSTEM)]


def home() -> Path:
    """Return the folder that ``afbench data fetch`` writes to: the given one, or the cache."""
    return roots()[0].path


def cache() -> Path:
    """Return ``$XDG_CACHE_HOME/afbench``, or ``~/.cache/afbench``."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path there is invalid and to be ignored.
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "afbench"


def use(path: str | Path) -> None:
    """Look in this folder first, in this process and in those it starts.

    Raises:
        UsageError: if it is not a folder, or cannot be looked into.
    """
    if not isinstance(path, str | Path) or not str(path) or not is_open(folder(path)):
        raise UsageError(f"data root {str(path)!r} is not a folder (afbench data list shows the folders)")
    os.environ[VARIABLE] = str(folder(path))


@contextmanager
def using(path: str | Path) -> Iterator[None]:
    """Look in this folder first within the block.

    Raises:
        UsageError: if it is not a folder, or cannot be looked into.
    """
    before = os.environ.get(VARIABLE)
    use(path)
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def folder(path: str | Path) -> Path:
    """Make a path absolute, ``~`` included.

    Raises:
        UsageError: if it begins with the home of an unknown user.
    """
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError:
        raise UsageError(f"data root {path}: this user has no home folder") from None


def is_open(path: Path) -> bool:
    """Tell whether a folder exists and can be looked into."""
    try:
        return path.is_dir() and not closed(path)
    except OSError:  # a name too long, a folder above that is closed
        return False


def closed(path: Path) -> bool:
    """Tell whether the permissions of a folder, or of one above it, forbid to look into it."""
    try:
        return path.is_dir() and not os.access(path, os.R_OK | os.X_OK)
    except PermissionError:
        return True
    except OSError:
        return False
