"""A batch measured alone: what its costs say, and that nothing an activation does ends it."""

from __future__ import annotations

import contextlib
import statistics
import time

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.benchmark import Timer

import afbench
from afbench.cost import alone, rounds
from afbench.cost.alone import AloneJob, ready
from afbench.cost.case import Case
from afbench.cost.clock import CpuClock
from afbench.kernels import library
from afbench.records.cost import Cost

CASE = Case((4, 3, 5, 7))
N = 4 * 3 * 5 * 7


@pytest.fixture
def entries():
    @afbench.activation("dawdles")
    class Dawdles(nn.Module):
        """ReLU, two milliseconds late."""

        def forward(self, x: Tensor) -> Tensor:
            time.sleep(2e-3)
            return x.relu()

    @afbench.activation("fails")
    class Fails(nn.Module):
        """Raises."""

        def forward(self, x: Tensor) -> Tensor:
            raise ValueError("not today")

    @afbench.activation("tires")
    class Tires(nn.Module):
        """Raises after a while."""

        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            type(self).calls += 1
            if type(self).calls > 30:
                raise ValueError("too tired")
            return x.relu()

    @afbench.activation("devours")
    class Devours(nn.Module):
        """Wants a million gigabytes."""

        def forward(self, x: Tensor) -> Tensor:
            return torch.empty(2**50)

    @afbench.activation("modal")
    class Modal(nn.Module):
        """Raises if it is timed forward in training, or with a gradient in evaluation."""

        def forward(self, x: Tensor) -> Tensor:
            assert self.training == torch.is_grad_enabled()
            return x.relu()


@pytest.fixture(autouse=True)
def small_cache(monkeypatch):
    """A cache of 64 kB: inputs are made in no time."""
    monkeypatch.setattr(alone, "cache_bytes", lambda: 2**16)
    monkeypatch.setattr(rounds, "quiet", contextlib.nullcontext)  # a full garbage collection takes longer


def measured(*activations, case=CASE, rounds=5):
    return dict(zip(activations, AloneJob(case, activations, "here", rounds).measure(), strict=True))


def test_a_cost_says_what_was_measured_where_and_beside_what():
    costs = measured("gelu", "acon_c")
    cost = costs["acon_c"]
    assert cost.status == "ok" and cost.kind == "alone"
    assert (cost.shape, cost.channel_dim, cost.elements) == ((4, 3, 5, 7), 1, N)
    assert (cost.dtype, cost.mode, cost.device, cost.threads) == ("float32", "eager", "cpu", 1)
    assert cost.key == AloneJob(CASE, (), "here").key("acon_c")
    assert cost.parameters == {"activation": 9, "trainable": 9, "total": 9}
    assert costs["gelu"].saved == {"bytes": 4 * N, "per_element": 4.0}
    assert cost.peak == {}
    assert cost.batch["activations"] == ["gelu", "acon_c"] and cost.batch == costs["gelu"].batch
    assert set(cost.versions) == {"activation", "afbench", "torch", "kernels"}
    assert Cost.from_json(cost.to_json()) == cost


def test_each_pass_has_seconds_and_ratios_cold_and_warm():
    cost = measured("gelu")["gelu"]
    for which in ("forward", "training"):
        for temperature in ("cold", "warm"):
            timing = cost.time(f"{which}_{temperature}")
            assert set(timing.ratios) == set(timing.beside) == {"relu", "gelu", "copy"}
            for figure in (timing.seconds, *timing.ratios.values(), *timing.beside.values()):
                assert 0 < figure.low <= figure.median <= figure.high and figure.samples == 5
    assert cost.time("training_cold").seconds.median > cost.time("forward_cold").seconds.median


def test_there_is_no_warm_figure_where_input_and_output_do_not_fit_into_the_cache(monkeypatch):
    monkeypatch.setattr(alone, "cache_bytes", lambda: 4 * N)
    assert set(measured("gelu")["gelu"].times) == {"forward_cold", "training_cold"}


@pytest.mark.slow
def test_who_dawdles_is_slow_by_that_much(entries):
    costs = measured("relu", "dawdles")
    timing = costs["dawdles"].time("forward_cold")
    assert timing.ratio("relu").median > 5 and timing.seconds.median > 2e-3
    assert any(0.4 < measured("relu")["relu"].time("forward_cold").ratio("relu").median < 2.5 for _ in range(3))


def test_a_failure_is_a_cost_with_its_reason_and_the_others_are_measured(entries):
    costs = measured("gelu", "fails", "devours", "nobody", "tires")
    assert {name: cost.status for name, cost in costs.items()} == {
        "gelu": "ok",
        "fails": "error",
        "devours": "oom",
        "nobody": "error",
        "tires": "error",
    }
    assert costs["fails"].reason == "ValueError: not today"
    assert "unknown activation 'nobody'" in costs["nobody"].reason
    assert costs["tires"].reason == "ValueError: too tired"
    assert costs["gelu"].time("training_warm").ratio("relu").samples == 5
    assert all(cost.batch["id"] for cost in costs.values())
    assert all(Cost.from_json(cost.to_json()) == cost for cost in costs.values())


def test_inputs_that_do_not_fit_fail_all_with_the_reason():
    cost = measured("relu", case=Case((2**16, 2**18)))["relu"]
    assert cost.status == "oom" and "inputs of 65536x262144" in cost.reason


def test_what_forward_and_backward_would_keep_is_asked_for_before(monkeypatch):
    from afbench.records import environment

    case = Case((10_000, 8))  # 320 kB; the plain PAU keeps 76 bytes an element, 6 MB
    monkeypatch.setattr(environment, "available_memory", lambda: 10 * 2**20)
    with library.using(None):
        costs = measured("relu", "pau", case=case)
    assert (costs["relu"].status, costs["pau"].status) == ("ok", "oom")
    assert "forward and backward of 10000x8" in costs["pau"].reason


def test_forward_is_timed_in_evaluation_without_gradients_and_training_with_them(entries):
    assert measured("modal")["modal"].status == "ok"


def test_threads_and_gradients_are_as_they_were():
    before = torch.get_num_threads()
    measured("relu", case=Case((8, 8), threads=3))
    assert torch.get_num_threads() == before and torch.is_grad_enabled()


@pytest.mark.parametrize(
    "other",
    [Case((4, 3, 5, 8)), Case(CASE.shape, "bfloat16"), Case(CASE.shape, mode="compile"), Case(CASE.shape, threads=2)],
)
def test_another_case_machine_or_activation_has_another_key(other):
    here, elsewhere = AloneJob(CASE, (), "a"), AloneJob(CASE, (), "b")
    assert here.key("relu") != AloneJob(other, (), "a").key("relu")
    assert len({here.key("relu"), elsewhere.key("relu"), here.key("gelu")}) == 3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit.script_method:DeprecationWarning")
def test_compiled():
    cost = measured("swish", case=Case((64, 64), mode="compile"))["swish"]
    assert cost.status == "ok" and cost.mode == "compile"


@pytest.mark.slow
def test_gelu_takes_what_torch_utils_benchmark_says_it_takes(monkeypatch):
    """Within 5 %: the median over seven pairs of our figure and torch's own before and after it.

    Thrice at most: a neighbour that comes or goes within a pair moves it by more.
    """
    monkeypatch.setattr(alone, "cache_bytes", lambda: 2**25)
    x = torch.randn(256, 1024)
    timer = Timer("F.gelu(x)", globals={"F": F, "x": x}, num_threads=1)
    job = AloneJob(Case((256, 1024)), ("gelu",), "here")

    def pair():
        before = timer.blocked_autorange(min_run_time=0.3).median
        ours = job.measure()[0].time("forward_warm").seconds.median
        return 2 * ours / (before + timer.blocked_autorange(min_run_time=0.3).median)

    with torch.no_grad():
        medians = (statistics.median(pair() for _ in range(7)) for _ in range(3))
        assert any(abs(median - 1) < 0.05 for median in medians)


def test_the_clock_of_a_cpu_is_the_one_of_torch():
    clock, calls = ready(CASE, {"a": len}, cold=True)
    assert isinstance(clock, CpuClock) and clock.threads == 1 and calls == {"a": len}
