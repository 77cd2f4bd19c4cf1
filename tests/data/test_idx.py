"""IDX: what is read equals what was written, and anything else is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afbench.data.idx import parse


def written(array):
    """The format's bytes, put together apart from the code."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + bytes(array.ravel().tolist())


@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_round_trip(shape, seed):
    array = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    assert np.array_equal(parse(written(array), len(shape)), array)


IMAGES = written(np.arange(12, dtype=np.uint8).reshape(3, 2, 2))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file"),
        (IMAGES[:7], "not an IDX file"),
        (b"\x1f\x8b" + IMAGES[2:], "not an IDX file"),
        (bytes([0, 0, 13]) + IMAGES[3:], "not an IDX file of unsigned bytes"),
        (written(np.zeros(3, np.uint8)), "3 dimensions"),
        (IMAGES[:-1], "holds 11 values, but its header says 12"),
        (IMAGES + b"\0", "holds 13 values, but its header says 12"),
        (IMAGES[:4] + b"\xff" * 12 + IMAGES[16:], "but its header says"),
    ],
)
def test_refuses(content, message):
    with pytest.raises(ValueError, match=message):
        parse(content, 3)
