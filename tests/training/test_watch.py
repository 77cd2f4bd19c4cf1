"""Watching activations: what each breach of the contract is called, and where it is."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from afbench.errors import ActivationError
from afbench.models import mlp
from afbench.registry.factory import Factory, choose, list_activations
from afbench.training.watch import bad, contract, culprit


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
        (lambda x: x * math.nan, "returned NaN for finite input at place 1"),
        (lambda x: x * math.inf, "returned inf for finite input at place 1"),
        (lambda x: -x * math.inf, "returned inf for finite input at place 1"),
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
    assert culprit(network, activations, X) == "returned NaN for finite input at place 1"


def test_there_is_no_culprit_where_all_is_well() -> None:
    assert culprit(nn.Sequential(GOOD), [GOOD], X) == ""


def test_there_is_no_culprit_where_the_network_itself_fails() -> None:
    assert culprit(nn.Sequential(GOOD, nn.Linear(7, 7)), [GOOD], X) == ""


# Gradients: the graph is asked, not the values


class NoBackward(torch.autograd.Function):
    """An identity whose backward forgets its input."""

    @staticmethod
    def forward(context: Any, x: Tensor, a: Tensor) -> Tensor:
        return x * a

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[None, Tensor]:
        return None, gradient.sum().reshape(1)


def without_grad(x: Tensor) -> Tensor:
    with torch.no_grad():
        return x.relu()


def overwritten(x: Tensor) -> Tensor:
    x.data_ptr()
    with torch.no_grad():
        x.mul_(2)
    return x.tanh()


A = torch.ones(1, requires_grad=True)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.detach(),
        without_grad,
        lambda x: (x > 0).float(),
        lambda x: torch.from_numpy(x.detach().numpy().copy()),
        lambda x: x.detach() * A,  # its own parameter learns, and the layers before it do not
        lambda x: torch.ones_like(x) * A,
        lambda x: x.clone().data,
    ],
)
def test_an_output_that_no_gradient_passes_through_is_refused(function: Callable[[Tensor], Tensor]) -> None:
    linear = nn.Linear(3, 3)
    with pytest.raises(ActivationError, match="passes no gradient to its input .* at place 0"):
        with contract([broken := Does(function)]):
            broken(linear(X)).sum()


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x,
        lambda x: x.view_as(x),
        lambda x: (-x.abs()).relu(),  # dead: all gradients are 0
        lambda x: x * 0 + 3,
        torch.sign,
        torch.relu_,
        lambda x: x + torch.randn_like(x),
        lambda x: x.detach() + (x - x.detach()),  # straight through
        lambda x: nn.functional.hardtanh(x) if x.mean() > 9 else x.clamp(max=-5),
    ],
)
def test_an_output_that_hangs_on_its_input_is_good_whatever_its_gradient(function: Callable[[Tensor], Tensor]) -> None:
    linear, activation = nn.Linear(3, 3), Does(function)
    with contract([activation]):
        (activation(linear(X)) * 1.5).sum().backward()
    assert linear.weight.grad is not None


def test_what_comes_first_in_a_network_need_pass_no_gradient() -> None:
    first = Does(lambda x: x.sign().detach())
    with contract([first]):
        nn.Linear(3, 3)(first(X)).sum().backward()


def test_a_backward_that_gives_its_input_nothing_is_refused() -> None:
    broken = Does(lambda x: NoBackward.apply(x, A))
    with pytest.raises(ActivationError, match="gave no gradient for its input in backward at place 1"):
        with contract([GOOD, broken]):
            broken(nn.Linear(3, 3)(X)).sum().backward()


@pytest.mark.parametrize("grad", [True, False])
def test_an_input_that_is_changed_behind_another_output_is_refused(grad: bool) -> None:
    broken = Does(overwritten)
    with pytest.raises(ActivationError, match="changed its input in place but returned another tensor .* at place 0"):
        with torch.set_grad_enabled(grad), contract([broken]):
            broken(nn.Linear(3, 3)(X))


class Keeping(nn.Module):
    """Writes its results into a buffer of its own, or keeps the last one to be looked at."""

    def __init__(self, into: bool) -> None:
        super().__init__()
        self.into = into
        self.register_buffer("out", torch.zeros(5, 3))

    def forward(self, x: Tensor) -> Tensor:
        if self.into:
            with torch.no_grad():
                return torch.tanh(x, out=self.out)
        self.out = torch.tanh(x)
        return self.out


def test_an_output_that_the_next_call_overwrites_is_refused() -> None:
    with pytest.raises(ActivationError, match="returned a stored tensor .its next call may change it"):
        with torch.no_grad(), contract([broken := Keeping(into=True)]):
            broken(X)


def test_an_activation_may_keep_what_it_returned() -> None:
    keeping = Keeping(into=False)
    with torch.no_grad(), contract([keeping]):
        assert torch.equal(keeping(X), keeping(X * 1))


def test_in_evaluation_values_may_be_what_they_are_and_form_may_not() -> None:
    with contract([NAN.eval()], finite=False):
        NAN(X)
    with pytest.raises(ActivationError, match="float64 for input of torch.float32 at place 0, in evaluation"):
        with contract([broken := Does(lambda x: x.double()).eval()], finite=False):
            broken(X)
    NAN.train()


def test_all_activations_pass() -> None:
    for spec in list_activations():
        network = mlp(3, 8, 2, act=(factory := Factory(choose(spec), 0)))
        with contract(factory.built):
            network(torch.randn(6, 3)).sum().backward()
        network.eval()
        with torch.no_grad(), contract(factory.built, finite=False):
            network(X)
