"""Fetching a data set: in the first way that works, with its content checked before it is stored."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from ..errors import Unavailable, UsageError, did_you_mean
from ..files.write import write_whole
from .images import Location, exists, read, verified
from .layouts import SETS, Layout
from .roots import Root, home
from .ways import WAYS

HOUR = 3600.0


def fetch(name: str, way: str | None = None) -> Path:
    """Download a set into the given folder of data sets, or into afbench's cache, in the layout of torchvision.

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
            return fetch_by(name, way)
        except Unavailable as error:
            problems.append(f"{way}: {error}")
    folders = " or ".join(f"DIR/{layout.folder}" for layout in images.layouts)
    why = "; ".join(problems)
    raise Unavailable(f"cannot download {images.title} ({why}); copy its files into {folders} and pass --data-root DIR")


def check(name: str, way: str | None = None) -> None:
    """Check the names of a set and of a way.

    Raises:
        UsageError: if there is no such set or way.
    """
    for kind, value, known in (("data set", name, SETS), ("way", way or "pooch", WAYS)):
        if value not in known:
            raise UsageError(f"unknown {kind} {value!r}{did_you_mean(value, known)} ({kind}s: {', '.join(known)})")


def fetch_by(name: str, way: str) -> Path:
    """Download a set in one way; returns its folder.

    Raises:
        UsageError: if the folder of data sets cannot be written.
        Unavailable: if the way fails, or gives another content.
    """
    images = SETS[name]
    try:
        home().mkdir(parents=True, exist_ok=True)
        sweep(home())
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=home()) as scratch:
            root = Root("", WAYS[way](images, Path(scratch)))
            for layout in images.layouts:
                downloaded = Location(name, layout, root)
                if all(exists(downloaded.folder / file) for file in files(layout)):
                    break
            else:
                raise Unavailable(f"the download contains no files of {images.title}")
            try:
                read(downloaded)
            except Unavailable as error:
                raise Unavailable(f"the download differs from the published {images.title}") from error
            folder = home() / target(name, layout).folder
            further = [file for file in layout.further if exists(downloaded.folder / file)]
            for file in (*files(layout), *further):
                write_whole(folder / file, verified(downloaded, downloaded.folder / file))
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
    """Remove the folders of killed fetches; a fetch whose folder changed within the last hour may still run."""
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
