"""The MLP: its layers in order, its parameters counted by hand, and what it asks of the activation factory."""

import pytest
import torch
from torch import nn

from afbench.models import mlp


class Recorder:
    """An activation factory that remembers what it was asked for."""

    def __init__(self) -> None:
        self.calls: list[dict[str, int]] = []

    def __call__(self, **places: int) -> nn.Module:
        self.calls.append(places)
        return nn.Tanh()


def test_layers_alternate_and_none_follows_the_last() -> None:
    kinds = [type(layer) for layer in mlp(2, 5, 7, 3, act=Recorder())]
    assert kinds == [nn.Linear, nn.Tanh, nn.Linear, nn.Tanh, nn.Linear]


def test_activation_is_asked_for_once_a_hidden_layer_with_its_features_last() -> None:
    act = Recorder()
    mlp(2, 5, 7, 3, act=act)
    assert act.calls == [{"channels": 5, "channel_dim": -1}, {"channels": 7, "channel_dim": -1}]


def test_two_sizes_make_a_linear_map() -> None:
    act = Recorder()
    assert len(mlp(4, 2, act=act)) == 1
    assert not act.calls


@pytest.mark.parametrize(
    ("sizes", "count"),
    [((2, 50, 1), 2 * 50 + 50 + 50 + 1), ((64, 64, 64, 10), 4160 + 4160 + 650), ((2, 16, 16, 40), 48 + 272 + 680)],
)
def test_parameter_count(sizes: tuple[int, ...], count: int) -> None:
    assert sum(p.numel() for p in mlp(*sizes, act=Recorder()).parameters()) == count


def test_any_leading_dimensions() -> None:
    assert mlp(3, 4, 2, act=Recorder())(torch.zeros(5, 6, 3)).shape == (5, 6, 2)


def test_computes_affine_tanh_affine() -> None:
    network = mlp(3, 4, 2, act=Recorder()).double()
    first, _, last = (layer for layer in network)
    x = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    by_hand = torch.tanh(x @ first.weight.T + first.bias) @ last.weight.T + last.bias
    torch.testing.assert_close(network(x), by_hand)


@pytest.mark.parametrize("sizes", [(), (3,)])
def test_refuses_fewer_than_two_sizes(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least two sizes"):
        mlp(*sizes, act=Recorder())
