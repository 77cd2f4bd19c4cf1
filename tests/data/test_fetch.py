"""Fetching: the first way that works, what is there already, and what a killed fetch left."""

from __future__ import annotations

import os
import sys

import pytest

from afbench.data.fetch import fetch
from afbench.data.images import load
from afbench.data.layouts import SETS
from afbench.errors import Unavailable, UsageError


def test_fetch_stores_the_set_uncompressed_where_torchvision_looks_and_leaves_nothing_else(package, data_root):
    folder = fetch("fashion_mnist")
    assert folder == data_root / "FashionMNIST" / "raw"
    assert (load("fashion_mnist").test[0].numpy() == package.test[0]).all()
    assert sorted(file.name for file in folder.iterdir()) == [
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
    ]
    assert [path.name for path in data_root.iterdir()] == ["FashionMNIST"]


def test_without_a_given_folder_it_goes_to_the_cache(package, tmp_path, monkeypatch):
    monkeypatch.delenv("AFBENCH_DATA")
    assert fetch("fashion_mnist") == tmp_path / "cache" / "afbench" / "FashionMNIST" / "raw"


def test_what_is_here_is_not_fetched_again_and_what_is_broken_is(package, tmp_path):
    folder = fetch("fashion_mnist")
    fetch("fashion_mnist")
    assert (tmp_path / "log").read_text() == "download "
    (folder / "train-labels-idx1-ubyte").unlink()
    fetch("fashion_mnist")
    assert (tmp_path / "log").read_text() == "download download "
    assert len(load("fashion_mnist").test[1]) == 100


def test_a_set_that_is_here_in_another_layout_is_not_fetched(tiny, client):
    written = tiny("cifar10", "cifar-10-batches-bin")
    assert fetch("cifar10") == written.folder


def test_the_next_way_is_tried_where_one_fails(client, web, data_root):
    web("fashion_mnist")
    assert fetch("fashion_mnist") == data_root / "FashionMNIST" / "raw"


def test_where_all_ways_fail_the_reason_of_each_is_said_in_a_line(client, web, data_root, monkeypatch):
    web("fashion_mnist", mirrors=("http://127.0.0.1:1/",))
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(Unavailable) as caught:
        fetch("fashion_mnist")
    message = str(caught.value)
    assert "\n" not in message and message.startswith(
        "cannot download Fashion-MNIST (debian: apt-get is not installed; pooch: "
    )
    assert "; torchvision: " in message
    assert message.endswith("copy its files into DIR/FashionMNIST/raw or DIR/fashion-mnist and pass --data-root DIR")
    assert not any(data_root.iterdir())


def test_a_set_without_a_package_is_not_asked_of_debian(web, client, monkeypatch):
    web("mnist", mirrors=("http://127.0.0.1:1/",))
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(Unavailable, match=r"^cannot download MNIST \(pooch: "):
        fetch("mnist")


def test_a_folder_that_cannot_be_made(package, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("AFBENCH_DATA", str(tmp_path / "file" / "data"))
    with pytest.raises(UsageError, match="^cannot write to .*Not a directory.*; give another folder: --data-root DIR"):
        fetch("fashion_mnist")


@pytest.mark.parametrize(
    ("name", "way", "message"),
    [
        ("fashion_mnits", None, "unknown data set 'fashion_mnits'; did you mean 'fashion_mnist'"),
        ("mnist", "torchvison", "unknown way 'torchvison'; did you mean 'torchvision'"),
    ],
)
def test_an_unknown_set_or_way(name, way, message):
    with pytest.raises(UsageError, match=message):
        fetch(name, way)


def test_what_a_killed_fetch_left_is_swept_but_not_one_at_work(package, data_root):
    old, new = data_root / ".fetch-old", data_root / ".fetch-new"
    for left in (old, new):
        left.mkdir()
        (left / "half.deb").write_bytes(bytes(10))
    os.utime(old, (0, 0))
    fetch("fashion_mnist")
    assert not old.exists() and new.exists()


def test_every_set_names_downloads():
    for images in SETS.values():
        assert images.download.mirrors and all(mirror.endswith("/") for mirror in images.download.mirrors)
        assert all(len(md5) == 32 for md5 in images.download.digests.values())
