"""Watching activations: what each breach of the contract is called, and where it is."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from afbench.errors import ActivationError
from afbench.watch import bad, contract, culprit


class Does(nn.Module):
    """An activation that is any function."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.function(x)


GOOD, NAN = Does(torch.tanh), Does(lambda x: x * math.nan)
X = torch.ones(5, 3)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: x[:, :2], r"returned shape \(5, 2\) for input of shape \(5, 3\) at place 1"),
        (lambda x: x.sum(), r"returned shape \(\) for input of shape \(5, 3\) at place 1"),
        (lambda x: x.double(), "returned torch.float64 for input of torch.float32 at place 1"),
        (lambda x: x > 0, "returned torch.bool for input of torch.float32 at place 1"),
        (lambda x: x.tolist(), "returned list, not a tensor, at place 1"),
        (lambda x: (x, x), "returned tuple, not a tensor, at place 1"),
        (lambda x: None, "returned NoneType, not a tensor, at place 1"),
        (lambda x: x * math.nan, "returned NaN from finite input at place 1"),
        (lambda x: x * math.inf, "returned inf from finite input at place 1"),
        (lambda x: -x * math.inf, "returned inf from finite input at place 1"),
    ],
)
def test_a_breach_is_named_with_its_place(function: Callable[[Tensor], Any], said: str) -> None:
    broken = Does(function)
    with contract([GOOD, broken]):
        GOOD(X)
        with pytest.raises(ActivationError, match=said):
            broken(X)


def test_a_good_activation_passes() -> None:
    with contract([GOOD]):
        torch.testing.assert_close(GOOD(X), X.tanh())


def test_what_comes_out_of_bad_input_is_not_the_activations_fault() -> None:
    with contract([GOOD, NAN]):
        GOOD(X * math.nan)
        NAN(X * math.nan)


def test_an_activation_may_change_its_input_in_place() -> None:
    in_place = Does(torch.relu_)
    with contract([in_place]):
        in_place(-X)


def test_the_dimensions_of_each_input_are_told_by_place() -> None:
    other = Does(torch.relu)
    with contract([GOOD, other]) as seen:
        other(torch.ones(2, 3, 4, 4))
        GOOD(X)
    assert seen == {0: 2, 1: 4}


def test_nothing_is_watched_after_the_block() -> None:
    with contract([NAN]):
        pass
    assert bool(NAN(X).isnan().all())


def test_nothing_is_watched_after_a_breach() -> None:
    with pytest.raises(ActivationError), contract([NAN]):
        NAN(X)
    assert bool(NAN(X).isnan().all())


@pytest.mark.parametrize(
    ("values", "said"),
    [([1.0, -1e38], ""), ([1.0, math.nan], "NaN"), ([math.inf, 1.0], "inf"), ([math.inf, math.nan], "NaN"), ([], "")],
)
def test_what_is_not_finite_is_called_by_its_name(values: list[float], said: str) -> None:
    assert bad(torch.tensor(values)) == said


def test_the_culprit_is_the_first_that_makes_bad_of_good() -> None:
    network = nn.Sequential(GOOD, nn.Linear(3, 3), NAN, nn.Linear(3, 3), Does(lambda x: x * math.inf))
    activations = [network[0], network[2], network[4]]
    assert culprit(network, activations, X) == "returned NaN from finite input at place 1"


def test_there_is_no_culprit_where_all_is_well() -> None:
    assert culprit(nn.Sequential(GOOD), [GOOD], X) == ""


def test_there_is_no_culprit_where_the_network_itself_fails() -> None:
    assert culprit(nn.Sequential(GOOD, nn.Linear(7, 7)), [GOOD], X) == ""
