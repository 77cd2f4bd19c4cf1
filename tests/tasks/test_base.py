"""The task contract: settings from annotated fields, budgets, batches, and a new task in fifteen lines."""

from __future__ import annotations

import dataclasses
from typing import Annotated, ClassVar, Literal

import pytest
import torch
from torch import nn

import afbench
from afbench.errors import UsageError
from afbench.registry.entries import TASKS, RegistryError
from afbench.registry.factory import choose
from afbench.registry.settings import Range
from afbench.tasks.base import changed, create_task, settings_of, task
from afbench.training.train import train


@pytest.fixture(autouse=True)
def own_tasks():
    """Let a test register tasks, and take them back after."""
    TASKS.populate()
    before = dict(TASKS.entries), dict(TASKS.aliases)
    yield
    TASKS.entries, TASKS.aliases = before


@pytest.fixture
def halves():
    @afbench.task("halves", tags=("toy",), aliases={"wide_halves": "width=64"})
    class Halves(afbench.Task):
        """Two half planes, an MLP 2-8-2."""

        target = 100.0
        epochs: int = 20
        width: Annotated[int, Range(at_least=2)] = 8
        slant: float = 0
        budgets: ClassVar = {"smoke": {"epochs": 1, "width": 2}, "paper": {}}

        def data(self, rng: torch.Generator) -> afbench.Splits:
            points = [torch.randn(n, 2, generator=rng) for n in (64, 16, 16)]
            return afbench.Splits(*((x, (x[:, 0] > self.slant * x[:, 1]).long()) for x in points))

        def network(self, act):
            return nn.Sequential(
                nn.Linear(2, self.width), act(channels=self.width, channel_dim=-1), nn.Linear(self.width, 2)
            )

    return Halves


def test_a_new_task_is_fifteen_lines_and_trains(halves):
    assert "halves" in afbench.list_tasks()
    assert afbench.list_tasks(tag="toy") == sorted({*afbench.list_tasks(tag="toy"), "halves"})
    trained = train(create_task("halves", {"lr": "0.05"}), choose("relu"), 0)
    assert trained.metrics["accuracy"] > 90
    assert len(trained.arrays["curve/validation"]) == 20


def test_the_annotated_fields_are_the_settings(halves):
    settings = settings_of(halves)
    assert {"epochs", "batch_size", "lr", "device", "dtype", "width", "slant"} <= {*settings}
    assert not {"budgets", "target", "metric", "name"} & {*settings}
    assert settings["width"].range == Range(at_least=2)
    assert settings["dtype"].choices == ("float32", "float64", "bfloat16")
    assert repr(settings["slant"].default) == "0.0"


def test_text_is_typed(halves):
    made = create_task("halves", {"width": "16", "slant": "2", "schedule": "cosine"})
    assert repr((made.width, made.slant, made.schedule)) == "(16, 2.0, 'cosine')"
    assert made.epochs == 20


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"widht": "3"}, r"^task 'halves' has no setting 'widht'; did you mean 'width'\?$"),
        ({"width": "3.5"}, r"^task 'halves': width must be an int, at least 2, not '3.5'$"),
        ({"width": "1"}, "width must be an int, at least 2, not '1'"),
        ({"lr": "0"}, "lr must be a float, above 0, not '0'"),
        ({"epochs": "many"}, "epochs must be an int.*, not 'many'"),
        ({"dtype": "float8"}, "dtype must be one of 'float32', 'float64', 'bfloat16', not 'float8'"),
        ({"batch_size": None}, "batch_size must be an int"),
        ({"name": "x"}, "has no setting 'name'"),
    ],
)
def test_a_wrong_setting_is_refused(halves, given, message):
    with pytest.raises(UsageError, match=message):
        create_task("halves", given)


def test_a_rule_between_settings_is_the_tasks_own(halves):
    @task("ruled")
    class Ruled(halves):
        """Ruled."""

        def __post_init__(self):
            if self.width > self.epochs:
                raise ValueError("width must not be above epochs")

    with pytest.raises(UsageError, match="^task 'ruled': width must not be above epochs$"):
        create_task("ruled", {"width": 50})


@pytest.mark.parametrize(
    ("budget", "epochs", "width"),
    [("default", 20, 8), ("smoke", 1, 2), ("paper", 20, 8), ("0.5", 10, 8), ("0.25", 5, 8), ("1e-9", 1, 8)],
)
def test_a_budget_becomes_settings(halves, budget, epochs, width):
    made = create_task("halves", budget=budget)
    assert (made.epochs, made.width) == (epochs, width)


def test_what_is_set_wins_over_the_budget(halves):
    assert create_task("halves", {"width": "4"}, budget="smoke").settings.items() >= {"epochs": 1, "width": 4}.items()


@pytest.mark.parametrize("budget", ["big", "0", "-1", "7", "nan", "inf", ""])
def test_an_unknown_budget_is_told_the_known_ones(halves, budget):
    with pytest.raises(
        UsageError, match=f"takes default, smoke, paper or a fraction above 0 and at most 1, not '{budget}'"
    ):
        create_task("halves", budget=budget)


def test_changed_holds_what_differs_from_the_defaults(halves):
    assert changed(create_task("halves")) == {}
    assert changed(create_task("halves", {"epochs": "20", "slant": "0"})) == {}
    assert changed(create_task("halves", {"width": 9, "lr": "1e-2"}, budget="0.5")) == {
        "epochs": 10,
        "lr": 0.01,
        "width": 9,
    }


def test_an_alias_of_a_task_brings_its_settings(halves):
    assert create_task("wide_halves").width == 64
    assert create_task("wide_halves", {"width": 3}).width == 3
    assert create_task("wide_halves").name == "halves"


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


@pytest.mark.parametrize("annotation", [list[int], Literal["a"] | int, torch.Tensor])
def test_a_field_that_text_cannot_give_is_refused(annotation):
    namespace = {"__annotations__": {"points": annotation}, "points": None}
    with pytest.raises(UsageError, match="task field 'points' needs a default and a type"):
        task("odd")(type("Odd", (afbench.Task,), namespace))
    assert "odd" not in afbench.list_tasks()


def test_a_default_changed_without_annotation_is_refused():
    """Dataclasses pass over ``epochs = 100``: the task would train 30 epochs, and nobody would know."""
    with pytest.raises(UsageError, match="epochs"):

        @task("silent")
        class Silent(afbench.Task):
            """Silent."""

            epochs = 100


def test_two_tasks_of_one_name_are_told_both_places(halves):
    with pytest.raises(
        RegistryError, match=r"task 'halves' of .*test_base.py:\d+ is already defined in .*test_base.py:\d+"
    ):

        @task("halves")
        class Other(afbench.Task):
            """Other."""


def test_an_unknown_task_gets_the_nearest():
    with pytest.raises(UsageError, match=r"^unknown task 'gm'; did you mean 'gmm'\? .*list tasks"):
        create_task("gm")
