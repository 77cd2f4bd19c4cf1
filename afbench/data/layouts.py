"""The image sets that afbench reads: how each lies on disk, what its files must hold, and what brings it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from . import cifar, idx
from .cifar import Pair


@dataclass(frozen=True, eq=False)
class Layout:
    """One way in which a set lies in a folder of data sets.

    Args:
        folder: where, below the folder of data sets.
        train, test: names of the files; each may have ``.gz`` after it.
        read: from the contents of those files, uncompressed, to images [N, C, H, W] and labels [N], uint8.
        digests: what each content must hash to, by name: sha256 or, of 32 signs, md5; none where none is published.
    """

    folder: str
    train: Sequence[str]
    test: Sequence[str]
    read: Callable[[Sequence[bytes]], Pair]
    digests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ImageSet:
    """A published set of labelled images.

    Args:
        title: its name in sentences.
        shape: of an image, (channels, height, width).
        classes: how many; labels go from 0.
        counts: of training and test images.
        layouts: the ways in which it may lie on disk; the first that is found counts.
        torchvision: the class of ``torchvision.datasets`` that downloads it.
        package: the Debian package that holds it, if one does, in the layout that bears Debian's folder.
    """

    title: str
    shape: tuple[int, int, int]
    classes: int
    counts: tuple[int, int]
    layouts: Sequence[Layout]
    torchvision: str
    package: str = ""


def read_idx(contents: Sequence[bytes]) -> Pair:
    """Read a file of grey images and one of labels."""
    images, labels = idx.parse(contents[0], 3), idx.parse(contents[1], 1)
    return images[:, None], labels


def read_batches(contents: Sequence[bytes], parse: Callable[[bytes], Pair]) -> Pair:
    """Read CIFAR batches and join them."""
    images, labels = zip(*map(parse, contents), strict=True)
    return np.concatenate(images), np.concatenate(labels)


TRAIN = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
TEST = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
# Computed from Debian's dataset-fashion-mnist 0.0~git20200523.55506a9-1; no publisher's list holds them uncompressed.
FASHION_MNIST = dict(
    zip(
        (*TRAIN, *TEST),
        (
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
        strict=True,
    )
)
# torchvision/datasets/cifar.py lists these md5s of the Python version's files.
CIFAR10 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
CIFAR100 = {"train": "16019d7e3df5f24257cddd939b257f8d", "test": "f0ef6b0ae62326f3e7ffdfab6717acfc"}
BATCHES = tuple(name for name in CIFAR10 if name != "test_batch")


def mnist_like(folder: str, digests: Mapping[str, str] | None = None) -> Layout:
    """Say where the four files of a set of the MNIST family lie.

    Never in the folder of data sets itself: the files of all sets of the family have the same names.
    """
    return Layout(folder, TRAIN, TEST, read_idx, digests or {})


SETS: dict[str, ImageSet] = {
    "fashion_mnist": ImageSet(
        "Fashion-MNIST",
        (1, 28, 28),
        10,
        (60_000, 10_000),
        (mnist_like("FashionMNIST/raw", FASHION_MNIST), mnist_like("fashion-mnist", FASHION_MNIST)),
        "FashionMNIST",
        "dataset-fashion-mnist",
    ),
    "mnist": ImageSet("MNIST", (1, 28, 28), 10, (60_000, 10_000), (mnist_like("MNIST/raw"),), "MNIST"),
    "kmnist": ImageSet("Kuzushiji-MNIST", (1, 28, 28), 10, (60_000, 10_000), (mnist_like("KMNIST/raw"),), "KMNIST"),
    "cifar10": ImageSet(
        "CIFAR-10",
        (3, 32, 32),
        10,
        (50_000, 10_000),
        (
            Layout(
                "cifar-10-batches-bin",
                tuple(f"{name}.bin" for name in BATCHES),
                ("test_batch.bin",),
                partial(read_batches, parse=partial(cifar.parse_binary, labels=1)),
            ),
            Layout(
                "cifar-10-batches-py",
                BATCHES,
                ("test_batch",),
                partial(read_batches, parse=partial(cifar.parse_pickled, labels="labels")),
                CIFAR10,
            ),
        ),
        "CIFAR10",
    ),
    "cifar100": ImageSet(
        "CIFAR-100",
        (3, 32, 32),
        100,
        (50_000, 10_000),
        (
            Layout(
                "cifar-100-binary",
                ("train.bin",),
                ("test.bin",),
                partial(read_batches, parse=partial(cifar.parse_binary, labels=2)),
            ),
            Layout(
                "cifar-100-python",
                ("train",),
                ("test",),
                partial(read_batches, parse=partial(cifar.parse_pickled, labels="fine_labels")),
                CIFAR100,
            ),
        ),
        "CIFAR100",
    ),
}
