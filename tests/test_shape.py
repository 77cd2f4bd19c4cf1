"""Shapes: graphs on a grid before and after training, per channel where the channels differ."""

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from afbench.factory import Choice, Factory, choose
from afbench.registry import Entry
from afbench.shape import sample
from afbench.tasks.base import Arrays

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
