"""What --acts selects from the registry."""

from __future__ import annotations

import pytest

import afbench
from afbench.errors import UsageError
from afbench.registry.entries import ACTIVATIONS
from afbench.registry.selecting import select
from afbench.registry.spec import split


def specs(patterns):
    return [choice.spec for choice in select(patterns)]


def test_all_names_each_entry_once():
    assert specs("all") == [e.name for e in ACTIVATIONS if not any(s.required for s in e.settings.values())]
    assert specs("all,relu,all") == specs("all")


def test_trainable_and_fixed_part_all():
    trainable, fixed = specs("trainable"), specs("fixed")
    assert {"prelu", "swish", "acon_c", "meta_acon", "pau"} <= {*trainable}
    assert {"identity", "relu", "leaky_relu", "elu", "selu", "softplus", "tanh", "sigmoid"} <= {*fixed}
    assert sorted(trainable + fixed) == specs("all")


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ("relu", ["relu"]),
        (" tanh , relu ", ["tanh", "relu"]),
        (["tanh", "relu"], ["tanh", "relu"]),
        ("tanh,relu,tanh", ["tanh", "relu"]),
        ("prelu[a=1,per=channel],prelu", ["prelu[a=1.0,per=channel]", "prelu"]),
        ("prelu[a=0.25],prelu", ["prelu"]),
        ("s?lu", ["selu", "silu"]),
        ("*acon*", ["acon_a", "acon_b", "acon_c", "meta_acon"]),
        ("tag:rational", ["pau"]),
        ("*acon*,-meta_acon", ["acon_a", "acon_b", "acon_c"]),
        ("s?lu,-si*,silu", ["selu", "silu"]),
        ("prelu,prelu[a=1],-prelu[a=1]", ["prelu"]),
        ("prelu[a=1],relu,-prelu", ["relu"]),
        ("steep_prelu,prelu", ["prelu[a=0.5]", "prelu"]),
        ("prelu,steep_prelu,-steep_prelu", ["prelu"]),
    ],
)
def test_selection(aliases, patterns, expected):
    if patterns == "tag:rational":
        expected = afbench.list_activations(tag="rational")
    assert specs(patterns) == expected


def test_an_exclusion_that_comes_first_starts_from_all():
    assert specs("-relu,-tag:smooth") == [s for s in specs("all") if s not in {"relu", *specs("tag:smooth")}]


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        ("", "no activation is selected by ''"),
        (" , ", "no activation is selected by"),
        ([], "no activation is selected by"),
        ("relu,-relu", "no activation is selected by 'relu,-relu'"),
        ("-all", "no activation is selected by '-all'"),
        ("tag:nothing", "no activation has the tag 'nothing' (tags: "),
        ("zzz*", "no activation matches 'zzz*'"),
        ("relu,rellu", "unknown activation 'rellu'; did you mean 'relu'?"),
        ("all,-rellu", "unknown activation 'rellu'; did you mean 'relu'?"),
        ("relu,prelu[a=1", "malformed spec"),
    ],
)
def test_an_empty_or_wrong_selection_is_refused(patterns, message):
    with pytest.raises(UsageError) as caught:
        select(patterns)
    assert message in str(caught.value)


def test_a_selection_splits_as_specs_do():
    assert specs(split("prelu[a=1,per=channel],relu")) == specs("prelu[a=1,per=channel],relu")
