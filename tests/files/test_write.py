"""Writing whole files where the file system refuses something: best effort, or one line with path and cause."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from afbench.files.write import move, write_whole
from afbench.records.store import Store
from afbench.records.trial import Record, Status, Trial


def refuse(code: int, *, only=lambda *given: True):
    """Make a stand-in for a system call that a mount refuses."""

    def call(*given):
        raise OSError(code, os.strerror(code))

    return call


def sync_refused(monkeypatch, code, *, folders):
    """Let fsync of files, or of folders, fail as mounts do."""
    real = os.fsync

    def fsync(descriptor):
        if os.path.isdir(f"/proc/self/fd/{descriptor}") == folders:
            raise OSError(code, os.strerror(code))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)


linux = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")


@linux
@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EIO, errno.EBADF, errno.EACCES])
def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path, monkeypatch, code):
    sync_refused(monkeypatch, code, folders=True)
    write_whole(tmp_path / "x", b"content")
    assert (tmp_path / "x").read_bytes() == b"content"


@linux
@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EPERM])
def test_a_file_that_cannot_be_synced_is_no_failure(tmp_path, monkeypatch, code):
    sync_refused(monkeypatch, code, folders=False)
    write_whole(tmp_path / "x", b"content")
    assert (tmp_path / "x").read_bytes() == b"content"


@linux
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_content_that_did_not_reach_the_disk_is_one(tmp_path, monkeypatch, code):
    (tmp_path / "x").write_bytes(b"before")
    sync_refused(monkeypatch, code, folders=False)
    with pytest.raises(OSError) as caught:
        write_whole(tmp_path / "x", b"content")
    assert (caught.value.errno, caught.value.filename) == (code, str(tmp_path / "x"))
    assert (tmp_path / "x").read_bytes() == b"before"
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


def test_a_folder_that_cannot_be_opened_to_sync_is_no_failure(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "open", refuse(errno.EACCES))
    write_whole(tmp_path / "x", b"content")
    assert (tmp_path / "x").read_bytes() == b"content"


@pytest.mark.parametrize("code", [errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL])
def test_where_nothing_can_be_renamed_the_file_is_written_in_place(tmp_path, monkeypatch, code):
    monkeypatch.setattr(os, "replace", refuse(code))
    write_whole(tmp_path / "x", b"content")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("x", b"content")]


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO])
def test_a_refused_rename_names_the_file_and_the_cause_and_leaves_nothing(tmp_path, monkeypatch, code):
    monkeypatch.setattr(os, "replace", refuse(code))
    with pytest.raises(OSError, match=os.strerror(code)) as caught:
        write_whole(tmp_path / "x", b"content")
    assert caught.value.filename == str(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("below", "code"),
    [("file/x", (errno.ENOTDIR, errno.EEXIST)), ("y" * 300, (errno.ENAMETOOLONG,)), ("loop/x", (errno.ELOOP, 17))],
)
def test_a_path_that_cannot_be_is_named(tmp_path, below, code):
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(OSError) as caught:
        write_whole(tmp_path / below, b"content")
    assert caught.value.errno in code
    assert caught.value.filename == str(tmp_path / below)


def test_the_longest_name_that_a_folder_takes_can_be_written(tmp_path):
    name = "n" * os.pathconf(tmp_path, "PC_NAME_MAX")
    write_whole(tmp_path / name, b"content")
    assert (tmp_path / name).read_bytes() == b"content"


def test_threads_that_write_one_file_leave_one_of_theirs_whole(tmp_path):
    contents = [bytes([number]) * 100_000 for number in range(8)]

    def write(content):
        for _ in range(20):
            write_whole(tmp_path / "x", content)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "x").read_bytes() in contents
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_moves_across_devices(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"content")
    real, calls = os.replace, []

    def replace(source, target):
        calls.append(source)
        if len(calls) == 1:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    move(tmp_path / "a", tmp_path / "other" / "b")
    assert (tmp_path / "other" / "b").read_bytes() == b"content"
    assert not (tmp_path / "a").exists()


def record(seed=0, accuracy=1.0):
    return Record(Trial("toy", "relu", seed), Status.OK, metrics={"accuracy": accuracy})


def test_a_store_that_vanishes_is_made_again(tmp_path):
    store = Store.open(tmp_path / "results", write=True)
    store.write(record(0))
    (tmp_path / "results").rename(tmp_path / "away")
    store.write(record(1))
    assert store.records() == [record(1)]
    store.retire(record(0))  # which is not there any more


def test_what_is_retired_twice_is_kept_twice(tmp_path):
    store = Store.open(tmp_path, write=True)
    for accuracy in (1.0, 2.0, 3.0):
        store.write(record(accuracy=accuracy))
        store.retire(record())
    kept = [Record.from_json(file.read_text()).metrics["accuracy"] for file in (tmp_path / "stale/trials").iterdir()]
    assert sorted(kept) == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("kind", ["folder", "pipe", "loop", "nowhere"])
def test_what_stands_in_a_records_place_is_kept_and_named(tmp_path, kind):
    from afbench.records.store import Conflict

    store, place = Store.open(tmp_path, write=True), tmp_path / "trials" / f"{record().key}.json"
    place.parent.mkdir()
    if kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(place if kind == "loop" else tmp_path / "nowhere")
    assert store.records() == []
    assert str(place) in store.problems[record().key]
    with pytest.raises(Conflict, match="it stays"):
        store.write(record())
    assert os.path.lexists(place)
