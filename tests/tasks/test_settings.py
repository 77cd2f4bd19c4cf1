"""A task's settings: read from annotated fields, set by budgets, compared with their defaults."""

from __future__ import annotations

from typing import Literal

import pytest
import torch

import afbench
from afbench.errors import UsageError
from afbench.registry.settings import Range
from afbench.tasks.base import changed, create_task, task
from afbench.tasks.settings import task_settings


def test_the_annotated_fields_are_the_settings(halves):
    settings = task_settings(halves)
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
