"""The ways to fetch a data set: Debian's package, a download by pooch, torchvision."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from ..errors import Unavailable
from .layouts import ImageSet
from .roots import SYSTEM

TIMEOUT = 30.0
"""Seconds without an answer after which a download fails; torchvision sets no limit of its own."""

Way = Callable[[ImageSet, Path], Path]
"""Puts the files of a set into an empty folder, and returns the folder of data sets in it.

Raises Unavailable, with the reason in one line, if it fails.
"""


def debian(images: ImageSet, folder: Path) -> Path:
    """Get a package by ``apt-get download`` and ``dpkg -x``; neither needs root nor runs any of the package's code.

    Raises:
        Unavailable: if Debian has no such package, or a command is missing or fails.
    """
    if not images.package:
        raise Unavailable(f"no package holds {images.title}")
    command("apt-get", "download", images.package, folder=folder)
    packages = sorted(folder.glob("*.deb"))
    if not packages:
        raise Unavailable(f"apt-get downloaded no {images.package}")
    command("dpkg", "-x", packages[0].name, "unpacked", folder=folder)
    return folder / "unpacked" / SYSTEM.relative_to("/")


def command(*words: str, folder: Path) -> None:
    """Run a command in a folder.

    Raises:
        Unavailable: if it is not installed or fails; the message holds the last line of its output.
    """
    if shutil.which(words[0]) is None:
        raise Unavailable(f"{words[0]} is not installed")
    result = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if result.returncode:
        output = result.stderr.strip() or result.stdout.strip() or f"exit code {result.returncode}"
        hint = "; apt-get update as root may help" if words[0] == "apt-get" else ""
        raise Unavailable(f"{' '.join(words[:2])} failed ({output.splitlines()[-1]}){hint}")


def pooch(images: ImageSet, folder: Path) -> Path:
    """Download the files from the first mirror that has them, and check the md5 of each.

    Raises:
        Unavailable: if no mirror gives a file with that md5.
    """
    import pooch

    download = images.download
    size = f" ({download.megabytes} MB)" * bool(download.megabytes)
    print(f"downloading {images.title}{size} from {download.mirrors[0]}", file=sys.stderr, flush=True)
    pooch.get_logger().setLevel("WARNING")  # it logs the path of a scratch folder
    downloader = pooch.HTTPDownloader(timeout=TIMEOUT, stream=False)  # streamed, its socket is left open
    for file, md5 in download.digests.items():
        unpack = pooch.Untar(extract_dir=".") if file.endswith(".tar.gz") else None
        for mirror in download.mirrors:
            try:
                pooch.retrieve(mirror + file, f"md5:{md5}", file, folder / download.folder, unpack, downloader)
                break
            except Exception as error:  # requests, urllib3 and pooch raise a dozen kinds
                problem = error
        else:
            raise Unavailable(reason(problem)) from problem
    return folder


def torchvision(images: ImageSet, folder: Path) -> Path:
    """Let the set's class in torchvision download it; its mirrors are as new as torchvision is.

    Raises:
        Unavailable: if torchvision is not installed or fails.
    """
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            from torchvision import datasets

            getattr(datasets, images.torchvision)(str(folder), download=True)
    except Exception as error:  # torchvision of another torch fails at import in its own ways
        raise Unavailable(reason(error)) from error
    finally:
        socket.setdefaulttimeout(before)
    return folder


def reason(error: Exception) -> str:
    """Put an error into one short line; requests wraps the cause of a failed connection twice."""
    cause = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    cause = getattr(cause, "reason", cause)
    return (" ".join(str(cause).split()) or type(cause).__name__)[:200]


WAYS: Mapping[str, Way] = {"debian": debian, "pooch": pooch, "torchvision": torchvision}
"""In the order in which ``fetch`` tries them: apt answers at once, and a dead mirror after 30 seconds."""
