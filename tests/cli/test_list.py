"""``afbench list``: every entry, a line or an object each."""

from __future__ import annotations

import json

import pytest
from torch import nn

import afbench
from afbench import discovery
from afbench.cli import main
from afbench.registry import ACTIVATIONS, TASKS


@pytest.fixture
def own_entries():
    """Let a test register activations, and take them back after."""
    ACTIVATIONS.populate()
    before = dict(ACTIVATIONS.entries), dict(ACTIVATIONS.aliases)
    yield
    ACTIVATIONS.entries, ACTIVATIONS.aliases = before


@pytest.fixture
def listed(capsys):
    """Call the verb; returns what it printed, as JSON if asked for."""

    def call(*argv):
        assert main(["list", *argv]) == 0
        out, err = capsys.readouterr()
        assert not err
        return json.loads(out) if "--json" in argv else out.splitlines()

    return call


@pytest.mark.parametrize(("kind", "registry"), [("activations", ACTIVATIONS), ("tasks", TASKS)])
def test_every_entry_has_one_line(listed, kind, registry):
    assert [line.split()[0] for line in listed(kind)] == [entry.name for entry in registry]


def test_a_line_gives_formula_and_tags(listed):
    (line,) = [line for line in listed("activations") if line.startswith("prelu ")]
    assert "max(x, 0) + a * min(x, 0)" in line
    assert line.endswith("(trainable, rectifier, piecewise)")


def test_json_gives_what_a_machine_may_want(listed):
    held = {entry["name"]: entry for entry in listed("activations", "--json")}
    assert held["prelu"]["settings"] == {"per": "layer", "a": 0.25}
    assert held["prelu"]["tags"] == ["trainable", "rectifier", "piecewise"]
    assert (held["prelu"]["paper"], held["prelu"]["year"]) == ("arXiv:1502.01852", 2015)
    assert held["meta_acon"]["exceptions"] == {"vmap": "batch statistics"}
    assert {"gmm", "digits"} <= {task["name"] for task in listed("tasks", "--json")}


def test_a_tag_selects(listed):
    rational = [entry["name"] for entry in listed("activations", "--tag", "rational", "--json")]
    assert "pau" in rational
    assert rational == afbench.list_activations(tag="rational")
    assert {"digits"} <= {line.split()[0] for line in listed("tasks", "--tag", "images")}


def test_trainable_and_fixed_are_tags_that_part_all(listed):
    trainable, fixed, everything = (
        [line.split()[0] for line in listed("activations", *tag)]
        for tag in (["--tag", "trainable"], ["--tag", "fixed"], [])
    )
    assert {"prelu", "pau", "acon_c"} <= {*trainable}
    assert {"relu", "gelu"} <= {*fixed}
    assert sorted(trainable + fixed) == everything


def test_an_unknown_tag_is_told_the_known_ones(capsys):
    assert main(["list", "activations", "--tag", "nothing"]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("afbench: no activations have the tag 'nothing' (tags: ")
    assert "trainable" in err


def test_a_new_activation_is_listed(listed, own_entries):
    @afbench.activation("listed_test", formula="x + 1", tags=("odd",))
    class Listed(nn.Module):
        """x + 1."""

    assert [line.split() for line in listed("activations", "--tag", "odd")] == [
        ["listed_test", "x", "+", "1", "(fixed,", "odd)"]
    ]


def test_a_plugin_is_listed_for_the_call_that_names_it(listed, own_entries, tmp_path):
    plugin = tmp_path / "acts.py"
    plugin.write_text(
        "import afbench, torch\n@afbench.activation('of_plugin', formula='x')\nclass A(torch.nn.Module): ...\n"
    )
    assert any(line.startswith("of_plugin ") for line in listed("activations", "--plugin", str(plugin)))


def test_an_activation_that_cannot_be_built_stops_no_list(capsys, own_entries):
    @afbench.activation("unbuildable_test", formula="x")
    class Unbuildable(nn.Module):
        """x."""

        def __init__(self) -> None:
            raise RuntimeError("no such library")

    assert main(["list", "activations"]) == 0
    assert {"relu", "unbuildable_test"} <= {line.split()[0] for line in capsys.readouterr().out.splitlines()}


def test_entry_points_that_failed_are_warned_of_and_stop_nothing(capsys, monkeypatch):
    monkeypatch.setattr(discovery, "problems", ["entry point x = y of z failed: ImportError"])
    assert main(["list", "tasks"]) == 0
    out, err = capsys.readouterr()
    assert "gmm" in out
    assert err == "afbench: warning: entry point x = y of z failed: ImportError\n"
