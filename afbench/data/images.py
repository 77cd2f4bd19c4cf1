"""Image sets from files on this machine: finds them, checks them, splits them and keeps them in memory as bytes."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..errors import Unavailable, one_line
from .cifar import Pair
from .digits import stratified_order
from .layouts import SETS, ImageSet, Layout
from .roots import Root, closed, roots

HELD_OUT = 10
"""One in 10 training images is for validation: 6,000 of 60,000, 5,000 of 50,000."""


@dataclass(frozen=True, eq=False)
class Images:
    """A set in memory: images [N, C, H, W] in uint8 and labels [N] in int64. Trials share it, and do not write to it.

    Args:
        train, validation, test: the splits, always the same.
        mean, deviation: of each channel over all published training images, of pixels from 0 to 1.
        about: what a record keeps of the data: the set, its source, how it was checked, and a sha256 of its content.
    """

    train: tuple[Tensor, Tensor]
    validation: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    about: dict[str, str]


class Location(NamedTuple):
    """A set in a folder of data sets, in one of its layouts."""

    name: str
    layout: Layout
    root: Root

    @property
    def images(self) -> ImageSet:
        """The set."""
        return SETS[self.name]

    @property
    def folder(self) -> Path:
        """The folder with the files."""
        return self.root.path / self.layout.folder


def find(name: str) -> Location:
    """Find a set by the names of its files, without reading them.

    Raises:
        Unavailable: if no folder has all its files; the message gives the command that downloads them.
    """
    images = SETS[name]
    problems = ""
    for root in roots():
        for layout in images.layouts:
            location = Location(name, layout, root)
            missing = [file for file in (*layout.train, *layout.test) if not exists(location.folder / file)]
            if not missing:
                return location
            if closed(location.folder):
                problems = problems or f"; no permission to read {location.folder}"
            elif location.folder.is_dir():
                problems = problems or f"; {location.folder} lacks {', '.join(missing)}"
    folders = ", ".join(layout.folder for layout in images.layouts)
    places = ", ".join(str(root.path) for root in roots())
    raise Unavailable(f"{images.title} was not found (no {folders} in {places}{problems}); get it with: {remedy(name)}")


def remedy(name: str) -> str:
    """Return the command that downloads a set."""
    return f"afbench data fetch {name}"


def load(name: str) -> Images:
    """Load a set, once for all trials of a process.

    One in 10 training images is held out for validation, each class in proportion, whatever the seed: the first tenth
    of ``stratified_order``. Seeds move weights and the order of batches alone, as with the test split.

    Raises:
        Unavailable: if it is missing or corrupt; one line gives the problem and the command that downloads the set.
    """
    return read(find(name))


@lru_cache(maxsize=2)
def read(location: Location) -> Images:
    """Read a set, check it and split it.

    Raises:
        Unavailable: if a file cannot be read, or is not the published one.
    """
    images, layout = location.images, location.layout
    train, test = (part(location, names) for names in (layout.train, layout.test))
    for kind, (pixels, labels), count in zip(("training", "test"), (train, test), images.counts, strict=True):
        if pixels.shape != (count, *images.shape) or labels.shape != (count,) or labels.max() >= images.classes:
            raise broken(
                location,
                location.folder,
                f"holds {len(pixels)} {kind} images of shape {pixels.shape[1:]} with {len(labels)} labels up to "
                f"{max(labels, default=0)}, where {images.title} has {count} of shape {images.shape}",
            )
    order = stratified_order(train[1])
    held_out = len(order) // HELD_OUT
    validation, rest = np.sort(order[:held_out]), np.sort(order[held_out:])
    mean, deviation = statistics(train[0])
    return Images(
        tensors(train[0][rest], train[1][rest]),
        tensors(train[0][validation], train[1][validation]),
        tensors(*test),
        mean,
        deviation,
        {
            "set": images.title,
            "source": f"{layout.folder} in {location.root.place}",
            "checked": checked(layout),
            "sha256": fingerprint(train, test),
        },
    )


def part(location: Location, names: Sequence[str]) -> Pair:
    """Read the training or the test files.

    Raises:
        Unavailable: if one is broken.
    """
    contents = [verified(location, location.folder / name) for name in names]
    try:
        return location.layout.read(contents)
    except ValueError as error:
        files = ", ".join(names)
        raise broken(location, location.folder, f"has {'a file' if len(names) > 1 else ''} {files}: {error}") from error


def verified(location: Location, path: Path) -> bytes:
    """Return a file's content if its digest is the published one.

    Raises:
        Unavailable: if the file cannot be read, or its digest differs.
    """
    try:
        data = content(path)
    except PermissionError:
        raise Unavailable(
            f"{location.images.title}: no permission to read {on_disk(path)}; make it readable, or pass --data-root DIR"
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise broken(
            location, on_disk(path), f"cannot be read ({one_line(error, named=False) or type(error).__name__})"
        ) from error
    expected = location.layout.digests.get(path.name)
    if expected and digest(data, expected) != expected:
        raise broken(location, on_disk(path), f"is not the published file (its {algorithm(expected)} differs)")
    return data


def broken(location: Location, path: Path, problem: str) -> Unavailable:
    """Make the error of files that exist but are not the published ones."""
    return Unavailable(
        f"{location.images.title}: {path} {problem}; delete it and download it again: {remedy(location.name)}"
    )


def exists(path: Path) -> bool:
    """Tell whether a file exists, as it is or compressed."""
    try:
        return path.is_file() or compressed(path).is_file()
    except OSError:  # a folder that is closed, a name too long
        return False


def on_disk(path: Path) -> Path:
    """Return the path of a file that exists as it is or compressed."""
    return path if path.is_file() else compressed(path)


def compressed(path: Path) -> Path:
    """Return the compressed file's path."""
    return path.with_name(f"{path.name}.gz")


def content(path: Path) -> bytes:
    """Read a file, or its compressed form where only that exists."""
    return path.read_bytes() if path.is_file() else gzip.decompress(compressed(path).read_bytes())


def algorithm(expected: str) -> str:
    """Name the algorithm of a digest by its length: md5 has 128 bits.

    >>> algorithm("0" * 32)
    'md5'
    """
    return "md5" if len(expected) == 32 else "sha256"


def digest(data: bytes, expected: str) -> str:
    """Hash data with the algorithm of the expected digest."""
    return hashlib.new(algorithm(expected), data, usedforsecurity=False).hexdigest()


def checked(layout: Layout) -> str:
    """Name what a layout's files are checked by."""
    kinds = {algorithm(expected) for expected in layout.digests.values()}
    return f"{' and '.join(sorted(kinds))} of every file" if kinds else "sizes and labels (no digests are published)"


def fingerprint(*parts: Pair) -> str:
    """Return the sha256 of all pixels and labels: the same from whatever files they came."""
    sha256 = hashlib.sha256()
    for values in (array for pair in parts for array in pair):
        sha256.update(np.ascontiguousarray(values).data)
    return sha256.hexdigest()


def statistics(images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return each channel's mean and standard deviation, of pixels from 0 to 1, from counts of the 256 values.

    Computed instead of listed: several rounded versions of CIFAR's are in use, and no source gives Kuzushiji-MNIST's.
    """
    values = np.arange(256) / 255
    counts = [np.bincount(np.ravel(images[:, channel]), minlength=256) for channel in range(images.shape[1])]
    shares = np.stack(counts) / (images.size // images.shape[1])
    mean = shares @ values
    deviation = np.sqrt((shares * (values - mean[:, None]) ** 2).sum(1))
    return tuple(mean.tolist()), tuple(deviation.tolist())


def tensors(images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], labels: object) -> tuple[Tensor, Tensor]:
    """Make tensors that own their memory."""
    return torch.tensor(images), torch.tensor(labels, dtype=torch.int64)
