"""Bytes kept for backward, counted by hand from each formula."""

import pytest
import torch

from afbench.cost.case import Case
from afbench.cost.memory import peak_bytes, saved_bytes
from afbench.cost.timed import saved, timed
from afbench.kernels import library
from afbench.registry.factory import choose

SHAPE = (4, 3, 5, 7)
N, C = 4 * 3 * 5 * 7, 3

# What each keeps of a float32 input of N elements and C channels: float tensors of N, bytes more, and which they are.
PLAIN = {
    "relu": (1, 0),  # its output
    "gelu": (1, 0),  # x
    # d = (p1 - p2) x keeps x and p1 - p2 [C]; beta d keeps d; the sigmoid itself; p2 x keeps x once more
    "acon_c": (3, 4 * C),
    # the flow keeps where points start and how far they move, and the velocity at 11 vertices, which is a matrix
    # [11, 9] times theta; the choice between T(x) and x keeps a truth a point; T Phi both factors; Phi its argument
    "ditac": (2 + 2 + 1, N + 4 * 11 + 4 * 11 * 9),
}


@pytest.mark.parametrize("name", PLAIN)
def test_saved_bytes_are_those_counted_by_hand(name):
    tensors, more = PLAIN[name]
    with library.using(None):
        one = timed(choose(name), Case(SHAPE))
        assert saved(one, torch.randn(SHAPE)) == tensors * 4 * N + more


@pytest.mark.skipif(not library.available(), reason="there are no compiled kernels here")
@pytest.mark.parametrize("name", [*PLAIN, "pau"])
def test_the_compiled_kernels_keep_one_tensor(name):
    with library.using(library.available()[-1]):
        assert saved(timed(choose(name), Case(SHAPE)), torch.randn(SHAPE)) == 4 * N


def test_half_the_bytes_in_half_the_precision():
    one = timed(choose("gelu"), Case(SHAPE, dtype="bfloat16"))
    assert saved(one, torch.randn(SHAPE, dtype=torch.bfloat16)) == 2 * N


def test_a_storage_counts_once_and_what_is_left_out_does_not():
    x = torch.ones(10, requires_grad=True)
    w = torch.ones(10, requires_grad=True)
    assert saved_bytes(lambda: x * w) == 80
    assert saved_bytes(lambda: x * w, [w]) == 40
    assert saved_bytes(lambda: x * x) == 40
    assert saved_bytes(lambda: x + 1) == 0


def test_counting_works_under_no_grad():
    x = torch.ones(10, requires_grad=True)
    with torch.no_grad():
        assert saved_bytes(lambda: x.exp()) == 40


def test_no_peak_on_a_cpu():
    assert peak_bytes(lambda: None, "cpu") is None
