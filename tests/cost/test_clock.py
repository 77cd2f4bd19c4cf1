"""The clocks' logic on a device that is made up: what is put on its stream, and in which order."""

from __future__ import annotations

import time
from contextlib import contextmanager

import pytest
import torch

from afbench.cost.clock import WARM_UP, CpuClock, EventClock, capture


class FakeEvent:
    """A mark: the device's time, once the device has been waited for."""

    def __init__(self, device):
        self.device, self.at = device, None

    def record(self):
        self.device.log.append("record")
        self.at = self.device.now

    def elapsed_time(self, end):
        assert self.device.log[-1] == "synchronize", "read before the device was waited for"
        return 1e3 * (end.at - self.at)


class FakeDevice:
    """A stream whose time passes by what is put on it."""

    def __init__(self):
        self.log, self.now, self.recording = [], 0.0, None

    def synchronize(self):
        self.log.append("synchronize")

    def event(self):
        return FakeEvent(self)

    def flush(self):
        self.log.append("flush")
        self.now += 100.0

    def call(self):
        self.log.append("call")
        self.now += 2.0

    def record_graph(self, call):
        self.log.append("begin")
        call()
        self.log.append("end")
        return lambda: self.log.append("replay")

    @contextmanager
    def aside(self):
        self.log.append("aside")
        yield
        self.log.append("back")


@pytest.fixture
def device():
    return FakeDevice()


def test_cold_calls_are_timed_one_by_one_each_after_a_flush(device):
    assert EventClock(device, cold=True).time(device.call, 3) == pytest.approx(2.0)  # the flushes are not in it
    timed = ["flush", "record", "call", "record"] * 3
    assert device.log == ["call"] * WARM_UP + ["synchronize"] + timed + ["synchronize"]


def test_warm_calls_are_timed_together_and_nothing_is_flushed(device):
    assert EventClock(device, cold=False).time(device.call, 3) == pytest.approx(2.0)
    timed = ["record", "call", "call", "call", "record"]
    assert device.log == ["call"] * WARM_UP + ["synchronize"] + timed + ["synchronize"]


def test_a_graph_is_captured_after_the_warm_up_and_replayed(device):
    replay = capture(device, device.call)
    warm = ["aside"] + ["call"] * WARM_UP + ["back"]
    assert device.log == ["synchronize", *warm, "synchronize", "begin", "call", "end"]
    device.log.clear()
    EventClock(device, cold=True).time(replay, 2)
    assert device.log == ["replay"] * WARM_UP + ["synchronize"] + ["flush", "record", "replay", "record"] * 2 + [
        "synchronize"
    ]


def test_the_cpu_clock_tells_the_time_of_a_call_and_puts_the_threads_back():
    before, seen = torch.get_num_threads(), []

    def call():
        seen.append(torch.get_num_threads())
        time.sleep(2e-3)

    assert 2e-3 <= CpuClock(3).time(call, 5) < 0.1
    assert set(seen) == {3} and torch.get_num_threads() == before
