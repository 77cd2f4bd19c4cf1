"""Memory that stays with the process: page faults tell whether it does."""

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys, torch
from afbench.cost.heap import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
def once():
    [torch.zeros(6_000_000) for _ in range(3)]  # more than the 48 MB that glibc keeps by itself
for _ in range(3):
    once()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    once()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc alone")
@pytest.mark.slow
def test_a_freed_tensor_of_24_mb_faults_no_page_again():
    def faults(which):
        done = subprocess.run([sys.executable, "-c", FAULTS, which], capture_output=True, text=True, check=True)
        return int(done.stdout)

    pages = 15 * 24e6 / 4096
    assert faults("kept") < 0.02 * pages
    assert faults("given back") > 0.02 * pages
