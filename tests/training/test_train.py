"""The training loop: what is paired, what is repeatable, what is looked at when, and where it gives up."""

import math
import random
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from afbench.engines.ambient import pinned_threads
from afbench.errors import ActivationError, AfbenchError
from afbench.models import mlp
from afbench.registry.entry import Entry
from afbench.registry.factory import Choice, choose
from afbench.tasks.base import Batch, MakeActivation, Splits, Task
from afbench.training.train import Diverged, train

RELU = choose("relu")


def use(activation: type[nn.Module]) -> Choice:
    """Choose a class that is not registered."""
    return Choice(Entry("activation", "mine", activation), {})


class Quadrants(Task):
    """Which quadrants a point lies in, MLP 2-6-6-2; 20 points to train, 11 to validate, 13 to test."""

    def data(self, rng: torch.Generator) -> Splits:
        points = torch.randn(44, 2, generator=rng)
        labels = (points.prod(1) > 0).long()
        first, second, third = ((points[a:b], labels[a:b]) for a, b in ((0, 20), (20, 31), (31, 44)))
        return Splits(first, second, third)

    def network(self, act: MakeActivation) -> nn.Module:
        return mlp(2, 6, 6, 2, act=act)


class Noisy(nn.Module):
    """Draws random numbers when it is built and whenever it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.rand(7))

    def forward(self, x: Tensor) -> Tensor:
        return x.relu() + self.slope.mean() * torch.rand_like(x)


def recorder() -> type[Quadrants]:
    """Make a task that remembers the data, the weights and the batches that it saw."""

    class Recording(Quadrants):
        seen: ClassVar[dict[str, list[Tensor]]] = {"data": [], "weights": [], "batches": []}

        def data(self, rng: torch.Generator) -> Splits:
            splits = super().data(rng)
            self.seen["data"] += [values for split in splits for values in split]
            return splits

        def network(self, act: MakeActivation) -> nn.Module:
            network = super().network(act)
            linear = [layer for layer in network if isinstance(layer, nn.Linear)]
            self.seen["weights"] += [p.detach().clone() for layer in linear for p in layer.parameters()]
            return network

        def batches(self, splits: Splits, rng: torch.Generator) -> Iterator[Batch]:
            for batch in super().batches(splits, rng):
                self.seen["batches"] += batch
                yield batch

    return Recording


def what_is_seen(choice: Choice, seed: int) -> dict[str, list[Tensor]]:
    made = recorder()
    train(made(epochs=3, batch_size=8), choice, seed)
    return made.seen


def equal(one: list[Tensor], other: list[Tensor]) -> bool:
    return len(one) == len(other) and all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


# Pairing and repeating


@pytest.mark.parametrize("part", ["data", "weights", "batches"])
def test_two_activations_of_one_seed_get_the_same(part: str) -> None:
    one, other = what_is_seen(RELU, 4)[part], what_is_seen(use(Noisy), 4)[part]
    assert one
    assert equal(one, other)


@pytest.mark.parametrize("part", ["data", "weights", "batches"])
def test_two_seeds_get_different(part: str) -> None:
    assert not equal(what_is_seen(RELU, 4)[part], what_is_seen(RELU, 5)[part])


def test_the_order_changes_from_epoch_to_epoch_and_each_goes_through_all_data() -> None:
    seen = what_is_seen(RELU, 0)
    inputs = seen["batches"][::2]
    assert [len(batch) for batch in inputs] == [8, 8, 4] * 3
    epochs = [torch.cat(inputs[i : i + 3]) for i in (0, 3, 6)]
    assert not torch.equal(epochs[0], epochs[1])
    for epoch in epochs:
        assert sorted(epoch.tolist()) == sorted(seen["data"][0].tolist())


class Dropping(Quadrants):
    """Quadrants with dropout: it draws from the global generator while it trains."""

    def network(self, act: MakeActivation) -> nn.Module:
        return nn.Sequential(super().network(act)[:-1], nn.Dropout(0.3), nn.Linear(6, 2))


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_rerun_gives_the_same_bits_whatever_happened_before(optimizer: Any) -> None:
    task = Dropping(epochs=4, batch_size=8, lr=0.1, optimizer=optimizer)
    torch.manual_seed(1)
    one = train(task, use(Noisy), 2)
    torch.manual_seed(2)
    train(task, RELU, 7)
    other = train(task, use(Noisy), 2)
    assert one.metrics == other.metrics
    assert equal([*one.network.parameters()], [*other.network.parameters()])
    assert one.arrays["curve/loss"].tolist() == other.arrays["curve/loss"].tolist()


def test_training_leaves_the_global_generator_as_it_was() -> None:
    before = torch.get_rng_state()
    train(Dropping(epochs=1), use(Noisy), 0)
    assert torch.equal(torch.get_rng_state(), before)


# Steps, by hand: a network that is one number w, whatever its input


class Number(nn.Module):
    """Returns w, one for each input."""

    def __init__(self, start: float = 1.0) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(start, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.w.expand(len(x))


class Bowl(Task):
    """Loss w^2 / 2, so that the gradient is w; one step an epoch."""

    metric = "w"

    def data(self, rng: torch.Generator) -> Splits:
        batch = torch.zeros(4, 1), torch.zeros(4)
        return Splits(batch, batch, batch)

    def network(self, act: MakeActivation) -> nn.Module:
        return Number()

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return (output**2).mean() / 2

    def metrics(self, output: Tensor, target: Tensor) -> dict[str, float]:
        return {"w": output[0].item()}


def path(**settings: Any) -> list[float]:
    """Return w after each epoch."""
    task = Bowl(**{"dtype": "float64", "lr": 0.1, "epochs": 5} | settings)
    return train(task, RELU, 0).arrays["curve/validation"].tolist()


def test_sgd_with_momentum_steps_as_written_out() -> None:
    w, v, expected = 1.0, 0.0, []
    for _ in range(5):
        v = 0.8 * v + w
        w -= 0.1 * v
        expected.append(w)
    assert path(optimizer="sgd", momentum=0.8) == pytest.approx(expected, rel=1e-12)


def test_adam_steps_as_written_out() -> None:
    w, m, v, expected = 1.0, 0.0, 0.0, []
    for t in range(1, 6):
        m, v = 0.9 * m + 0.1 * w, 0.999 * v + 0.001 * w * w
        w -= 0.1 * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
        expected.append(w)
    assert path(optimizer="adam") == pytest.approx(expected, rel=1e-12)


def test_cosine_takes_the_rate_down_half_a_wave_from_epoch_to_epoch() -> None:
    w, expected = 1.0, []
    for factor in (1.0, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2):
        w -= 0.1 * factor * w
        expected.append(w)
    assert path(optimizer="sgd", momentum=0.0, schedule="cosine", epochs=4) == pytest.approx(expected, rel=1e-12)


def test_the_constant_schedule_keeps_the_rate() -> None:
    expected = [0.9**epoch for epoch in range(1, 6)]
    assert path(optimizer="sgd", momentum=0.0) == pytest.approx(expected, rel=1e-12)


# Penalty and decay


class Priced(nn.Module):
    """Does nothing to x, and asks 3 p^2 for it."""

    def __init__(self) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor(2.0))

    def forward(self, x: Tensor) -> Tensor:
        return x + 0 * self.p

    def penalty(self) -> Tensor:
        return 3 * self.p**2


class OneLayer(Quadrants):
    """Quadrants with a single activation."""

    def network(self, act: MakeActivation) -> nn.Module:
        return mlp(2, 6, 2, act=act)


def test_a_penalty_is_minimised_and_is_no_part_of_the_loss() -> None:
    task = OneLayer(epochs=2, optimizer="sgd", momentum=0.0, lr=0.1)
    priced, free = train(task, use(Priced), 0), train(task, choose("identity"), 0)
    assert priced.arrays["curve/loss"].tolist() == free.arrays["curve/loss"].tolist()
    assert priced.metrics == free.metrics
    assert priced.network[1].p.item() == pytest.approx(2 * (1 - 0.1 * 6) ** 2)  # d/dp 3 p^2 = 6 p, two steps


class Flat(nn.Module):
    """Does nothing to x, and has a parameter that no gradient moves."""

    def __init__(self) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor(2.0))

    def forward(self, x: Tensor) -> Tensor:
        return x + 0 * self.p


@pytest.mark.parametrize(("asked", "factor"), [(0.0, 1.0), (0.5, 0.95)])
def test_an_activations_parameters_decay_only_if_asked(asked: float, factor: float) -> None:
    settings: dict[str, Any] = {"epochs": 1, "optimizer": "sgd", "momentum": 0.0, "lr": 0.1, "weight_decay": 2.0}
    trained = train(OneLayer(**settings, activation_weight_decay=asked), use(Flat), 0)
    assert trained.network[1].p.item() == pytest.approx(2.0 * factor)


def test_the_networks_weights_decay() -> None:
    # One step of SGD with and without decay differs by lr * decay * the weights at the start.
    settings: dict[str, Any] = {"epochs": 1, "optimizer": "sgd", "momentum": 0.0, "lr": 0.1}
    plain, decayed = (train(OneLayer(**settings, weight_decay=d), RELU, 0).network for d in (0.0, 0.5))
    start = what_is_seen_first(OneLayer)
    torch.testing.assert_close(plain[0].weight - decayed[0].weight, 0.1 * 0.5 * start)


def what_is_seen_first(task: type[Quadrants]) -> Tensor:
    """Return the first layer's weights of seed 0 before any step."""
    kept: list[Tensor] = []

    class Keeping(task):  # type: ignore[misc, valid-type]
        def network(self, act: MakeActivation) -> nn.Module:
            network = super().network(act)
            kept.append(network[0].weight.detach().clone())
            return network

    train(Keeping(epochs=1), RELU, 0)
    return kept[0]


# Choices are made on validation, and the test split is read once


class Climb(Bowl):
    """Loss -w: w is 1 more after each epoch, from 1 on. Best where w = 4, after epoch 3."""

    metric = "score"

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return -output.mean()

    def metrics(self, output: Tensor, target: Tensor) -> dict[str, float]:
        return {"score": -((output[0].item() - 4) ** 2), "w": output[0].item()}

    def observe(self, model: nn.Module, epoch: int, rng: torch.Generator) -> dict[str, float]:
        return {"peak": 10 - (epoch - 2) ** 2, "last": float(epoch), "first": -float(epoch)}


class Descent(Climb):
    """The same where low is good."""

    higher_is_better = False

    def metrics(self, output: Tensor, target: Tensor) -> dict[str, float]:
        return {"score": (output[0].item() - 4) ** 2, "w": output[0].item()}


CLIMB: dict[str, Any] = {"epochs": 6, "lr": 1.0, "optimizer": "sgd", "momentum": 0.0, "dtype": "float64"}


@pytest.mark.parametrize("task", [Climb, Descent])
def test_the_best_epoch_is_the_one_that_is_best_on_validation(task: type[Climb]) -> None:
    trained = train(task(**CLIMB, checkpoint="best"), RELU, 0)
    assert trained.metrics["w"] == 4.0
    assert trained.network.w.item() == 4.0


@pytest.mark.parametrize("task", [Climb, Descent])
def test_without_a_choice_the_last_epoch_counts(task: type[Climb]) -> None:
    assert train(task(**CLIMB), RELU, 0).metrics["w"] == 7.0


def test_the_curve_holds_epoch_mean_loss_and_validation() -> None:
    arrays = train(Climb(**CLIMB), RELU, 0).arrays
    assert arrays["curve/epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    assert arrays["curve/loss"].tolist() == [-1, -2, -3, -4, -5, -6]
    assert arrays["curve/validation"].tolist() == [-4, -1, 0, -1, -4, -9]


def test_of_what_is_observed_the_maximum_over_the_epochs_is_kept() -> None:
    metrics = train(Climb(**CLIMB), RELU, 0).metrics
    assert (metrics["peak"], metrics["last"], metrics["first"]) == (10.0, 6.0, -1.0)


def test_the_test_split_is_read_once_after_everything_else() -> None:
    calls: list[tuple[str, int]] = []

    class Counting(Quadrants):
        checkpoint = "best"

        def network(self, act: MakeActivation) -> nn.Module:
            network = super().network(act)
            network.register_forward_hook(
                lambda module, inputs, _: calls.append(("train" if module.training else "eval", len(inputs[0])))
            )
            return network

        def metrics(self, output: Tensor, target: Tensor) -> dict[str, float]:
            calls.append(("measure", len(target)))
            return super().metrics(output, target)

    train(Counting(epochs=2, batch_size=10, checkpoint="best"), RELU, 0)
    epoch = [("train", 10), ("train", 10), ("eval", 11), ("measure", 11)]
    shapes = ("eval", 11)  # what the activations are fed, for the plot of shapes: of the validation data
    assert calls == [*epoch, *epoch, ("eval", 13), ("measure", 13), shapes]


# Giving up


def failing_at(call: int, loss: float) -> Callable[..., Task]:
    """Make a task whose loss is not finite at one step."""

    class Failing(Quadrants):
        steps: ClassVar[list[int]] = []

        def loss(self, output: Tensor, target: Tensor) -> Tensor:
            self.steps.append(1)
            good = super().loss(output, target)
            return good + loss if len(self.steps) == call else good

    return Failing


@pytest.mark.parametrize("loss", [math.inf, math.nan])
@pytest.mark.parametrize("step", [1, 2, 7])
def test_a_loss_that_is_not_finite_ends_the_training_at_its_step(step: int, loss: float) -> None:
    with pytest.raises(Diverged, match=f"diverged at step {step} .loss {loss}"):
        train(failing_at(step, loss)(epochs=5, batch_size=8), RELU, 0)


def test_a_parameter_that_is_not_finite_ends_the_training() -> None:
    class Ruinous(Priced):
        def penalty(self) -> Tensor:
            return self.p * math.nan

    with pytest.raises(Diverged, match="by step 1 .a parameter"):
        train(Quadrants(epochs=1), use(Ruinous), 0)


def test_a_metric_that_is_not_finite_ends_the_training() -> None:
    class Unmeasurable(Quadrants):
        def metrics(self, output: Tensor, target: Tensor) -> dict[str, float]:
            return {"accuracy": math.nan if len(target) == 13 else 50.0}

    with pytest.raises(Diverged, match="test metrics are not finite"):
        train(Unmeasurable(epochs=1), RELU, 0)


def turning(from_call: int, into: float, mode: bool) -> type[nn.Module]:
    """Make an activation that goes bad at some call in training (or in evaluation) mode."""

    class Turning(nn.Module):
        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += self.training == mode
            return x * into if self.training == mode and self.calls >= from_call else x.relu()

    return Turning


@pytest.mark.parametrize(("into", "said"), [(math.nan, "NaN"), (math.inf, "NaN|inf")])
def test_an_activation_that_goes_bad_later_is_named_with_its_step(into: float, said: str) -> None:
    with pytest.raises(Diverged, match=f"diverged at step 4 .*the activation returned ({said}).* at place 0"):
        train(Quadrants(epochs=3, batch_size=8), use(turning(4, into, mode=True)), 0)


@pytest.mark.parametrize("from_call", [1, 3], ids=["at once", "at the test"])
def test_an_activation_that_is_nan_in_evaluation_only_does_not_pass_for_a_chance_accuracy(from_call: int) -> None:
    with pytest.raises(AfbenchError, match="NaN|not finite"):
        train(Quadrants(epochs=2), use(turning(from_call, math.nan, mode=False)), 0)


def test_a_broken_contract_shows_on_the_first_batch() -> None:
    class Wide(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.double()

    with pytest.raises(ActivationError, match="float64 for input of torch.float32 at place 0"):
        train(Quadrants(), use(Wide), 0)


# Threads and dtype


def threads_seen(threads: int, ending: Callable[[], None] = lambda: None) -> set[int]:
    seen: set[int] = set()

    class Looking(Quadrants):
        def data(self, rng: torch.Generator) -> Splits:
            seen.add(torch.get_num_threads())
            return super().data(rng)

        def loss(self, output: Tensor, target: Tensor) -> Tensor:
            seen.add(torch.get_num_threads())
            ending()
            return super().loss(output, target)

    train(Looking(epochs=1, threads=threads), RELU, 0)
    return seen


@pytest.mark.parametrize("threads", [1, 3])
def test_a_trial_computes_with_its_tasks_threads_and_puts_them_back(threads: int) -> None:
    with pinned_threads(2):
        assert threads_seen(threads) == {threads}
        assert torch.get_num_threads() == 2


def test_threads_are_put_back_after_a_failure() -> None:
    def fail() -> None:
        raise RuntimeError("no more")

    with pinned_threads(2):
        with pytest.raises(RuntimeError, match="no more"):
            threads_seen(3, fail)
        assert torch.get_num_threads() == 2


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_network_and_data_take_the_tasks_dtype_and_labels_keep_theirs(dtype: Any) -> None:
    seen: set[torch.dtype] = set()

    class Looking(Quadrants):
        def loss(self, output: Tensor, target: Tensor) -> Tensor:
            seen.update((output.dtype, target.dtype))
            return super().loss(output, target)

    trained = train(Looking(epochs=1, dtype=dtype), RELU, 0)
    assert seen == {getattr(torch, dtype), torch.int64}
    assert {p.dtype for p in trained.network.parameters()} == {getattr(torch, dtype)}


def test_parameters_are_counted() -> None:
    counted = train(OneLayer(epochs=1), use(Flat), 0).parameters
    assert (counted.activation, counted.trainable, counted.total) == (1, 33, 33)  # 2*6 + 6 + 1 + 6*2 + 2


def test_the_tasks_picture_is_kept_and_drawn_in_evaluation_mode_without_gradients() -> None:
    class Pictured(Quadrants):
        def picture(self, model: nn.Module, splits: Splits) -> dict[str, Any]:
            return {"state": [model.training, torch.is_grad_enabled(), len(splits.test[0])]}

    assert train(Pictured(epochs=1), RELU, 0).arrays["picture/state"].tolist() == [False, False, 13]


@pytest.mark.parametrize("given", [{"accuracy": "50"}, {"accuracy": torch.ones(2)}, {"accuracy": None}, 50.0])
def test_metrics_that_are_no_numbers_are_refused(given: Any) -> None:
    class Unmeasured(Quadrants):
        def metrics(self, output: Tensor, target: Tensor) -> Any:
            return given

    with pytest.raises(AfbenchError, match="the task's metrics.. (gave .* not a number|must return a dict of numbers)"):
        train(Unmeasured(epochs=1), RELU, 0)


def test_metrics_are_plain_numbers_whatever_the_task_computed_them_with() -> None:
    class Tensors(Quadrants):
        def metrics(self, output: Tensor, target: Tensor) -> Any:
            return {"accuracy": torch.tensor(50.0), "count": len(target)}

    metrics = train(Tensors(epochs=1), RELU, 0).metrics
    assert metrics == {"accuracy": 50.0, "count": 13.0}
    assert {type(value) for value in metrics.values()} == {float}


def test_a_picture_of_objects_is_refused() -> None:
    class Pictured(Quadrants):
        def picture(self, model: nn.Module, splits: Splits) -> dict[str, Any]:
            return {"state": [object()]}

    with pytest.raises(AfbenchError, match="picture.. returned an array of object"):
        train(Pictured(epochs=1), RELU, 0)


# What nothing trains, and what differs in evaluation


class Late(nn.Module):
    """Makes its parameter at its first call."""

    def forward(self, x: Tensor) -> Tensor:
        if not hasattr(self, "slope"):
            self.slope = nn.Parameter(torch.ones(1))
        return x * self.slope


class Renewed(nn.Module):
    """Replaces its parameter at its third call."""

    def __init__(self) -> None:
        super().__init__()
        self.slope, self.calls = nn.Parameter(torch.ones(1)), 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        if self.calls == 3:
            self.slope = nn.Parameter(torch.ones(1))
        return x * self.slope


class Unregistered(nn.Module):
    """Keeps its parameters in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.slopes = [nn.Parameter(torch.ones(1))]

    def forward(self, x: Tensor) -> Tensor:
        return x * self.slopes[0]


class NoParameter(nn.Module):
    """Keeps a tensor that wants gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = torch.ones(1, requires_grad=True)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.slope


@pytest.mark.parametrize(
    ("activation", "said"),
    [
        (Late, "parameter '1.slope' was created after the optimizer"),
        (Renewed, "parameter '1.slope' was created after the optimizer"),
        (Unregistered, "Unregistered.slopes at place 0 requires a gradient but is no parameter"),
        (NoParameter, "NoParameter.slope at place 0 requires a gradient but is no parameter"),
    ],
)
def test_what_nothing_would_train_is_refused(activation: type[nn.Module], said: str) -> None:
    with pytest.raises(ActivationError, match=said):
        train(Quadrants(epochs=3), use(activation), 0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: x.double(), "returned torch.float64 for input of torch.float32 at place 0, in evaluation"),
        (lambda x: x[:, :1], r"returned shape \(11, 1\) for input of shape \(11, 6\) at place 0, in evaluation"),
    ],
)
def test_an_activation_that_breaks_its_contract_in_evaluation_only_is_named(
    change: Callable[[Tensor], Tensor], said: str
) -> None:
    class Changing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.tanh() if self.training else change(x)

    with pytest.raises(ActivationError, match=said):
        train(Quadrants(epochs=1), use(Changing), 0)


def test_code_that_draws_from_a_global_generator_is_repeatable_and_leaves_it_as_it_was() -> None:
    class Drawing(Quadrants):
        def loss(self, output: Tensor, target: Tensor) -> Tensor:
            return super().loss(output, target) * np.random.rand() * random.random()

    before = np.random.get_state()[1].tolist(), random.getstate()
    one = train(Drawing(epochs=2), RELU, 0)
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before
    np.random.seed(5)
    other = train(Drawing(epochs=2), RELU, 0)
    assert equal([*one.network.parameters()], [*other.network.parameters()])
    third = train(Drawing(epochs=2), RELU, 1)
    assert one.arrays["curve/loss"].tolist() != third.arrays["curve/loss"].tolist()
