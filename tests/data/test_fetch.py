"""Fetching, with a package client that stands in for apt-get and dpkg."""

import os
import sys

import pytest

from afbench.data.fetch import fetch
from afbench.data.images import load
from afbench.errors import Unavailable, UsageError

APT = """
import os, sys
assert sys.argv[1:] == ["download", "dataset-fashion-mnist"], sys.argv
assert os.environ["LC_ALL"] == "C"
open("dataset-fashion-mnist_1_all.deb", "w").close()
open({log!r}, "a").write("download ")
"""
DPKG = """
import pathlib, shutil, sys
assert sys.argv[1:] == ["-x", "dataset-fashion-mnist_1_all.deb", "unpacked"], sys.argv
assert pathlib.Path(sys.argv[2]).is_file()
shutil.copytree({package!r}, "unpacked/usr/share/datasets")
"""


@pytest.fixture
def client(tmp_path, monkeypatch):
    """Put programs on an otherwise empty PATH: ``client("apt-get", source)``."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def write(name, source):
        path = folder / name
        path.write_text(f"#!{sys.executable} -S\n{source}")
        path.chmod(0o755)

    return write


@pytest.fixture
def package(client, tiny, tmp_path):
    """A package with a tiny Fashion-MNIST, as Debian's holds it, and a client that brings it."""
    held = tiny("fashion_mnist", "fashion-mnist", compress=True, below=tmp_path / "package")
    client("apt-get", APT.format(log=str(tmp_path / "log")))
    client("dpkg", DPKG.format(package=str(tmp_path / "package")))
    return held


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


def says(message, kind=Unavailable):
    with pytest.raises(kind, match=message) as caught:
        fetch("fashion_mnist")
    assert "\n" not in str(caught.value)


INSTEAD = "put torchvision's files under DIR/FashionMNIST/raw and give --data-root DIR$"


def test_without_apt_get(client, data_root):
    says(f"^apt-get is not here to bring Fashion-MNIST; {INSTEAD}")
    assert not any(data_root.iterdir())


def test_without_dpkg(client, data_root, tmp_path):
    client("apt-get", APT.format(log=str(tmp_path / "log")))
    says(f"^dpkg is not here to bring Fashion-MNIST; {INSTEAD}")


def test_apt_get_fails(client, data_root):
    client("apt-get", "import sys; sys.exit('Reading lists\\nE: Unable to locate package')")
    says(
        r"^apt-get download failed for dataset-fashion-mnist \(E: Unable to locate package\); "
        f"run apt-get update once as root and try again, or {INSTEAD}"
    )
    assert not any(data_root.iterdir())


def test_apt_get_brings_nothing(client, data_root):
    client("apt-get", "")
    says(f"^apt-get downloaded no dataset-fashion-mnist; {INSTEAD}")


def test_dpkg_fails(client, data_root, tmp_path):
    client("apt-get", APT.format(log=str(tmp_path / "log")))
    client("dpkg", "raise SystemExit(3)")
    says(r"^dpkg -x failed for dataset-fashion-mnist \(exit code 3\); " + INSTEAD)


def test_another_content_is_not_stored(client, data_root, tmp_path):
    """The digests are the real ones here, the package a tiny set."""
    folder = tmp_path / "package" / "fashion-mnist"
    folder.mkdir(parents=True)
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (folder / f"{name}-ubyte").write_bytes(b"another")
    client("apt-get", APT.format(log=str(tmp_path / "log")))
    client("dpkg", DPKG.format(package=str(tmp_path / "package")))
    says(f"^dataset-fashion-mnist_1_all.deb does not hold the published Fashion-MNIST; {INSTEAD}")
    assert not any(data_root.iterdir())


def test_a_package_without_the_set(client, data_root, tmp_path):
    (tmp_path / "package").mkdir()
    client("apt-get", APT.format(log=str(tmp_path / "log")))
    client("dpkg", DPKG.format(package=str(tmp_path / "package")))
    says(f"^dataset-fashion-mnist_1_all.deb holds no Fashion-MNIST; {INSTEAD}")


def test_a_folder_that_cannot_be_made(package, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("AFBENCH_DATA", str(tmp_path / "file" / "data"))
    says("^cannot write .*Not a directory.*; give another folder: --data-root DIR", UsageError)


def test_a_set_that_no_package_holds(client):
    with pytest.raises(Unavailable, match="CIFAR-10 ships in no package; bring it with: python -c"):
        fetch("cifar10")


def test_an_unknown_set(client):
    with pytest.raises(UsageError, match="unknown data set 'fashion_mnits'; did you mean 'fashion_mnist'"):
        fetch("fashion_mnits")


def test_what_a_killed_fetch_left_is_swept_but_not_one_at_work(package, data_root):
    old, new = data_root / ".fetch-old", data_root / ".fetch-new"
    for left in (old, new):
        left.mkdir()
        (left / "half.deb").write_bytes(bytes(10))
    os.utime(old, (0, 0))
    fetch("fashion_mnist")
    assert not old.exists() and new.exists()
