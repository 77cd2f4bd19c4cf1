"""Each allocation of the library in turn fails, and every failure reaches the caller."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

import pytest
import torch

from afbench.kernels import ditac, library, rational, units

ALLOCATES = r"std::(?:vector|stable_sort|string|function|map)\b|make_unique|\b[mc]alloc\(|\bnew (?!\()"
NATIVE = Path(library.__file__).with_name("native")
DITAC = 10, True, -3.0, 3.0
X = torch.linspace(-4, 4, 2400)
THETAS = torch.linspace(-0.4, 0.5, 16 * 9).view(16, 9)
CALLS = {
    "swish": lambda x, p: units.swish(x, p[:1], 0),
    "acon_c per channel": lambda x, p: units.acon_c(x.view(3, 8, 100), p[:8], p[8:16], p[16:24], 1),
    "prelu in lanes": lambda x, p: units.prelu(x.view(300, 8), p[:8], 1),
    "pelu per sample": lambda x, p: units.pelu(x.view(3, 8, 100), p[:24].view(3, 8), p[24:48].view(3, 8), 1),
    "rational": lambda x, p: rational.rational(x, p[:6], p[6:10], "", "a", 0),
    "opau in lanes": lambda x, p: rational.rational(
        x.view(300, 8), p[:48].view(8, 6), p[48:80].view(8, 4), "hermite_prob 5 False", "hermite_prob", 1
    ),
    "ditac": lambda x, p: ditac.ditac(x, p[:9], *DITAC, "ditac", False),
    "ditac, uniform": lambda x, p: ditac.ditac(x, p[:9], *DITAC, "leaky_ditac", True),
    "ditac, closed form": lambda x, p: ditac.ditac(x, p[:9] * torch.nan, *DITAC, "inf_ditac", False),
    "many thetas": lambda x, p: ditac.ditac(x.view(16, 150), p.view(16, 9), *DITAC, "ge_ditac", False),
}


@pytest.fixture
def fail():
    """``fail(nth)``: the nth allocation from now on fails. It returns 0 if the last one that was asked for has."""
    hook = library.handle().afbench_fail_allocation
    hook.argtypes, hook.restype = [ctypes.c_int64], ctypes.c_int64
    yield hook
    hook(0)


@pytest.mark.skipif(not library.available(), reason="no compiled kernels here")
@pytest.mark.parametrize("name", CALLS)
def test_every_failure_is_an_error(name, fail):
    def results(nth):
        x, p = X.clone().requires_grad_(), THETAS.flatten().clone().requires_grad_()
        fail(nth)
        y = CALLS[name](x, p)
        y.sum().backward()
        return y.detach(), x.grad, p.grad

    with library.using(library.available()[-1]):
        wanted, nth = results(0), 1
        while True:
            try:
                got = results(nth)
            except MemoryError as error:
                assert re.fullmatch(r"afbench_\w+ could not allocate the memory that it computes with", str(error))
                assert fail(0) == 0
            else:
                assert fail(0) > 0, f"allocation {nth} failed in silence"
                break
            nth += 1
    assert nth > 5, "nothing was allocated"
    torch.testing.assert_close(got, wanted, rtol=0, atol=0, equal_nan=True)


def test_all_memory_comes_from_one_place():
    """What allocates in another way could not be made to fail."""
    for file in NATIVE.iterdir():
        code = re.sub(r"//[^\n]*", "", file.read_text())
        found = re.findall(ALLOCATES, code)
        assert found == {"library.cpp": ["malloc("], "memory.h": ["std::vector"]}.get(file.name, []), file.name
