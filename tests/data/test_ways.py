"""Each way brings a set, with the network and torchvision's classes replaced by what lies on this machine."""

from __future__ import annotations

import dataclasses
import gzip
import signal
import socket
import subprocess
import sys
import threading
import types
from pathlib import Path

import pytest

from afbench.data.fetch import fetch
from afbench.data.images import load
from afbench.data.layouts import SETS
from afbench.data.ways import TIMEOUT
from afbench.errors import Unavailable

from .conftest import Quiet


def says(message, name, way):
    with pytest.raises(Unavailable, match=message) as caught:
        fetch(name, way)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", SETS)
def test_pooch_brings_every_set_and_leaves_nothing_else(web, data_root, name):
    written = web(name)
    folder = fetch(name, "pooch")
    assert (load(name).test[0].numpy() == written.test[0]).all()
    assert load(name).about["source"].startswith(str(folder.relative_to(data_root)))
    assert {path.name for path in folder.iterdir()} >= set(SETS[name].layouts[-1].further)  # torchvision needs it
    assert [path for path in data_root.iterdir()] == [data_root / folder.relative_to(data_root).parts[0]]


def test_pooch_says_what_it_downloads_and_names_no_scratch_folder(web, data_root, capsys):
    web("cifar10")
    fetch("cifar10", "pooch")
    mirror = SETS["cifar10"].download.mirrors[0]
    assert capsys.readouterr().err == f"downloading CIFAR-10 (170 MB) from {mirror}\n"


def test_pooch_tries_the_next_mirror(web, serve, tmp_path):
    web("mnist")
    (tmp_path / "empty").mkdir()
    dead = serve(lambda *given: Quiet(*given, directory=str(tmp_path / "empty")))
    download = SETS["mnist"].download
    object.__setattr__(download, "mirrors", (dead, *download.mirrors))
    assert fetch("mnist", "pooch").is_dir()


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_a_download_with_another_md5_is_not_stored(web, data_root, name):
    web(name, digests=SETS[name].download.digests)
    says(f"^cannot download {SETS[name].title} .pooch: .* hash of downloaded file", name, "pooch")
    assert not any(data_root.iterdir())


def test_a_download_with_the_right_md5_and_another_content_is_not_stored(web, data_root, monkeypatch):
    web("mnist")
    monkeypatch.setitem(SETS, "mnist", dataclasses.replace(SETS["mnist"], counts=(201, 100)))
    says("pooch: the download differs from the published MNIST", "mnist", "pooch")
    assert not any(data_root.iterdir())


def test_nobody_answers(data_root, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        download = dataclasses.replace(SETS["mnist"].download, mirrors=(f"http://127.0.0.1:{taken.getsockname()[1]}/",))
        monkeypatch.setitem(SETS, "mnist", dataclasses.replace(SETS["mnist"], download=download))
        says(
            r"^cannot download MNIST \(pooch: .*refused.*\); copy its files into DIR/MNIST/raw and pass",
            "mnist",
            "pooch",
        )


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_download_leaves_no_part_of_a_set(web, serve, data_root, tmp_path):
    """The second file stops half way, and the process is killed there."""
    web("mnist")
    reached, release = threading.Event(), threading.Event()

    class Stops(Quiet):
        def copyfile(self, source, output):
            if "labels" in self.path and not release.is_set():
                output.write(source.read()[:20])
                output.flush()
                reached.set()
                release.wait(30)
            else:
                super().copyfile(source, output)

    mirror = serve(lambda *given: Stops(*given, directory=str(tmp_path / "web")))
    code = (
        "import dataclasses, sys; from afbench.data.fetch import fetch; from afbench.data.layouts import SETS\n"
        f"download = dataclasses.replace(SETS['mnist'].download, mirrors=({mirror!r},), "
        f"digests={dict(SETS['mnist'].download.digests)!r})\n"
        "SETS['mnist'] = dataclasses.replace(SETS['mnist'], download=download)\n"
        "fetch('mnist', 'pooch')"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    try:
        assert reached.wait(60)
    finally:
        process.kill()
        process.wait()
        release.set()
    assert [path.name.startswith(".fetch-") for path in data_root.iterdir()] == [True]
    with pytest.raises(Unavailable, match="MNIST was not found"):
        load("mnist")
    assert len(load_fetched("mnist").test[1]) == 100


def load_fetched(name):
    fetch(name, "pooch")
    return load(name)


@pytest.fixture
def fake(tiny, tmp_path, monkeypatch):
    """A torchvision whose class writes a tiny set, after ``before()``: ``fake("cifar10", "cifar-10-batches-py")``."""

    def put(name, folder, before=lambda: None):
        written = tiny(name, folder, below=tmp_path / "published")

        def download(root, download):
            print("Downloading", folder)
            assert download and socket.getdefaulttimeout() == TIMEOUT
            before()
            (Path(root) / folder).mkdir(parents=True)
            for file in written.folder.iterdir():
                (Path(root) / folder / file.name).write_bytes(file.read_bytes())

        datasets = types.SimpleNamespace(**{SETS[name].torchvision: download})
        monkeypatch.setitem(sys.modules, "torchvision", types.SimpleNamespace(datasets=datasets))
        return written

    return put


@pytest.mark.parametrize(("name", "folder"), [("cifar100", "cifar-100-python"), ("kmnist", "KMNIST/raw")])
def test_torchvision_brings_a_set_and_prints_to_stderr(fake, data_root, capsys, name, folder):
    written = fake(name, folder)
    assert fetch(name, "torchvision") == data_root / folder
    assert (load(name).test[0].numpy() == written.test[0]).all()
    assert capsys.readouterr() == ("", f"Downloading {folder}\n")
    assert socket.getdefaulttimeout() is None


def test_torchvision_fails(fake, data_root):
    def fail():
        raise RuntimeError("Error downloading\n train-images")

    fake("mnist", "MNIST/raw", fail)
    says(r"^cannot download MNIST \(torchvision: Error downloading train-images\); ", "mnist", "torchvision")
    assert not any(data_root.iterdir())
    assert socket.getdefaulttimeout() is None


def test_torchvision_is_not_installed(data_root, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    says(r"^cannot download MNIST \(torchvision: import of torchvision halted", "mnist", "torchvision")


def test_torchvision_brings_something_else(fake, data_root, monkeypatch):
    fake("cifar10", "cifar-10-batches-py")
    layouts = tuple(dataclasses.replace(layout, digests={"test_batch": "0" * 32}) for layout in SETS["cifar10"].layouts)
    monkeypatch.setitem(SETS, "cifar10", dataclasses.replace(SETS["cifar10"], layouts=layouts))
    says("torchvision: the download differs from the published CIFAR-10", "cifar10", "torchvision")
    assert not any(data_root.iterdir())


@pytest.mark.parametrize("name", ["fashion_mnist", "mnist", "kmnist"])
def test_the_real_torchvision_from_a_server_of_this_machine(web, monkeypatch, name):
    datasets = pytest.importorskip("torchvision.datasets")
    written = web(name)
    download = SETS[name].download
    monkeypatch.setattr(getattr(datasets, SETS[name].torchvision), "mirrors", list(download.mirrors))
    monkeypatch.setattr(getattr(datasets, SETS[name].torchvision), "resources", list(download.digests.items()))
    fetch(name, "torchvision")
    assert (load(name).test[0].numpy() == written.test[0]).all()


def test_mirrors_and_digests_are_torchvisions():
    """Where they differ, torchvision is newer: look at its source."""
    datasets = pytest.importorskip("torchvision.datasets")
    for images in SETS.values():
        theirs = getattr(datasets, images.torchvision)
        if hasattr(theirs, "mirrors"):
            assert list(images.download.mirrors) == theirs.mirrors
            assert list(images.download.digests.items()) == theirs.resources
        else:
            assert [mirror + file for mirror in images.download.mirrors for file in images.download.digests] == [
                theirs.url
            ]
            assert list(images.download.digests.values()) == [theirs.tgz_md5]


class TestDebian:
    def test_apt_get_is_not_installed(self, client, data_root):
        says(
            r"^cannot download Fashion-MNIST \(debian: apt-get is not installed\); copy its files into",
            "fashion_mnist",
            "debian",
        )
        assert not any(data_root.iterdir())

    def test_dpkg_is_not_installed(self, client, data_root):
        client.apt()
        says(r"\(debian: dpkg is not installed\)", "fashion_mnist", "debian")

    def test_apt_get_fails(self, client, data_root):
        client("apt-get", "import sys; sys.exit('Reading lists\\nE: Unable to locate package')")
        says(
            r"\(debian: apt-get download failed \(E: Unable to locate package\); apt-get update as root may help\)",
            "fashion_mnist",
            "debian",
        )
        assert not any(data_root.iterdir())

    def test_apt_get_brings_nothing(self, client, data_root):
        client("apt-get", "")
        says("debian: apt-get downloaded no dataset-fashion-mnist", "fashion_mnist", "debian")

    def test_dpkg_fails(self, client, data_root):
        client.apt()
        client("dpkg", "raise SystemExit(3)")
        says(r"\(debian: dpkg -x failed \(exit code 3\)\)", "fashion_mnist", "debian")

    def test_another_content_is_not_stored(self, client, data_root, tmp_path):
        """The digests are the real ones here."""
        folder = tmp_path / "package" / "fashion-mnist"
        folder.mkdir(parents=True)
        for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
            (folder / f"{name}-ubyte.gz").write_bytes(gzip.compress(b"another"))
        client.apt()
        client.dpkg()
        says("debian: the download differs from the published Fashion-MNIST", "fashion_mnist", "debian")
        assert not any(data_root.iterdir())

    def test_a_package_without_the_set(self, client, data_root, tmp_path):
        (tmp_path / "package").mkdir()
        client.apt()
        client.dpkg()
        says("debian: the download contains no files of Fashion-MNIST", "fashion_mnist", "debian")

    def test_a_set_that_no_package_holds(self, client, data_root):
        says(
            r"\(debian: no package holds CIFAR-10\); copy its files into DIR/cifar-10-batches-bin or DIR/",
            "cifar10",
            "debian",
        )
