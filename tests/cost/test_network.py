"""Costs: bytes kept for backward, counted by hand; step times as ratios that say what is slow."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import afbench
from afbench.cost.network import NetworkJob, make_bench, saved_by
from afbench.models import mlp
from afbench.records.cost import Cost
from afbench.registry.entries import ACTIVATIONS, TASKS
from afbench.registry.factory import choose
from afbench.tasks.base import MakeActivation, create_task

N, INPUTS, HIDDEN, CLASSES = 16, 3, 8, 5


@pytest.fixture(scope="module", autouse=True)
def entries() -> Iterator[None]:
    """Register a task and a few activations for the length of this module."""
    before = [(r, dict(r.entries), dict(r.aliases)) for r in (ACTIVATIONS, TASKS) if r.names()]

    @afbench.task("costly")
    class Costly(afbench.Task):
        """An MLP 3-8-5 and batches of 16."""

        batch_size: int = N

        def data(self, rng: torch.Generator) -> afbench.Splits:
            batch = torch.randn(40, INPUTS, generator=rng), torch.randint(CLASSES, (40,), generator=rng)
            return afbench.Splits(batch, batch, batch)

        def network(self, act: MakeActivation) -> nn.Module:
            return mlp(INPUTS, HIDDEN, CLASSES, act=act)

    @afbench.activation("sleeps")
    class Sleeps(nn.Module):
        """ReLU, five milliseconds late."""

        def forward(self, x: Tensor) -> Tensor:
            time.sleep(5e-3)
            return x.relu()

    @afbench.activation("fails")
    class Fails(nn.Module):
        """Raises."""

        def forward(self, x: Tensor) -> Tensor:
            raise ValueError("not today")

    @afbench.activation("scales")
    class Scales(nn.Module):
        """x times the sum of 1,000 learned numbers."""

        def __init__(self) -> None:
            super().__init__()
            self.weights = nn.Parameter(torch.ones(1000))

        def forward(self, x: Tensor) -> Tensor:
            return x * self.weights.sum()

    yield
    for registry, known, aliases in before:
        registry.entries, registry.aliases = known, aliases


def measure(job: NetworkJob) -> Cost:
    (cost,) = job.measure()
    return cost


def job(activation: str, **settings: Any) -> NetworkJob:
    return NetworkJob("costly", activation, "relu", "here", settings)


def kept(activation: str) -> int:
    return saved_by(make_bench(create_task("costly"), choose(activation)))


# What the network and the loss keep whatever the activation, in bytes. A float takes 4, a label 8.
#   the first layer: its input, for the gradient of its weights           16 x 3 x 4 = 192
#   the second layer: its input, which is the activation's output         16 x 8 x 4 = 512
#   log-softmax: its result, which is also what the likelihood keeps      16 x 5 x 4 = 320
#   likelihood: the labels, and the sum of their weights (one float)      16 x 8 + 4 = 132
# Parameters are left out: the weights of the layers are kept too, but they are there anyway.
ALWAYS = 192 + 512 + 320 + 132


def test_relu_keeps_nothing_more_since_its_output_is_kept_anyway() -> None:
    assert kept("relu") == ALWAYS


def test_identity_keeps_nothing_more() -> None:
    assert kept("identity") == ALWAYS


def test_gelu_keeps_its_input_too() -> None:
    assert kept("gelu") == ALWAYS + 16 * 8 * 4


def test_a_learnt_number_keeps_itself_and_its_factor_but_no_parameter() -> None:
    # x * w keeps x and the sum w (one float); the 1,000 parameters in the sum are left out.
    assert kept("scales") == ALWAYS + 16 * 8 * 4 + 4


def test_counting_twice_gives_the_same() -> None:
    one = make_bench(create_task("costly"), choose("gelu"))
    one.step()
    assert saved_by(one) == saved_by(one) == ALWAYS + 512


@pytest.fixture(scope="module")
def gelu(entries: None) -> Cost:
    return measure(job("gelu"))


def test_a_cost_says_what_was_measured_and_beside_what(gelu: Cost) -> None:
    assert gelu.status == "ok"
    saved = {"bytes": ALWAYS + 512, "baseline_bytes": ALWAYS, "ratio": (ALWAYS + 512) / ALWAYS}
    assert gelu.saved == {**saved, "identity_bytes": ALWAYS, "added_bytes": 512}
    weights = 3 * 8 + 8 + 8 * 5 + 5
    assert gelu.parameters == {"activation": 0, "trainable": weights, "total": weights}
    assert (gelu.task, gelu.activation, gelu.baseline, gelu.environment) == (
        "costly",
        "gelu",
        "relu",
        "here",
    )
    assert (gelu.threads, gelu.device) == (1, "cpu")
    assert gelu.key == job("gelu").key


def test_a_cost_is_json(gelu: Cost) -> None:
    assert Cost.from_json(gelu.to_json()) == gelu


def test_there_is_no_peak_on_a_cpu(gelu: Cost) -> None:
    assert gelu.peak == {}


def test_times_are_positive_and_the_ratio_lies_between_its_quartiles(gelu: Cost) -> None:
    for timing in (gelu.time("step"), gelu.time("inference")):
        ratio = timing.ratio("relu")
        assert 0 < ratio.low <= ratio.median <= ratio.high
        assert 0 < timing.seconds.median < 1
        assert 0 < timing.beside["relu"].median < 1
    assert gelu.time("inference").seconds.median < gelu.time("step").seconds.median


def test_the_baseline_beside_itself_takes_about_as_long() -> None:
    # Thrice at most: a machine that is busy with something else may spoil a measurement.
    assert any(0.5 < measure(job("relu")).step.median < 2 for _ in range(3))


def test_an_activation_that_dawdles_is_slow_by_that_much() -> None:
    step = measure(job("sleeps")).time("step")
    assert step.ratio("relu").median > 2
    assert step.seconds.median - step.beside["relu"].median > 4e-3


def test_measuring_puts_the_threads_back() -> None:
    before = torch.get_num_threads()
    measure(job("relu", threads=3))
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("activation", "said"), [("fails", "ValueError: not today"), ("rellu", "unknown activation 'rellu'")]
)
def test_what_cannot_be_measured_is_an_error_with_its_reason(activation: str, said: str) -> None:
    cost = measure(job(activation))
    assert cost.status == "error"
    assert said in cost.reason
    assert not cost.times
    assert Cost.from_json(cost.to_json()) == cost


@pytest.mark.parametrize(
    "other",
    [
        NetworkJob("t2", "gelu", "relu", "here"),
        NetworkJob("t", "relu", "relu", "here"),
        NetworkJob("t", "gelu", "silu", "here"),
        NetworkJob("t", "gelu", "relu", "there"),
        NetworkJob("t", "gelu", "relu", "here", {"width": 9}),
    ],
)
def test_a_cost_of_something_else_or_elsewhere_has_another_key(other: NetworkJob) -> None:
    assert other.key != NetworkJob("t", "gelu", "relu", "here").key
