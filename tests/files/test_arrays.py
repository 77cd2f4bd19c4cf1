"""Arrays from disk: what is no file of numbers is said, whatever it is, and nothing large is unpacked for it."""

from __future__ import annotations

import io
import os
import pickle
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from afbench.files.arrays import Damaged, read_arrays

GOOD = {
    "x": np.linspace(-1, 1, 5, dtype=np.float32),
    "k": np.arange(6, dtype=">i2").reshape(2, 3),
    "f": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "yes": np.array([True, False]),
    "one": np.array(3),
    "none": np.zeros((0, 2)),
}


def packed(**arrays: Any) -> bytes:
    held = io.BytesIO()
    np.savez_compressed(held, **arrays)
    return held.getvalue()


def member(content: bytes, name: str = "x.npy", kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", kind) as archive:
        archive.writestr(name, content)
    return held.getvalue()


def header(text: str, content: bytes = b"", version: int = 1) -> bytes:
    raw = text.encode().ljust(118) + b"\n"
    size = len(raw).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + size + raw + content


def of(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "arrays.npz"
    path.write_bytes(content)
    return path


def test_numbers_come_back_as_they_were(tmp_path):
    arrays, problems = read_arrays(of(tmp_path, packed(**GOOD)))
    assert not problems and arrays.keys() == GOOD.keys()
    for name, values in GOOD.items():
        np.testing.assert_array_equal(arrays[name], values)
        assert arrays[name].dtype == values.dtype.newbyteorder("=") and arrays[name].flags.writeable


class Trap:
    def __reduce__(self):
        return os.mkdir, (str(Trap.mark),)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (np.array(["a", "b"]), "text, not real numbers"),
        (np.array([b"a"]), "bytes, not real numbers"),
        (np.array([1, None, "x"], dtype=object), "Python objects, not real numbers"),
        (np.array([1 + 2j]), "complex numbers, not real numbers"),
        (np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]), "records, not real numbers"),
        (np.array(["2026-01-01"], dtype="datetime64[D]"), "datetime64[D], not real numbers"),
        (np.array([1], dtype="timedelta64[s]"), "timedelta64[s], not real numbers"),
    ],
)
def test_what_is_not_a_number_is_named_and_the_rest_is_kept(tmp_path, damage, why):
    arrays, problems = read_arrays(of(tmp_path, packed(x=GOOD["x"], bad=damage)))
    assert arrays.keys() == {"x"} and problems.keys() == {"bad"}
    assert problems["bad"].endswith(why)


def test_a_pickle_is_not_executed(tmp_path):
    Trap.mark = tmp_path / "executed"
    for content in (packed(x=np.array([Trap()], dtype=object)), member(pickle.dumps(Trap())), pickle.dumps(Trap())):
        try:
            assert read_arrays(of(tmp_path, content))[0] == {}
        except Damaged:
            pass
    assert not Trap.mark.exists()


SHAPE = "{'descr': '<f8', 'fortran_order': False, 'shape': %s}"


@pytest.mark.parametrize(
    "content",
    [
        header(SHAPE % "(10**12,)"),
        header(SHAPE % "(1000000000000,)", bytes(16)),
        header(SHAPE % "(-1,)", bytes(8)),
        header(SHAPE % "(2,)", bytes(8)),
        header(SHAPE % "(1,)", bytes(16)),
        header(SHAPE % "(1.0,)", bytes(8)),
        header(SHAPE % "'x'", bytes(8)),
        header(SHAPE % f"({'1,' * 70})", bytes(8)),
        header("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", bytes(8)),
        header("{'descr': 'nonsense', 'fortran_order': False, 'shape': (1,)}", bytes(8)),
        header("{'descr': '<f8'}", bytes(8)),
        header("__import__('os')", bytes(8)),
        header("(" * 90, bytes(8)),
        header(SHAPE % "(1,)", bytes(8), version=9),
        b"",
        b"\x93NUM",
        b"no array",
        b"\x93NUMPY\x01\x00\xff\xff",
    ],
    ids=lambda content: repr(content[:24]),
)
def test_a_member_that_is_no_array_is_damaged(tmp_path, content):
    arrays, problems = read_arrays(of(tmp_path, member(content)))
    assert arrays == {} and problems.keys() == {"x"} and problems["x"].isprintable()


def broken(where: float, count: int = 4) -> bytes:
    content = bytearray(packed(**GOOD))
    at = int(where * len(content))
    content[at : at + count] = bytes(255 - byte for byte in content[at : at + count])
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"PK\x05\x06" + bytes(18), b"\0" * 1000, os.urandom(1000), pickle.dumps([1]), b'{"x": [1, 2]}']
    + [packed(**GOOD)[: int(share * len(packed(**GOOD)))] for share in (0.1, 0.5, 0.9, 0.99)]
    + [broken(share / 40) for share in range(40)],
)
def test_a_truncated_or_changed_file_gives_what_is_whole_or_one_line(tmp_path, content):
    try:
        arrays, problems = read_arrays(of(tmp_path, content))
    except Damaged as error:
        assert str(error) and str(error).isprintable()
    else:
        assert all(text.isprintable() for text in problems.values())
        assert all(array.dtype.kind in "biuf" for array in arrays.values())


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    zeros = header(SHAPE % "(12500000,)", bytes(8 * 12_500_000))
    path = of(tmp_path, member(zeros))
    del zeros
    assert path.stat().st_size < 2**21
    tracemalloc.start()
    try:
        with pytest.raises(Damaged, match="95 MiB unpacked; at most 64 MiB are read"):
            read_arrays(path)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_a_member_that_lies_about_its_size_is_not_unpacked_beyond_it(tmp_path):
    content = member(header(SHAPE % "(4,)", bytes(2**22)))
    size = len(header(SHAPE % "(4,)", bytes(2**22)))
    lie = len(header(SHAPE % "(4,)", bytes(32)))
    content = content.replace(size.to_bytes(4, "little"), lie.to_bytes(4, "little"))
    arrays, problems = read_arrays(of(tmp_path, content))
    assert arrays == {} and problems["x"].startswith("damaged (BadZipFile: Bad CRC-32")


def test_too_many_members_and_too_large_a_file_are_refused(tmp_path):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for index in range(10_001):
            archive.writestr(f"{index}.npy", b"")
    with pytest.raises(Damaged, match="10001 arrays; at most 10000 are read"):
        read_arrays(of(tmp_path, held.getvalue()))
    with open(tmp_path / "large.npz", "wb") as file:
        file.truncate(2**40)
    with pytest.raises(Damaged, match="1048576 MiB; at most 16 MiB are read"):
        read_arrays(tmp_path / "large.npz")


def test_what_is_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "none.npz")
    (tmp_path / "folder.npz").mkdir()
    os.mkfifo(tmp_path / "pipe.npz")
    (tmp_path / "loop.npz").symlink_to(tmp_path / "loop.npz")
    for name, why in (("folder", "not a file"), ("pipe", "not a file"), ("loop", "symbolic link")):
        with pytest.raises(Damaged, match=why):
            read_arrays(tmp_path / f"{name}.npz")


def test_a_name_that_stands_twice_is_left_out(tmp_path):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        for value in (1.0, 2.0):
            archive.writestr("x.npy", header(SHAPE % "(1,)", np.array([value]).tobytes()))
    assert read_arrays(of(tmp_path, held.getvalue())) == ({}, {"x": "stored twice"})
