"""The task contract: a new task in fifteen lines, batches, metrics, and what is refused."""

from __future__ import annotations

import dataclasses

import pytest
import torch

import afbench
from afbench.errors import UsageError
from afbench.registry.entry import RegistryError
from afbench.registry.factory import choose
from afbench.tasks.base import create_task, task
from afbench.training.train import train


def test_a_new_task_is_fifteen_lines_and_trains(halves):
    assert "halves" in afbench.list_tasks()
    assert afbench.list_tasks(tag="toy") == sorted({*afbench.list_tasks(tag="toy"), "halves"})
    trained = train(create_task("halves", {"lr": "0.05"}), choose("relu"), 0)
    assert trained.metrics["accuracy"] > 90
    assert len(trained.arrays["curve/validation"]) == 20


def test_a_task_is_frozen(halves):
    with pytest.raises(dataclasses.FrozenInstanceError):
        create_task("halves").epochs = 3


@pytest.mark.parametrize(("samples", "batch_size"), [(10, 3), (10, 5), (3, 100), (1, 1)])
def test_batches_show_each_sample_once_in_an_order_new_every_epoch(halves, samples, batch_size):
    made = create_task("halves", {"batch_size": batch_size})
    x = torch.arange(samples)
    splits = afbench.Splits((x[:, None], x), (x, x), (x, x))
    rng = torch.Generator().manual_seed(0)
    epochs = [list(made.batches(splits, rng)) for _ in range(4)]
    orders = []
    for batches in epochs:
        assert all(len(inputs) <= batch_size for inputs, _ in batches)
        assert len(batches) == -(-samples // batch_size)
        assert all(torch.equal(inputs[:, 0], targets) for inputs, targets in batches), "pairs stay pairs"
        orders.append(torch.cat([targets for _, targets in batches]).tolist())
        assert sorted(orders[-1]) == list(range(samples))
    if samples > 3:
        assert len({tuple(order) for order in orders}) == 4


def test_the_order_comes_from_the_generator_that_is_given(halves):
    made, x = create_task("halves"), torch.arange(50)
    splits = afbench.Splits((x, x), (x, x), (x, x))
    torch.manual_seed(1)
    first = next(made.batches(splits, torch.Generator().manual_seed(0)))[0]
    torch.manual_seed(2)
    assert torch.equal(first, next(made.batches(splits, torch.Generator().manual_seed(0)))[0])


def test_accuracy_is_a_percentage_of_the_split():
    output = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 1.0], [5.0, 1.0]])
    assert create_task("gmm").metrics(output, torch.tensor([0, 1, 1, 1])) == {"accuracy": 50.0}


def test_r2_and_mse_of_a_regression():
    @task("line")
    class Line(afbench.Regression, afbench.Task):
        """A line."""

    output, target = torch.tensor([1.0, 2.0, 5.0]), torch.tensor([1.0, 2.0, 3.0])
    measured = create_task("line").metrics(output, target)
    assert measured == pytest.approx({"r2": 100 * (1 - 4 / 2), "mse": 4 / 3})
    assert create_task("line").loss(output, target).item() == pytest.approx(4 / 3)
    assert Line.metric == "r2"


@pytest.mark.parametrize("missing", ["data", "network"])
def test_a_task_without_data_or_network_says_which(missing):
    @task("empty")
    class Empty(afbench.Task):
        """Empty."""

    with pytest.raises(UsageError, match=f"'empty' defines no {missing}"):
        getattr(create_task("empty"), missing)(None)


def test_a_report_is_told_all_it_needs(halves):
    assert create_task("halves").about() == {
        "headline": "Two half planes, an MLP 2-8-2",
        "metric": "accuracy",
        "unit": "%",
        "higher_is_better": True,
        "target": 100.0,
        "references": {},
        "bounds": {"accuracy": [0.0, 100.0]},
        "plots": ["curve", "shape"],
    }


def test_a_class_that_is_no_task_is_refused():
    with pytest.raises(UsageError, match="task 'plain': Plain must be a subclass of afbench.Task"):

        @task("plain")
        class Plain:
            """Plain."""


def test_two_tasks_of_one_name_are_told_both_places(halves):
    with pytest.raises(
        RegistryError, match=r"task 'halves' of .*test_base.py:\d+ is already defined in .*conftest.py:\d+"
    ):

        @task("halves")
        class Other(afbench.Task):
            """Other."""


def test_an_unknown_task_gets_the_nearest():
    with pytest.raises(UsageError, match=r"^unknown task 'gm'; did you mean 'gmm'\? .*list tasks"):
        create_task("gm")
