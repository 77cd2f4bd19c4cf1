"""Bringing a set through the machine's own package client: downloaded and unpacked, never installed or run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from ..errors import Unavailable, UsageError, did_you_mean
from ..files.write import write_whole
from .images import Found, exists, read, remedy, verified
from .layouts import SETS, ImageSet
from .roots import SYSTEM, Root, home

HOUR = 3600.0


def fetch(name: str) -> Path:
    """Bring a set into the folder of data sets, the given one or afbench's cache, in the layout of torchvision.

    ``apt-get download`` and ``dpkg -x`` need no root and run none of the package's code. The content is checked
    before it is stored, each file whole or not at all; what is already here and whole is left as it is.

    Returns:
        The folder with the files.

    Raises:
        UsageError: for an unknown set, or a folder that cannot be written.
        Unavailable: if no package holds it, or the client is not here or fails; the message says what to do instead.
    """
    images = known(name)
    goal = Found(images, images.layouts[0], Root("", home()), remedy(name))
    if whole(goal):
        return goal.folder
    try:
        home().mkdir(parents=True, exist_ok=True)
        sweep(home())
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=home()) as scratch:
            for file, held in unpack(name, Path(scratch)).items():
                write_whole(goal.folder / file, held)
    except OSError as error:
        raise UsageError(
            f"cannot write {goal.folder} ({error.strerror}); give another folder: --data-root DIR"
        ) from error
    return goal.folder


def known(name: str) -> ImageSet:
    """Return the set of that name, if a package holds it.

    Raises:
        UsageError: for an unknown set.
        Unavailable: if no package holds it; the message says what brings it.
    """
    if name not in SETS:
        raise UsageError(f"unknown data set {name!r}{did_you_mean(name, SETS)} (sets: {', '.join(SETS)})")
    if not SETS[name].package:
        raise Unavailable(f"{SETS[name].title} ships in no package; bring it with: {remedy(name)}")
    return SETS[name]


def sweep(folder: Path) -> None:
    """Remove what a fetch that was killed left; one of the last hour may still be at work."""
    for left in folder.glob(".fetch-*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > HOUR:
                shutil.rmtree(left, ignore_errors=True)


def whole(goal: Found) -> bool:
    """Tell whether a set is already there with the content it should have."""
    try:
        return all(exists(goal.folder / file) for file in (*goal.layout.train, *goal.layout.test)) and bool(read(goal))
    except Unavailable:
        return False


def unpack(name: str, scratch: Path) -> dict[str, bytes]:
    """Download a set's package and unpack it; returns the checked contents of the set's files, uncompressed.

    Raises:
        Unavailable: if the client fails, or the package holds something else.
    """
    images = SETS[name]
    call(images, scratch, "apt-get", "download", images.package)
    packages = sorted(scratch.glob("*.deb"))
    if not packages:
        raise Unavailable(f"apt-get downloaded no {images.package}; {instead(images)}")
    call(images, scratch, "dpkg", "-x", packages[0].name, "unpacked")
    came = Root("", scratch / "unpacked" / SYSTEM.relative_to("/"))
    for layout in images.layouts:
        files = (*layout.train, *layout.test)
        found = Found(images, layout, came, remedy(name))
        if all(exists(found.folder / file) for file in files):
            try:
                return {file: verified(found, found.folder / file) for file in files}
            except Unavailable as error:
                raise Unavailable(
                    f"{packages[0].name} does not hold the published {images.title}; {instead(images)}"
                ) from error
    raise Unavailable(f"{packages[0].name} holds no {images.title}; {instead(images)}")


def call(images: ImageSet, folder: Path, *command: str) -> None:
    """Run the package client in a folder.

    Raises:
        Unavailable: if it is not here or fails, with the last line of what it said.
    """
    if shutil.which(command[0]) is None:
        raise Unavailable(f"{command[0]} is not here to bring {images.title}; {instead(images)}")
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()[-1]
        again = "run apt-get update once as root and try again, or " if command[0] == "apt-get" else ""
        raise Unavailable(f"{' '.join(command[:2])} failed for {images.package} ({said}); {again}{instead(images)}")


def instead(images: ImageSet) -> str:
    """Say how a set comes here without the package client."""
    return f"put torchvision's files under DIR/{images.layouts[0].folder} and give --data-root DIR"
