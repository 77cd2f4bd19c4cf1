"""Inputs that are cold when their turn comes: none overlaps another, all together exceed the cache."""

import pytest
import torch

from afbench.cost.case import Case
from afbench.cost.inputs import Inputs, TooLarge, check_room
from afbench.records import environment


def test_inputs_lie_apart_in_lines_of_their_own_and_exceed_the_cache_twice():
    inputs = Inputs(Case((7, 5)), cache=10_000)
    starts = [x.data_ptr() for x in inputs.cold]
    steps = {b - a for a, b in zip(starts, starts[1:], strict=False)}
    assert len(steps) == 1 and steps.pop() == 192  # 35 floats are 140 bytes: three lines of 64
    assert len(starts) * 140 >= 2 * 10_000
    assert all(x.shape == (7, 5) and x.requires_grad and x.is_leaf and x.is_contiguous() for x in inputs.cold)
    assert 0.8 < torch.stack(inputs.cold).std() < 1.2


def test_the_gradient_is_another_input_and_as_cold():
    inputs = Inputs(Case((64, 64)), cache=2**20)
    assert {x.data_ptr() for x in inputs.cold} == {g.data_ptr() for g in inputs.gradients}
    assert all(x.data_ptr() != g.data_ptr() for x, g in zip(inputs.cold, inputs.gradients, strict=True))
    assert not any(g.requires_grad for g in inputs.gradients)


@pytest.mark.parametrize(("cache", "warms"), [(2 * 4 * 100, True), (2 * 4 * 100 - 1, False)])
def test_it_is_warm_if_input_and_output_fit_into_the_cache(cache, warms):
    assert Inputs(Case((100,)), cache).warms is warms


def test_a_large_input_alternates_with_another():
    assert len(Inputs(Case((1000, 100)), cache=1000).cold) == 2


def test_tiny_inputs_are_many_but_not_without_end():
    assert len(Inputs(Case((2,)), cache=2**30).cold) == 2**14


def test_what_does_not_fit_is_refused_before_it_is_tried(monkeypatch):
    monkeypatch.setattr(environment, "available_memory", lambda: 2**20)
    check_room(2**19, "something")
    with pytest.raises(TooLarge, match="something would need 0.0 GiB, but only 0.0 GiB are available"):
        check_room(2**19 + 1, "something")
    with pytest.raises(TooLarge, match="2 inputs of 1000x1000"):
        Inputs(Case((1000, 1000)), cache=1000)
