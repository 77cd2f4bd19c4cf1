"""Stand-ins for what data sets come from: a package client, and a web server on this machine."""

from __future__ import annotations

import dataclasses
import hashlib
import sys
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from afbench.data.layouts import SETS

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
    """Put programs on an otherwise empty PATH: ``client("apt-get", source)``; ``client.apt()`` writes both."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def write(name, source):
        path = folder / name
        path.write_text(f"#!{sys.executable} -S\n{source}")
        path.chmod(0o755)

    write.apt = lambda: write("apt-get", APT.format(log=str(tmp_path / "log")))
    write.dpkg = lambda: write("dpkg", DPKG.format(package=str(tmp_path / "package")))
    return write


@pytest.fixture
def package(client, tiny, tmp_path):
    """A package with a tiny Fashion-MNIST, as Debian's holds it, and a client that brings it."""
    written = tiny("fashion_mnist", "fashion-mnist", compress=True, below=tmp_path / "package")
    client.apt()
    client.dpkg()
    return written


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def serve(monkeypatch):
    """Start a web server with a handler; returns its address."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    servers = []

    def start(handler):
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def web(tiny, tmp_path, serve, monkeypatch):
    """Publish a tiny set on a server of this machine, as the real one is published: ``web("cifar10")``."""

    def publish(name, **change):
        folder = next(layout.folder for layout in reversed(SETS[name].layouts) if layout.folder != "fashion-mnist")
        archive = "cifar" in name
        written = tiny(name, folder, compress=not archive, below=tmp_path / "published")
        (tmp_path / "web").mkdir()
        if archive:
            (written.folder / SETS[name].layouts[-1].further[0]).write_bytes(b"names of the classes")
            with tarfile.open(tmp_path / "web" / next(iter(SETS[name].download.digests)), "w:gz") as tar:
                tar.add(written.folder, folder)
        else:
            for file in written.folder.iterdir():
                file.rename(tmp_path / "web" / file.name)
        digests = {
            file.name: hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
            for file in (tmp_path / "web").iterdir()
        }
        assert digests.keys() == SETS[name].download.digests.keys()
        mirror = serve(partial(Quiet, directory=str(tmp_path / "web")))
        download = dataclasses.replace(SETS[name].download, **{"mirrors": (mirror,), "digests": digests, **change})
        monkeypatch.setitem(SETS, name, dataclasses.replace(SETS[name], download=download))
        return written

    return publish
