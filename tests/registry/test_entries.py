"""The registry: names, aliases, tags, and what it says when a name is taken or unknown."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import torch
from torch import nn

import afbench
from afbench.errors import UsageError
from afbench.registry.entries import ACTIVATIONS
from afbench.registry.entry import Registry, RegistryError


class First(nn.Module):
    """x, the first.

    More.
    """


class Second(nn.Module):
    """x, the second."""

    def __init__(self, channels: int, slope: float = 0.1) -> None:
        super().__init__()


def place(target):
    return f"{Path(__file__)}:{inspect.getsourcelines(target)[1]}"


@pytest.fixture
def registry():
    return Registry("activation")


@pytest.fixture
def own_entries():
    """Let a test register with the decorators that users have, and take it back after."""
    ACTIVATIONS.populate()
    before = dict(ACTIVATIONS.entries), dict(ACTIVATIONS.aliases)
    yield
    ACTIVATIONS.entries, ACTIVATIONS.aliases = before


def test_an_entry_knows_what_its_class_says(registry):
    registry.decorator("second", formula="x", tags=["linear"], year=2020)(Second)
    entry, _ = registry.find("second")
    assert entry.target is Second
    assert (entry.formula, entry.tags, entry.year) == ("x", ("linear",), 2020)
    assert entry.summary == "x, the second."
    assert entry.where == place(Second)
    assert list(entry.settings) == ["slope"], "channels are the network's"
    assert entry.takes == {"channels"}
    assert entry.required_channels


@pytest.mark.parametrize(
    ("first", "second", "taken"),
    [
        ({"name": "a"}, {"name": "a"}, "a"),
        ({"name": "a", "aliases": ["b"]}, {"name": "b"}, "b"),
        ({"name": "a"}, {"name": "b", "aliases": ["a"]}, "a"),
        ({"name": "a", "aliases": ["c"]}, {"name": "b", "aliases": {"c": "slope=0.3"}}, "c"),
    ],
)
def test_a_name_or_alias_of_two_is_an_error_that_names_both_places(registry, first, second, taken):
    registry.decorator(**first)(First)
    with pytest.raises(RegistryError) as caught:
        registry.decorator(**second)(Second)
    message = str(caught.value)
    assert f"activation {taken!r}" in message
    assert place(First) in message
    assert place(Second) in message
    assert [entry.target for entry in registry] == [First], "the first one stands"


@pytest.mark.parametrize("name", ["", "1x", "two words", "a[b=c]", "-a", "a,b", "pkg:Class", "tag:x", "*"])
def test_what_a_spec_cannot_hold_is_no_name(registry, name):
    with pytest.raises(RegistryError, match="is not a valid name"):
        registry.decorator(name)(First)
    assert registry.names() == []


def test_an_alias_stands_for_the_entry_with_its_settings(registry):
    registry.decorator("second", aliases={"steep": "slope=0.5", "two": ""})(Second)
    assert registry.find("two")[1] == {}
    entry, implied = registry.find("steep")
    assert entry.name == "second"
    assert implied == {"slope": "0.5"}
    assert registry.names() == ["second", "steep", "two"]
    assert [entry.name for entry in registry] == ["second"], "an entry counts once, however many names it has"


def test_an_entry_that_is_refused_leaves_nothing_behind(registry):
    with pytest.raises(UsageError, match="malformed spec"):
        registry.decorator("second", aliases={"steep": "slope"})(Second)
    assert registry.names() == []


def test_an_argument_that_no_spec_can_give_is_refused_where_the_entry_is_made(registry):
    """Otherwise the entry would fail later, in the middle of a list of all."""

    class Knots(nn.Module):
        def __init__(self, knots: list[float]) -> None: ...

    with pytest.raises(UsageError, match="argument 'knots'"):
        registry.decorator("knots")(Knots)
    assert registry.names() == []


def test_an_unknown_name_gets_the_nearest_of_names_and_aliases(registry):
    registry.decorator("second", aliases=["zweiter"])(Second)
    for wrong, right in [("secnd", "second"), ("zweite", "zweiter")]:
        with pytest.raises(UsageError) as caught:
            registry.find(wrong)
        assert str(caught.value).startswith(f"unknown activation {wrong!r}; did you mean {right!r}?")
        assert "afbench list activations" in str(caught.value)
    with pytest.raises(UsageError, match=r"^unknown activation 'qqq' \("):
        registry.find("qqq")


def test_the_registry_fills_itself_once_before_the_first_look():
    calls = []

    def fill(registry):
        calls.append(1)
        registry.decorator("first")(First)

    registry = Registry("activation", fill)
    assert not calls
    assert registry.names() == ["first"]
    assert registry.find("first")[0].target is First
    assert calls == [1]


def test_a_registry_that_could_not_be_filled_says_so_each_time():
    """A notebook's second cell must not get half a registry that calls the missing half unknown."""

    def fill(registry):
        raise RegistryError("two of one name")

    registry = Registry("activation", fill)
    for _ in range(2):
        with pytest.raises(RegistryError, match="two of one name"):
            registry.find("relu")


def test_entries_come_in_the_order_of_their_names(registry):
    for name in ("c", "a", "b"):
        registry.decorator(name)(First)
    assert [entry.name for entry in registry] == ["a", "b", "c"]


def test_a_new_activation_is_ten_lines_and_in_every_list(own_entries):
    @afbench.activation("sine_test", formula="x + sin(a x)", tags=("periodic",))
    class Sine(nn.Module):
        """x + sin(a x)."""

        def __init__(self, a: float = 1.0) -> None:
            super().__init__()
            self.a = a

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + torch.sin(self.a * x)

    assert "sine_test" in afbench.list_activations()
    assert afbench.list_activations(tag="periodic") == ["sine_test"]
    x = torch.tensor([torch.pi / 4])
    torch.testing.assert_close(afbench.create("sine_test[a=2]")(x), x + 1)


def test_taking_a_built_in_name_names_our_file_and_theirs(own_entries):
    with pytest.raises(RegistryError) as caught:
        afbench.activation("relu")(First)
    assert "rectifiers.py" in str(caught.value)
    assert place(First) in str(caught.value)
    assert afbench.create("relu").__class__ is not First
