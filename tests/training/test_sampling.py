"""Shapes: graphs on a grid before and after training, per channel where the channels differ."""

import copy
import io

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from afbench.registry.entry import Entry
from afbench.registry.factory import Choice, Factory, choose
from afbench.streams import stream
from afbench.tasks.base import Arrays
from afbench.training.sampling import inputs, sample

X = (np.arange(-100, 101) / 20).astype(np.float32)


class Sloped(nn.Module):
    """s x with a slope per channel, 1, 2, 3, ..."""

    def __init__(self, channels: int, channel_dim: int = 1) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.arange(1.0, channels + 1))
        self.channel_dim = channel_dim

    def forward(self, x: Tensor) -> Tensor:
        sizes = [1] * x.ndim
        sizes[self.channel_dim] = -1
        return self.slope.reshape(sizes) * x


def build(activation: str | type[nn.Module], *places: tuple[int | None, int]) -> Factory:
    """Build an activation at places given as (channels, channel_dim)."""
    named = isinstance(activation, str)
    choice = choose(activation) if named else Choice(Entry("activation", "mine", activation), {})
    factory = Factory(choice, 0)
    for channels, channel_dim in places:
        factory(channels, channel_dim)
    return factory


def sampled(factory: Factory, ndim: int = 2) -> Arrays:
    return sample(factory, copy.deepcopy(factory.built), dict.fromkeys(range(len(factory.built)), ndim))


def test_the_grid_has_201_points_from_minus_5_to_5() -> None:
    x = sampled(build("relu", (6, -1)))["shape/0/x"]
    np.testing.assert_allclose(x, np.arange(-100, 101) / 20, atol=1e-6)


@pytest.mark.parametrize(("channels", "channel_dim", "ndim"), [(6, -1, 2), (6, 1, 4), (6, -1, 3), (None, 1, 2)])
def test_relu_is_sampled_as_relu_wherever_its_channels_are(channels: int | None, channel_dim: int, ndim: int) -> None:
    arrays = sampled(build("relu", (channels, channel_dim)), ndim)
    np.testing.assert_array_equal(arrays["shape/0/after"], np.maximum(X, 0))


def test_before_and_after_are_those_of_the_copies_and_of_what_was_trained() -> None:
    factory = build("prelu", (6, -1))
    start = copy.deepcopy(factory.built)
    with torch.no_grad():
        factory.built[0].a.fill_(0.5)
    arrays = sample(factory, start, {0: 2})
    np.testing.assert_allclose(arrays["shape/0/before"], np.where(X > 0, X, 0.25 * X))
    np.testing.assert_allclose(arrays["shape/0/after"], np.where(X > 0, X, 0.5 * X))


@pytest.mark.parametrize(("channel_dim", "ndim"), [(-1, 2), (1, 2), (1, 4), (-1, 3), (2, 3)])
def test_channels_that_differ_are_kept_apart(channel_dim: int, ndim: int) -> None:
    after = sampled(build(Sloped, (3, channel_dim)), ndim)["shape/0/after"]
    np.testing.assert_allclose(after, np.outer(X, [1, 2, 3]), rtol=1e-6)


def test_channels_that_are_alike_are_kept_once() -> None:
    factory = build(Sloped, (3, -1))
    with torch.no_grad():
        factory.built[0].slope.fill_(2.0)
    np.testing.assert_allclose(sampled(factory)["shape/0/after"], 2 * X)


def test_of_many_channels_the_first_eight_are_kept() -> None:
    after = sampled(build(Sloped, (500, -1)))["shape/0/after"]
    np.testing.assert_allclose(after, np.outer(X, range(1, 9)), rtol=1e-6)


def test_every_place_has_its_own_shape() -> None:
    arrays = sampled(build("relu", (6, -1), (4, -1)))
    assert arrays.keys() == {f"shape/{place}/{what}" for place in (0, 1) for what in ("x", "before", "after")}


def test_an_activation_that_takes_no_grid_leaves_no_shape_and_stops_nothing() -> None:
    class Picky(nn.Module):
        def __init__(self, channels: int) -> None:
            super().__init__()
            self.channels = channels

        def forward(self, x: Tensor) -> Tensor:
            if self.channels == 6:
                raise RuntimeError("images only")
            return x

    arrays = sampled(build(Picky, (6, -1), (4, -1)))
    assert arrays.keys() == {"shape/1/x", "shape/1/before", "shape/1/after"}


def test_shapes_are_taken_in_evaluation_mode_without_gradients() -> None:
    class Looking(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.full_like(x, 2 * self.training + torch.is_grad_enabled())

    np.testing.assert_array_equal(sampled(build(Looking, (6, -1)))["shape/0/after"], np.zeros(201))


def test_a_network_of_half_precision_is_sampled_in_it_and_kept_in_single() -> None:
    factory = build("prelu", (6, -1))
    factory.built[0].bfloat16()
    after = sampled(factory)["shape/0/after"]
    assert after.dtype == np.float32
    np.testing.assert_allclose(after, np.where(X > 0, X, 0.25 * X), rtol=2**-7, atol=1e-6)


class Plain(nn.Module):
    """The identity."""

    def forward(self, x: Tensor) -> Tensor:
        return x


def test_inputs_are_counted_between_edges_and_beyond_them() -> None:
    values = torch.tensor([[-7.0, -5.0, -0.1, 0.0, 0.19], [4.9, 5.0, 6.0, torch.nan, torch.inf]])
    activation = Plain()
    arrays = inputs(nn.Sequential(activation), [activation], values)
    np.testing.assert_allclose(arrays["shape/0/edges"], np.linspace(-5, 5, 51), atol=1e-6)
    found = {int(index): int(count) for index, count in enumerate(arrays["shape/0/hist"]) if count}
    # bin i lies between edges i - 1 and i; an edge belongs to the bin above it
    assert found == {0: 1, 1: 1, 25: 1, 26: 2, 50: 1, 51: 2}
    assert arrays["shape/0/hist"].shape == (52,)


def test_inputs_are_those_of_each_place_in_evaluation_mode() -> None:
    first, second = Plain(), Plain()
    shift = nn.Linear(3, 3)
    with torch.no_grad():
        shift.weight.zero_()
        shift.bias.fill_(2.5)
    network = nn.Sequential(nn.Dropout(1.0), first, shift, second)
    arrays = inputs(network.train(), [first, second], torch.full((600, 3), 0.5))
    for place, value in ((0, 0.5), (1, 2.5)):
        counts = arrays[f"shape/{place}/hist"]
        assert counts.sum() == counts[1 + int((value + 5) / 0.2 + 1e-6)] == 512 * 3  # of 600 samples the first 512


def test_an_activation_that_is_not_called_or_a_network_that_refuses_leaves_no_histogram() -> None:
    class Refusing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise RuntimeError("batches of 32 only")

    called, left = Plain(), Plain()
    assert inputs(called, [called, left], torch.zeros(4, 2)).keys() == {"shape/0/hist", "shape/0/edges"}
    assert inputs(Refusing(), [called], torch.zeros(4, 2)) == {}
    assert not called._forward_pre_hooks


def test_a_trial_keeps_the_inputs_of_the_trained_network_on_validation_data_and_nothing_else_changes() -> None:
    from afbench.tasks.base import create_task
    from afbench.training import train as loop

    task = create_task("regression_1d", {}, "smoke")
    trained = loop.train(task, choose("pau"), 0)
    splits = loop.to_device(task.data(stream(0, "data")), task)
    first = next(iter(trained.network.children()))
    fed = first(splits.validation[0][:512]).detach().numpy()  # what the first activation is given
    counts, edges = trained.arrays["shape/0/hist"], trained.arrays["shape/0/edges"]
    np.testing.assert_array_equal(counts[1:-1], np.histogram(fed, edges)[0])
    assert counts.sum() == fed.size
    held = io.BytesIO()
    np.savez_compressed(held, **trained.arrays)
    assert len(held.getvalue()) < 256_000
