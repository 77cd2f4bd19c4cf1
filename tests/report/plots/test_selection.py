"""``--acts`` and ``--names`` against what a folder holds."""

from __future__ import annotations

import pytest

from afbench.errors import UsageError
from afbench.report.plots.selection import display_names, holdings, select
from afbench.trial import Record, Status, Trial

HELD = {
    "relu": False,
    "gelu": False,
    "pau": True,
    "pau[version=b]": True,
    "ditac": True,
    "ge_ditac": True,
    "my.mod:Snake[alpha=2]": True,
    "plugged": None,
    "swish": None,
}


@pytest.mark.parametrize(
    ("parts", "specs"),
    [
        ("all", [*HELD]),
        ("trainable", ["pau", "pau[version=b]", "ditac", "ge_ditac", "my.mod:Snake[alpha=2]", "swish"]),
        ("fixed", ["relu", "gelu"]),
        ("trainable,-pau", ["ditac", "ge_ditac", "my.mod:Snake[alpha=2]", "swish"]),
        ("-pau[version=b]", [name for name in HELD if name != "pau[version=b]"]),
        ("-trainable,-fixed", ["plugged"]),
        ("*ditac", ["ditac", "ge_ditac"]),
        ("gelu, relu", ["gelu", "relu"]),
        ("pau*,-pau[version=b]", ["pau"]),
        ("pau[ version = b ]", ["pau[version=b]"]),
        ("tag:rational", ["pau", "pau[version=b]"]),
        ("plugged", ["plugged"]),
        ("my.mod:Snake[alpha=2]", ["my.mod:Snake[alpha=2]"]),
        (["relu", "all"], [*HELD]),
    ],
)
def test_chooses_as_run_does(parts, specs):
    assert list(select(parts, HELD).specs) == specs


def test_those_named_one_by_one_are_known():
    assert select("trainable,pau,*ditac", HELD).explicit == {"pau"}


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ("reluu", "no activation 'reluu' in gmm; did you mean 'relu'? (it holds: ditac, ge_ditac,"),
        ("elu", "no activation 'elu' in gmm"),
        ("ditac[a=-4]", "no activation 'ditac[a=-4.0]' in gmm; did you mean 'ditac'?"),
        ("tag:nonsense", "no activation of gmm has the tag 'nonsense' (tags: "),
        ("x*", "no activation of gmm matches 'x*' (it holds: "),
        ("-all", "no activation of gmm is selected by '-all'"),
        ("", "no activation of gmm is selected by ''"),
        ("-elu", "no activation 'elu' in gmm"),
        ("pau[version=q]", "activation 'pau'"),
        ("pau[", "malformed spec"),
    ],
)
def test_what_is_wrong_is_one_line(parts, said):
    with pytest.raises(UsageError) as raised:
        select(parts, HELD, "gmm")
    assert str(raised.value).startswith(said) and "\n" not in str(raised.value)


def test_who_learns_is_read_from_the_records():
    def record(name, seed, count=None):
        parameters = {} if count is None else {"activation": count}
        return Record(Trial("gmm", name, seed, {}), Status.OK, parameters=parameters)

    records = [record("a", 0), record("a", 1, 3), record("b", 0, 0), record("c", 0)]
    assert holdings(records) == {"a": True, "b": False, "c": None}


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("ditac=DiTAC (ours)", {"ditac": "DiTAC (ours)"}),
        (["ditac=A=B", "relu= ReLU "], {"ditac": "A=B", "relu": "ReLU"}),
        ("pau[version=b]=PAU b,relu=ReLU", {"pau[version=b]": "PAU b", "relu": "ReLU"}),
        ([], {}),
    ],
)
def test_names(given, names):
    assert display_names(given) == names


@pytest.mark.parametrize("given", ["ditac", "=x", "ditac=", "a=x,a=y", "a=x,b=x", "a=x\ny", "pau[=x"])
def test_wrong_names(given):
    with pytest.raises(UsageError):
        display_names(given)
