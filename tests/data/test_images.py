"""Image sets from disk: every format gives the arrays that were written; what is missing or corrupt says what to do."""

import dataclasses
import gzip
import hashlib
import os

import numpy as np
import pytest
import torch

from afbench.data.images import find, load
from afbench.data.layouts import SETS
from afbench.errors import Unavailable

FORMATS = [(name, layout.folder) for name, images in SETS.items() for layout in images.layouts]
REMEDY = "download it again: afbench data fetch fashion_mnist$"


def check(name, message):
    with pytest.raises(Unavailable, match=message) as caught:
        load(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("compress", [False, True], ids=["raw", "gz"])
@pytest.mark.parametrize(("name", "folder"), FORMATS)
def test_every_format_gives_what_was_written(tiny, name, folder, compress):
    written = tiny(name, folder, compress=compress)
    images = load(name)
    assert images.train[0].dtype == torch.uint8
    assert images.train[1].dtype == torch.int64
    assert np.array_equal(images.test[0].numpy(), written.test[0])
    assert np.array_equal(images.test[1].numpy(), written.test[1])
    label = {image.tobytes(): y for image, y in zip(*written.train, strict=True)}
    for pixels, labels in (images.train, images.validation):
        assert [label[image.tobytes()] for image in pixels.numpy()] == labels.tolist()
    pixels = written.train[0].astype(np.float64) / 255
    assert images.mean == pytest.approx(pixels.mean((0, 2, 3)), abs=1e-12)
    assert images.deviation == pytest.approx(pixels.std((0, 2, 3)), abs=1e-12)


@pytest.mark.parametrize("name", SETS)
def test_splits_are_disjoint_complete_and_in_proportion(tiny, name):
    written = tiny(name, SETS[name].layouts[0].folder, count=400)
    images = load(name)
    train, validation = (
        {image.tobytes() for image in pixels.numpy()} for pixels, _ in (images.train, images.validation)
    )
    assert not train & validation
    assert train | validation == {image.tobytes() for image in written.train[0]}
    assert len(images.validation[1]) == 40
    shares = images.validation[1].bincount(minlength=SETS[name].classes)
    assert (shares - 40 / SETS[name].classes).abs().max() <= 2


def test_the_split_is_fixed(tiny):
    """Records stand for these places: another rule, or another stream of NumPy's, is another task version."""
    written = tiny("mnist", "MNIST/raw", count=60)
    images = load("mnist").validation[0].numpy()
    places = [(written.train[0] == image).all((1, 2, 3)).argmax() for image in images]
    assert places == [6, 11, 19, 24, 32, 35]


def test_both_versions_of_cifar_are_the_same_data(tiny):
    digests = []
    for folder in ("cifar-10-batches-py", "cifar-10-batches-bin"):
        tiny("cifar10", folder)
        digests.append(load("cifar10").about["sha256"])
        assert load("cifar10").about["source"].startswith(folder)
    assert digests[0] == digests[1]


def test_a_process_loads_a_set_once(tiny):
    written = tiny("mnist", "MNIST/raw")
    first = load("mnist")
    (written.folder / "train-images-idx3-ubyte").write_bytes(b"")
    assert load("mnist") is first


def test_a_record_names_the_source_and_no_path(tiny, data_root, tmp_path):
    tiny("mnist", "MNIST/raw")
    assert load("mnist").about["source"] == "MNIST/raw in the folder of --data-root or AFBENCH_DATA"
    tiny("fashion_mnist", "FashionMNIST/raw", below=tmp_path / "cache" / "afbench")
    assert load("fashion_mnist").about["source"] == "FashionMNIST/raw in afbench's cache"
    assert str(tmp_path) not in str(load("mnist").about) + str(load("fashion_mnist").about)


def test_the_given_folder_comes_before_the_systems(tiny, tmp_path):
    tiny("fashion_mnist", "fashion-mnist", below=tmp_path / "system")
    assert find("fashion_mnist").folder == tmp_path / "system" / "fashion-mnist"
    given = tiny("fashion_mnist", "FashionMNIST/raw")
    assert find("fashion_mnist").folder == given.folder


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("fashion_mnist", "get it with: afbench data fetch fashion_mnist"),
        ("cifar100", "get it with: afbench data fetch cifar100"),
    ],
)
def test_a_missing_set_says_where_it_was_looked_for_and_what_brings_it(data_root, name, command):
    said = check(name, f"^{SETS[name].title} was not found")
    assert str(data_root) in said
    assert said.endswith(command)


def test_a_set_that_lacks_a_file_says_which(tiny):
    written = tiny("mnist", "MNIST/raw")
    (written.folder / "t10k-labels-idx1-ubyte").unlink()
    check("mnist", "raw lacks t10k-labels-idx1-ubyte")


def test_a_wrong_digest_is_refused(tiny, monkeypatch):
    written = tiny("fashion_mnist", "FashionMNIST/raw", compress=True)
    content = gzip.decompress((written.folder / "t10k-labels-idx1-ubyte.gz").read_bytes())
    right = {"t10k-labels-idx1-ubyte": hashlib.sha256(content).hexdigest()}
    set_digests(monkeypatch, "fashion_mnist", right)
    assert load("fashion_mnist").about["checked"] == "sha256 of every file"
    set_digests(monkeypatch, "fashion_mnist", {"t10k-labels-idx1-ubyte": "0" * 64})
    check("fashion_mnist", r"ubyte.gz is not the published file \(its sha256 differs\); delete.*" + REMEDY)


def test_published_digests_are_checked_before_a_pickle_is_read(tiny, monkeypatch):
    tiny("cifar10", "cifar-10-batches-py")
    set_digests(monkeypatch, "cifar10", {"test_batch": "40351d587109b95175f43aff81a1287e"})
    check("cifar10", r"test_batch is not the published file \(its md5 differs\)")


def set_digests(monkeypatch, name, digests):
    layouts = tuple(dataclasses.replace(layout, digests=digests) for layout in SETS[name].layouts)
    monkeypatch.setitem(SETS, name, dataclasses.replace(SETS[name], layouts=layouts))


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("train-images-idx3-ubyte", lambda held: held[:-5], "values, but its header says 156800"),
        ("train-images-idx3-ubyte", lambda held: b"<html>", "not an IDX file"),
        ("t10k-images-idx3-ubyte", lambda held: held[:4] + bytes(12), r"holds 0 test images"),
        ("t10k-labels-idx1-ubyte", lambda held: held[:-1] + b"\x0a", "labels up to 10, where"),
    ],
)
def test_a_corrupt_file(tiny, file, content, message):
    path = tiny("fashion_mnist", "FashionMNIST/raw").folder / file
    path.write_bytes(content(path.read_bytes()))
    check("fashion_mnist", message + ".*" + REMEDY)


@pytest.mark.parametrize("content", [lambda held: held[:-9], lambda held: held[9:], lambda held: b"", None])
def test_a_corrupt_compressed_file(tiny, content):
    path = tiny("fashion_mnist", "FashionMNIST/raw", compress=True).folder / "train-images-idx3-ubyte.gz"
    held = path.read_bytes()
    path.write_bytes(content(held) if content else held[:5000] + bytes(50) + held[5050:])
    check("fashion_mnist", REMEDY)


def test_a_set_of_another_size_is_refused(tiny, monkeypatch):
    tiny("cifar100", "cifar-100-python")
    monkeypatch.setitem(SETS, "cifar100", dataclasses.replace(SETS["cifar100"], counts=(201, 100)))
    check("cifar100", "holds 200 training images .*, where CIFAR-100 has 201")


def test_a_malicious_batch_does_not_run(tiny, tmp_path):
    folder = tiny("cifar10", "cifar-10-batches-py").folder
    (folder / "data_batch_3").write_bytes(b"cos\nmkdir\n(S'" + str(tmp_path / "ran").encode() + b"'\ntR.")
    check(
        "cifar10",
        "its pickle names os.mkdir, which a CIFAR batch does not contain; nothing was executed; delete it and download",
    )
    assert not (tmp_path / "ran").exists()


def test_the_real_fashion_mnist_where_it_is_here():
    try:
        images = load("fashion_mnist")
    except Unavailable:
        pytest.skip("Fashion-MNIST was not found")
    assert [len(labels) for _, labels in (images.train, images.validation, images.test)] == [54_000, 6_000, 10_000]
    assert images.mean == pytest.approx([0.2860405], abs=1e-7)
    assert images.deviation == pytest.approx([0.3530242], abs=1e-7)
    assert images.test[1].bincount().tolist() == [1000] * 10


def test_a_broken_compressed_file_is_named_as_it_lies(tiny):
    held = tiny("fashion_mnist", "FashionMNIST/raw", compress=True)
    file = held.folder / "train-labels-idx1-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(Unavailable, match=f"{file} cannot be read"):
        load("fashion_mnist")


def test_what_may_not_be_read_is_to_be_made_readable(tiny, monkeypatch):
    held = tiny("fashion_mnist", "FashionMNIST/raw")

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("afbench.data.images.content", refuse)
    with pytest.raises(Unavailable, match="no permission to read .*; make it readable") as told:
        load("fashion_mnist")
    assert str(held.folder) in str(told.value) and "delete" not in str(told.value)


def test_a_closed_folder_is_said_and_the_next_is_tried(tiny, tmp_path, monkeypatch):
    tiny("fashion_mnist", "FashionMNIST/raw", below=tmp_path / "system")
    closed = tmp_path / "data" / "FashionMNIST" / "raw"
    closed.mkdir(parents=True)
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != closed and access(path, mode))
    assert find("fashion_mnist").folder == tmp_path / "system" / "FashionMNIST" / "raw"
    with pytest.raises(Unavailable, match="; no permission to read .*raw"):
        monkeypatch.setattr("afbench.data.images.exists", lambda path: False)
        find("fashion_mnist")
