"""A time has changed if its seconds and its ratios to all references of the same rounds have."""

import pytest

from afbench.compare.change import Verdict
from afbench.compare.costs import time
from afbench.records.cost import Cost, Figure

ALONE = Cost("", "pau", "alone", shape=(4, 8), dtype="float32", mode="eager", device="cpu")


def about(median: float) -> Figure:
    return Figure(median, 0.99 * median, 1.01 * median, 15)


@pytest.mark.parametrize(
    ("seconds", "copy", "gelu", "verdict"),
    [
        (1.5, 1.5, 1.5, Verdict.SLOWER),
        (0.6, 0.6, 0.6, Verdict.FASTER),
        (1.0, 1.0, 1.0, Verdict.UNCHANGED),
        (1.5, 1.0, 1.0, Verdict.UNCLEAR),  # the machine was slower in B
        (1.5, 1.5, 1.0, Verdict.UNCLEAR),  # arithmetic was, memory was not
        (1.5, 1.0, 1.5, Verdict.UNCLEAR),
        (1.0, 1.5, 1.5, Verdict.UNCLEAR),  # slower, on a machine that was faster in B
        (1.0, 1.5, 1.0, Verdict.UNCHANGED),  # a copy alone has changed
    ],
)
def test_seconds_and_ratios_must_agree(seconds, copy, gelu, verdict):
    beside = [("a copy", about(1.0), about(copy)), ("gelu", about(1.0), about(gelu))]
    found = time(ALONE, "forward", (about(1e-3), about(seconds * 1e-3)), beside, 0.05)
    assert found is not None and found.verdict is verdict
