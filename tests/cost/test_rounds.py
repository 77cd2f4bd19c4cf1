"""Rounds against a clock that is made up: who is timed, how often, in which order, and what drift does."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys
from collections import Counter

import pytest

from afbench.cost.rounds import SAMPLE_SECONDS, interleave

FAULTS = """
import resource, sys, torch
from afbench.cost.rounds import keep_freed_memory
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


class FakeClock:
    """Seconds by name; ``drift`` makes each sample slower than the one before."""

    def __init__(self, seconds, drift=1.0):
        self.seconds, self.drift, self.factor = seconds, drift, 1.0
        self.log, self.collecting = [], []

    def calls(self):
        return {name: (lambda name=name: name) for name in self.seconds}

    def time(self, call, number):
        name = call()
        self.log.append((name, number))
        self.collecting.append(gc.isenabled())
        self.factor *= self.drift
        if self.seconds[name] is None:
            raise ValueError("not today")
        return self.seconds[name] * self.factor


def rounds_of(clock, found, rounds):
    """Cut the log of the rounds into rounds."""
    names = [name for name, _ in clock.log][-sum(len(one.seconds) for one in found.values()) :]
    width = len(names) // rounds
    return [names[start : start + width] for start in range(0, len(names), width)]


def test_each_takes_part_once_a_round_in_an_order_drawn_anew():
    clock = FakeClock({"a": 1e-3, "b": 2e-3, "c": 3e-3})
    found = interleave(clock.calls(), clock, rounds=12)
    orders = rounds_of(clock, found, 12)
    assert all(Counter(order) == Counter("abc") for order in orders)
    assert len({tuple(order) for order in orders}) > 3
    again = FakeClock({"a": 1e-3, "b": 2e-3, "c": 3e-3})
    assert rounds_of(again, interleave(again.calls(), again, rounds=12), 12) == orders
    other = FakeClock({"a": 1e-3, "b": 2e-3, "c": 3e-3})
    assert rounds_of(other, interleave(other.calls(), other, rounds=12, seed=1), 12) != orders


def test_ratios_within_a_round_do_not_see_a_drift_that_seconds_do():
    clock = FakeClock({"a": 1e-3, "b": 2e-3}, drift=1.03)
    found = interleave(clock.calls(), clock, rounds=15)
    ratio, seconds = found["b"].over(found["a"]), found["b"].figure()
    assert ratio.median == pytest.approx(2.0, rel=0.04)
    assert ratio.quartiles[1] / ratio.quartiles[0] < 1.07
    assert seconds.quartiles[1] / seconds.quartiles[0] > 1.5


def test_short_calls_are_repeated_within_a_sample():
    clock = FakeClock({"short": 1e-5, "long": 1.0})
    found = interleave(clock.calls(), clock, rounds=15)
    assert found["short"].number * 1e-5 == pytest.approx(SAMPLE_SECONDS, rel=0.01)
    assert found["long"].number == 1
    assert found["short"].work == pytest.approx(SAMPLE_SECONDS, rel=0.01)


def test_slow_calls_take_part_in_the_first_rounds_alone_but_in_five():
    clock = FakeClock({"quick": 1e-3, "slow": 10.0})
    found = interleave(clock.calls(), clock, rounds=15, budget=6.0)
    assert [len(found[name].seconds) for name in ("quick", "slow")] == [15, 5]
    assert found["slow"].over(found["quick"]).samples == 5


def test_who_raises_is_left_out_with_the_error_and_the_others_go_on():
    clock = FakeClock({"good": 1e-3, "bad": None})
    found = interleave(clock.calls(), clock, rounds=6)
    assert str(found["bad"].error) == "not today" and found["bad"].seconds == []
    assert len(found["good"].seconds) == 6 and found["good"].error is None


def test_who_raises_in_a_later_round_is_left_out_from_there_on():
    clock = FakeClock({"good": 1e-3, "late": 1e-3})
    calls = clock.calls()
    count = Counter()

    def late():
        count["late"] += 1
        if count["late"] > 10:
            raise ValueError("too late")
        return "late"

    found = interleave({"good": calls["good"], "late": late}, clock, rounds=15)
    assert 0 < len(found["late"].seconds) < 15 and str(found["late"].error) == "too late"
    assert len(found["good"].seconds) == 15


@pytest.mark.parametrize("on", [True, False])
def test_the_garbage_collector_is_off_in_the_rounds_and_as_it_was_afterwards(on):
    was = gc.isenabled()
    (gc.enable if on else gc.disable)()
    try:
        clock = FakeClock({"a": 1e-3})
        found = interleave(clock.calls(), clock, rounds=5)
        assert not any(clock.collecting[-len(found["a"].seconds) :])
        assert gc.isenabled() == on
    finally:
        (gc.enable if was else gc.disable)()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc alone")
@pytest.mark.slow
def test_a_freed_tensor_of_24_mb_faults_no_page_again():
    def faults(which):
        done = subprocess.run([sys.executable, "-c", FAULTS, which], capture_output=True, text=True, check=True)
        return int(done.stdout)

    pages = 15 * 24e6 / 4096
    assert faults("kept") < 0.02 * pages
    assert faults("given back") > 0.02 * pages
