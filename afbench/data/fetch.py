"""Bringing a data set to this machine: the first way that works, its content checked before it is stored."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from ..errors import Unavailable, UsageError, did_you_mean
from ..files.write import write_whole
from .images import Location, content, exists, read
from .layouts import SETS, Layout
from .roots import Root, home
from .ways import WAYS

HOUR = 3600.0


def fetch(name: str, way: str | None = None) -> Path:
    """Bring a set into the given folder of data sets, or into afbench's cache, in the layout of torchvision.

    The content is checked before it is stored. Each file is stored whole or not at all. A set that is already there,
    with the right content, is left as it is.

    Args:
        name: the set's name.
        way: ``debian``, ``pooch`` or ``torchvision``; by default they are tried in this order.

    Returns:
        The folder with the files.

    Raises:
        UsageError: for an unknown set or way, or a folder that cannot be written.
        Unavailable: if no way works; the message gives the reason of each, and what to do instead.
    """
    check(name, way)
    images = SETS[name]
    for layout in images.layouts:
        stored = Location(name, layout, Root("", home()))
        if is_whole(stored):
            return stored.folder
    ways = [way] if way else [other for other in WAYS if other != "debian" or images.package]
    problems = []
    for way in ways:
        try:
            return bring(name, way)
        except Unavailable as error:
            problems.append(f"{way}: {error}")
    folders = " or ".join(f"DIR/{layout.folder}" for layout in images.layouts)
    raise Unavailable(
        f"cannot bring {images.title} ({'; '.join(problems)}); put its files into {folders} and give --data-root DIR"
    )


def check(name: str, way: str | None = None) -> None:
    """Check the names of a set and of a way.

    Raises:
        UsageError: if there is no such set or way.
    """
    for kind, value, known in (("data set", name, SETS), ("way", way or "pooch", WAYS)):
        if value not in known:
            raise UsageError(f"unknown {kind} {value!r}{did_you_mean(value, known)} ({kind}s: {', '.join(known)})")


def bring(name: str, way: str) -> Path:
    """Bring a set in one way; returns its folder.

    Raises:
        UsageError: if the folder of data sets cannot be written.
        Unavailable: if the way fails, or brings another content.
    """
    images = SETS[name]
    try:
        home().mkdir(parents=True, exist_ok=True)
        sweep(home())
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=home()) as scratch:
            root = Root("", WAYS[way](images, Path(scratch)))
            for layout in images.layouts:
                brought = Location(name, layout, root)
                if all(exists(brought.folder / file) for file in files(layout)):
                    break
            else:
                raise Unavailable(f"it brought no files of {images.title}")
            try:
                read(brought)
            except Unavailable as error:
                raise Unavailable(f"what it brought is not the published {images.title}") from error
            folder = home() / target(name, layout).folder
            for file in files(layout):
                write_whole(folder / file, content(brought.folder / file))
            return folder
    except OSError as error:
        raise UsageError(
            f"cannot write to {home()} ({error.strerror}); give another folder: --data-root DIR"
        ) from error


def files(layout: Layout) -> tuple[str, ...]:
    """Return the names of a layout's files."""
    return (*layout.train, *layout.test)


def target(name: str, layout: Layout) -> Layout:
    """Return the first layout with the same files: torchvision's, where Debian's folder has another name."""
    return next(other for other in SETS[name].layouts if files(other) == files(layout))


def sweep(folder: Path) -> None:
    """Remove the folders of fetches that were killed; one of the last hour may still be at work."""
    for scratch in folder.glob(".fetch-*"):
        with suppress(OSError):
            if time.time() - scratch.stat().st_mtime > HOUR:
                shutil.rmtree(scratch, ignore_errors=True)


def is_whole(location: Location) -> bool:
    """Tell whether all files of a set are there with the right content."""
    try:
        return all(exists(location.folder / file) for file in files(location.layout)) and bool(read(location))
    except Unavailable:
        return False
