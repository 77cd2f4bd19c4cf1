"""What the tests share: one thread each, and tiny image sets in the formats that the published ones have on disk."""

from __future__ import annotations

import dataclasses
import gzip
import os
import struct

import numpy as np
import pytest
import torch

from afbench.data import roots
from afbench.data.layouts import SETS

# Tests run side by side, one process a core; a second thread in each would only wait for the first of another.
torch.set_num_threads(1)


def pytest_configure(config: pytest.Config) -> None:
    """Let the many processes that tests start compile afbench once, though Python is told to write no bytecode."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None) and config.cache is not None:
        os.environ["PYTHONPYCACHEPREFIX"] = str(config.cache.mkdir("bytecode"))


def idx(array):
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + array.tobytes()


def text(value):
    return b"U" + struct.pack("<B", len(value)) + value  # SHORT_BINSTRING: a Python 2 string


def number(value):
    return b"J" + struct.pack("<i", value)


def pickled(pixels, labels, key=b"labels"):
    """A batch as Python 2 with NumPy wrote it, protocol 2, opcode by opcode."""
    empty = number(0) + b"\x85"
    created = b"cnumpy.core.multiarray\n_reconstruct\n" + b"cnumpy\nndarray\n" + empty + text(b"b") + b"\x87R"
    dtype = b"cnumpy\ndtype\n" + text(b"u1") + number(0) + number(1) + b"\x87R"
    dtype += b"(" + number(3) + text(b"|") + b"NNN" + number(-1) + number(-1) + number(0) + b"tb"
    raw = b"T" + struct.pack("<i", pixels.size) + pixels.tobytes()
    shape = b"".join(map(number, pixels.shape)) + b"\x86"
    data = created + b"(" + number(1) + shape + dtype + b"\x89" + raw + b"tb"
    numbers = b"](" + b"".join(map(number, labels.tolist())) + b"e"
    items = [text(b"batch_label") + text(b"a batch"), text(key) + numbers, text(b"data") + data]
    return b"\x80\x02}(" + b"".join(items) + b"u."


@dataclasses.dataclass
class Tiny:
    """A tiny set that was written, and what is in it."""

    folder: object
    train: tuple
    test: tuple


def draw(name, count, rng):
    shape = (1, 28, 28) if "mnist" in name else (3, 32, 32)
    classes = 100 if name == "cifar100" else 10
    images = rng.integers(0, 256, (count, *shape), np.uint8)
    return images, (np.arange(count) % classes).astype(np.uint8)


def files_of(folder, train, test):
    """Every file of a set's folder, by name."""
    if "raw" in folder or folder == "fashion-mnist":
        pairs = {"train": train, "t10k": test}
        images = {f"{kind}-images-idx3-ubyte": idx(pair[0][:, 0]) for kind, pair in pairs.items()}
        return images | {f"{kind}-labels-idx1-ubyte": idx(pair[1]) for kind, pair in pairs.items()}
    ten = "10-" in folder
    parts = np.array_split(np.arange(len(train[0])), 5 if ten else 1)
    names = [f"data_batch_{i + 1}" for i in range(5)] if ten else ["train"]
    batches = {name: (train[0][part], train[1][part]) for name, part in zip(names, parts, strict=True)}
    batches["test_batch" if ten else "test"] = test
    if folder.endswith(("bin", "binary")):
        coarse = [] if ten else [np.uint8(19)]
        return {
            f"{name}.bin": b"".join(bytes([*coarse, y]) + x.tobytes() for x, y in zip(*pair, strict=True))
            for name, pair in batches.items()
        }
    key = b"labels" if ten else b"fine_labels"
    return {name: pickled(images.reshape(len(images), -1), y, key) for name, (images, y) in batches.items()}


@pytest.fixture
def data_root(tmp_path, monkeypatch):
    """An empty folder of data sets, with nothing to be found anywhere else."""
    root = tmp_path / "data"
    root.mkdir()
    monkeypatch.setenv("AFBENCH_DATA", str(root))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(roots, "SYSTEM", tmp_path / "system")
    return root


@pytest.fixture
def tiny(data_root, monkeypatch):
    """Write a tiny set as a published one lies on disk: ``tiny("cifar10", "cifar-10-batches-bin")``."""

    def write(name, folder, *, count=200, tested=100, compress=False, below=None):
        rng = np.random.default_rng(0)
        train, test = draw(name, count, rng), draw(name, tested, rng)
        place = (below or data_root) / folder
        place.mkdir(parents=True)
        for file, content in files_of(folder, train, test).items():
            if compress:
                file, content = f"{file}.gz", gzip.compress(content)
            (place / file).write_bytes(content)
        layouts = tuple(dataclasses.replace(layout, digests={}) for layout in SETS[name].layouts)
        monkeypatch.setitem(SETS, name, dataclasses.replace(SETS[name], counts=(count, tested), layouts=layouts))
        return Tiny(place, train, test)

    return write
