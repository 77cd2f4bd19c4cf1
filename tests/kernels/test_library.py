"""The choice of the path: what AFBENCH_KERNELS may say, and what is said without a library."""

from __future__ import annotations

import sys
import warnings

import pytest
import torch

from afbench.errors import SlowKernels, Unavailable, UsageError
from afbench.kernels import library


@pytest.fixture
def fresh(monkeypatch):
    """The choice is made anew."""
    monkeypatch.setattr(library, "_chosen", library._UNKNOWN)
    monkeypatch.delenv("AFBENCH_KERNELS", raising=False)
    return monkeypatch


def test_plain_is_obeyed(fresh):
    fresh.setenv("AFBENCH_KERNELS", "plain")
    assert library.instructions() is None
    assert library.path() == "plain"


@pytest.mark.skipif(not library.available(), reason="no compiled kernels here")
def test_native_is_the_best_that_there_is(fresh):
    for choice in ("native", None):
        fresh.setattr(library, "_chosen", library._UNKNOWN)
        if choice:
            fresh.setenv("AFBENCH_KERNELS", choice)
        assert library.path() == f"native-{library.available()[-1]}"


@pytest.mark.parametrize("choice", ["", "fast", "Native"])
def test_what_it_may_not_say(fresh, choice):
    fresh.setenv("AFBENCH_KERNELS", choice)
    with pytest.raises(UsageError, match="may be plain or native, or unset") as caught:
        library.instructions()
    assert "\n" not in str(caught.value)


def test_without_a_library_it_says_so_once(fresh):
    fresh.setattr(library, "handle", lambda: None)
    assert library.available() == []
    with pytest.warns(SlowKernels, match="without its compiled kernels"):
        assert library.path() == "plain"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        torch.ops.afbench.swish(torch.ones(3), torch.ones(1), 0)


def test_without_a_library_native_is_an_error(fresh):
    fresh.setattr(library, "handle", lambda: None)
    fresh.setenv("AFBENCH_KERNELS", "native")
    with pytest.raises(Unavailable, match="no compiled kernels at") as caught:
        library.instructions()
    assert "\n" not in str(caught.value)


def test_a_library_that_cannot_be_loaded_is_none(monkeypatch, tmp_path):
    broken = tmp_path / "_native.so"
    broken.write_bytes(b"no library")
    monkeypatch.setattr(library, "PATH", broken)
    library.handle.cache_clear()
    try:
        assert library.handle() is None
    finally:
        library.handle.cache_clear()


def test_using_is_undone():
    before = library.instructions()
    with pytest.raises(ZeroDivisionError), library.using(None):
        assert library.path() == "plain"
        _ = 1 / 0
    assert library.instructions() == before


@pytest.mark.skipif(sys.platform != "linux" or not library.available(), reason="Linux, with compiled kernels")
def test_shares_the_threads_of_torch():
    """Two OpenMP runtimes would spin on the same cores."""
    assert library._team()
