"""CIFAR batches: binary and pickled ones give the same arrays, and no pickle runs."""

import os
import pickle
import struct
import warnings

import numpy as np
import pytest

from afbench.data.cifar import Forbidden, parse_binary, parse_pickled

PIXELS = np.random.default_rng(0).integers(0, 256, (7, 3072), np.uint8)
LABELS = np.array([3, 0, 9, 9, 1, 2, 5], np.uint8)


def text(value):
    return b"U" + struct.pack("<B", len(value)) + value


def pickled(data, labels=b"](K\x03K\x00K\x09K\x09K\x01K\x02K\x05e"):
    return b"\x80\x02}(" + text(b"labels") + labels + text(b"data") + data + b"u."


def array(shape=(7, 3072), kind=b"u1", raw=None, fortran=b"\x89"):
    """An array as Python 2's NumPy pickled it."""
    raw = PIXELS.tobytes() if raw is None else raw
    start = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01"
    sizes = b"(" + b"".join(b"M" + struct.pack("<H", size) for size in shape) + b"t"
    dtype = b"cnumpy\ndtype\n" + text(kind) + b"K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    return start + sizes + dtype + fortran + b"T" + struct.pack("<i", len(raw)) + raw + b"tb"


def test_the_pickle_written_here_is_one_that_numpy_reads():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some versions say that numpy.core has moved
        batch = pickle.loads(pickled(array()), encoding="bytes")
    assert np.array_equal(batch[b"data"], PIXELS)
    assert batch[b"labels"] == LABELS.tolist()


@pytest.mark.parametrize("coarse", [b"", b"\x07"])
def test_binary(coarse):
    content = b"".join(coarse + bytes([y]) + x.tobytes() for x, y in zip(PIXELS, LABELS, strict=True))
    images, labels = parse_binary(content, 1 + len(coarse))
    assert np.array_equal(images, PIXELS.reshape(7, 3, 32, 32))
    assert np.array_equal(labels, LABELS)


@pytest.mark.parametrize("content", [b"", bytes(3073 * 2 - 1), bytes(3074)])
def test_binary_refuses_part_of_a_record(content):
    with pytest.raises(ValueError, match="are not a multiple of the record size 3073"):
        parse_binary(content, 1)


def test_pickled():
    images, labels = parse_pickled(pickled(array()), "labels")
    assert images.dtype == labels.dtype == np.uint8
    assert np.array_equal(images, PIXELS.reshape(7, 3, 32, 32))
    assert np.array_equal(labels, LABELS)


def test_pickled_in_fortran_order():
    content = pickled(array(raw=PIXELS.T.tobytes(), fortran=b"\x88"))
    assert np.array_equal(parse_pickled(content, "labels")[0].reshape(7, -1), PIXELS)


class Malicious:
    """What a pickle can do to whoever loads it."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("function", [os.mkdir, eval, pickle.loads], ids=lambda f: f.__name__)
def test_a_malicious_pickle_does_not_run(tmp_path, protocol, function):
    path = tmp_path / "ran"
    argument = {
        os.mkdir: str(path),
        eval: f"__import__('os').mkdir({str(path)!r})",
        pickle.loads: pickle.dumps(Malicious(os.mkdir, str(path))),
    }[function]
    content = pickle.dumps({b"data": Malicious(function, argument), b"labels": []}, protocol)
    with pytest.raises(Forbidden, match="a CIFAR batch does not contain; nothing was executed"):
        parse_pickled(content, "labels")
    assert not path.exists()
    pickle.loads(content)
    assert path.exists(), "the same pickle does run when it is loaded"


@pytest.mark.parametrize(
    "name", [b"numpy.core.multiarray\nscalar", b"numpy\nload", b"numpy\nndarray.tofile", b"_codecs\nencode"]
)
def test_no_other_name_is_found_not_even_numpys(name):
    with pytest.raises(Forbidden, match=name.split(b"\n")[1].decode()):
        parse_pickled(pickled(b"c" + name + b"\n)R"), "labels")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"junk",
        pickled(array())[:-20],
        pickled(array(kind=b"i1")),
        pickled(array(kind=b"O8", raw=b"")),
        pickled(array(shape=(7, 3071))),
        pickled(array(shape=(8, 3072))),
        pickled(b"](K\x01e"),
        pickled(b"N"),
        pickled(array(), b"](K\x01e"),
        pickled(array(), b"](M\x00\x01" + b"K\x00" * 6 + b"e"),
        b"\x80\x02]q\x00.",
        b"\x80\x02K\x01.",
        b"\x80\x02cnumpy\nndarray\nK\x01b.",
        b"\x80\x02cnumpy\nndarray\n)R)R.",
        b"\x80\x02\x82\x01.",
        b"\x80\x02Pid\n.",
    ],
)
def test_what_is_no_batch_is_a_value_error(content):
    with pytest.raises(ValueError):
        parse_pickled(content, "labels")


def test_fine_labels():
    content = pickled(array()).replace(text(b"labels"), text(b"fine_labels"))
    assert np.array_equal(parse_pickled(content, "fine_labels")[1], LABELS)
    with pytest.raises(ValueError, match="data and labels"):
        parse_pickled(content, "labels")
