"""The image sets that afbench reads: their layouts on disk, the digests of their files, and where they come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from . import cifar, idx
from .cifar import Pair


@dataclass(frozen=True, eq=False)
class Layout:
    """A form that a set has on disk.

    Args:
        folder: its folder, below the folder of data sets.
        train, test: names of the files; each may have ``.gz`` after it.
        read: turns the uncompressed contents of those files into images [N, C, H, W] and labels [N], uint8.
        digests: of the uncompressed files, by name: sha256, or md5 of 32 digits; empty where none is published.
        further: files that afbench does not read and other libraries need; ``afbench data fetch`` keeps them.
    """

    folder: str
    train: Sequence[str]
    test: Sequence[str]
    read: Callable[[Sequence[bytes]], Pair]
    digests: Mapping[str, str] = field(default_factory=dict)
    further: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class Download:
    """The files of a set on the web.

    Args:
        mirrors: addresses to try in this order; each ends in a slash.
        digests: the md5 of each file as it is downloaded, by name; an archive is unpacked.
        folder: where the files go below the folder of data sets; an archive has its own folder.
        megabytes: about how much is downloaded.
    """

    mirrors: Sequence[str]
    digests: Mapping[str, str]
    folder: str = ""
    megabytes: int = 0


@dataclass(frozen=True, eq=False)
class ImageSet:
    """A published set of labelled images.

    Args:
        title: its name in sentences.
        shape: of an image, (channels, height, width).
        classes: the number of classes; labels go from 0.
        counts: of training and test images.
        layouts: the forms it may have on disk; the first that is found counts.
        torchvision: the class of ``torchvision.datasets`` that downloads it.
        download: its files on the web.
        package: the Debian package that holds it, if there is one.
    """

    title: str
    shape: tuple[int, int, int]
    classes: int
    counts: tuple[int, int]
    layouts: Sequence[Layout]
    torchvision: str
    download: Download
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
FASHION_MNIST = {
    TRAIN[0]: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    TRAIN[1]: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    TEST[0]: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    TEST[1]: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
# torchvision/datasets/cifar.py lists these md5s of the Python version's files.
CIFAR10 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
    "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
}
CIFAR100 = {
    "train": "16019d7e3df5f24257cddd939b257f8d",
    "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
    "meta": "7973b15100ade9c7d40fb424638fde48",
}
BATCHES = tuple(name for name in CIFAR10 if name.startswith("data_batch"))


# Mirrors and md5s of the downloads: torchvision 0.29.1, torchvision/datasets/mnist.py and cifar.py.
MNIST_MD5 = (
    "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "d53e105ee54ea40749a09fcbcd1e9432",
    "9fb629c4189551a2d022fa330f9573f3",
    "ec29112dd5afa0611ce80d1b7f02629c",
)
FASHION_MNIST_MD5 = (
    "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "25c81989df183df01b3e8a0aad5dffbe",
    "bef4ecab320f06d8554ea6380940ec79",
    "bb300cfdad3c16e7a12a480ee83cd310",
)
KMNIST_MD5 = (
    "bdb82020997e1d708af4cf47b453dcf7",
    "e144d726b3acfaa3e44228e80efcd344",
    "5c965bf0a639b31b8f53240b1b52f4d7",
    "7320c461ea6c1c855c0b718fb2a4b134",
)


def mnist_like(
    title: str, torchvision: str, md5s: Sequence[str], *mirrors: str, debian: tuple[str, str] | None = None
) -> ImageSet:
    """Describe a set of the MNIST family.

    Each set has a folder of its own: the files of all sets of the family have the same names.

    Args:
        title: its name in sentences.
        torchvision: the class of ``torchvision.datasets``, after which its folder is named.
        md5s: of its four compressed files.
        mirrors: addresses of these files.
        debian: the Debian package, and the folder that it holds.
    """
    folder = f"{torchvision}/raw"
    digests = FASHION_MNIST if torchvision == "FashionMNIST" else {}
    package, *further = debian or ("",)
    layouts = [Layout(name, TRAIN, TEST, read_idx, digests) for name in (folder, *further)]
    download = Download(mirrors, dict(zip((f"{name}.gz" for name in (*TRAIN, *TEST)), md5s, strict=True)), folder)
    return ImageSet(title, (1, 28, 28), 10, (60_000, 10_000), layouts, torchvision, download, package)


def cifar_like(classes: int, binary: Layout, digests: Mapping[str, str], names: str, labels: str, md5: str) -> ImageSet:
    """Describe CIFAR-10 or CIFAR-100.

    Args:
        classes: the number of classes.
        binary: the layout of the binary version.
        digests: the md5s of the files of the Python version: training, test, and the names of the classes.
        names: the last of these files, which torchvision needs and afbench does not read.
        labels: the key of the labels in the Python version.
        md5: of the archive with the Python version.
    """
    *train, test = (name for name in digests if name != names)
    folder = f"cifar-{classes}-{'batches-py' if classes == 10 else 'python'}"
    reader = partial(read_batches, parse=partial(cifar.parse_pickled, labels=labels))
    pickled = Layout(folder, train, (test,), reader, digests, (names,))
    download = Download(("https://www.cs.toronto.edu/~kriz/",), {f"cifar-{classes}-python.tar.gz": md5}, megabytes=170)
    counts = (50_000, 10_000)
    return ImageSet(f"CIFAR-{classes}", (3, 32, 32), classes, counts, (binary, pickled), f"CIFAR{classes}", download)


def read_binary(contents: Sequence[bytes], labels: int) -> Pair:
    """Read batches of CIFAR's binary version, whose records have this number of label bytes."""
    return read_batches(contents, partial(cifar.parse_binary, labels=labels))


SETS: dict[str, ImageSet] = {
    "fashion_mnist": mnist_like(
        "Fashion-MNIST",
        "FashionMNIST",
        FASHION_MNIST_MD5,
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        debian=("dataset-fashion-mnist", "fashion-mnist"),
    ),
    "mnist": mnist_like(
        "MNIST",
        "MNIST",
        MNIST_MD5,
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    ),
    "kmnist": mnist_like("Kuzushiji-MNIST", "KMNIST", KMNIST_MD5, "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"),
    "cifar10": cifar_like(
        10,
        Layout(
            "cifar-10-batches-bin",
            tuple(f"{name}.bin" for name in BATCHES),
            ("test_batch.bin",),
            partial(read_binary, labels=1),
        ),
        CIFAR10,
        "batches.meta",
        "labels",
        "c58f30108f718f92721af3b95e74349a",
    ),
    "cifar100": cifar_like(
        100,
        Layout("cifar-100-binary", ("train.bin",), ("test.bin",), partial(read_binary, labels=2)),
        CIFAR100,
        "meta",
        "fine_labels",
        "eb9058c3a382ffc7106e4002c42a8d85",
    ),
}
