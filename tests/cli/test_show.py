"""``afbench show``: formula, settings with types and defaults, source, parameter count."""

from __future__ import annotations

import json

import pytest

from afbench.cli import main
from afbench.registry.entries import ACTIVATIONS, TASKS
from afbench.registry.spec import Spec


@pytest.fixture
def shown(capsys):
    """Call the verb; returns what it printed, as JSON if asked for."""

    def call(*argv):
        assert main(["show", *argv]) == 0
        out, err = capsys.readouterr()
        assert not err
        return json.loads(out) if "--json" in argv else out

    return call


@pytest.mark.parametrize("name", [entry.name for registry in (ACTIVATIONS, TASKS) for entry in registry])
def test_every_entry_can_be_shown(shown, name):
    text = shown(name)
    held = shown(name, "--json")
    assert name in (held.get("spec"), held.get("task"))
    assert held["about"].split() == text.split()[-len(held["about"].split()) :], "all of the docstring, folded"
    one_line = " ".join(text.split())
    for setting, about in held["settings"].items():
        assert setting in text
        assert about["type"] in one_line
    assert [line for line in text.splitlines() if len(line) > 80 and not line.startswith("file ")] == []


def test_an_activation_in_full(shown):
    text = shown("prelu")
    for part in (
        "max(x, 0) + a * min(x, 0)",
        "arXiv:1502.01852 (2015)",
        "per = layer ",
        "one of 'layer', 'channel'",
        "a   = 0.25 ",
        "a float",
        "He et al. 2015, eq. 1",
        "prelu.py:",
    ):
        assert part in text


def test_ditac_in_full(shown):
    held = shown("ditac", "--json")
    assert "2407.07564" in held["paper"]
    assert held["formula"]
    assert held["settings"]["cells"]["default"] == 10
    names = "cells a b zero_boundary lambda_smooth lambda_var init_smooth init_var penalty_weight init method bins"
    assert {*names.split()} <= {*held["settings"]}
    # cells - 1 with zero boundary, cells + 1 without: the basis of continuous piecewise affine velocities
    expected = {"true": "9 per place", "false": "11 per place"}
    for boundary, count in expected.items():
        assert shown(f"ditac[zero_boundary={boundary}]", "--json")["parameters"] == count


@pytest.mark.parametrize(
    ("spec", "parameters"),
    [
        ("relu", "none"),
        ("prelu", "1 per place"),
        ("prelu[per=channel]", "C = 64 at C = 64 per place"),
        ("pau", "10 per place (a 6, b 4)"),
        ("acon_c", "3 C = 192 at C = 64 per place (p1 C, p2 C, beta C)"),
        # Two maps from C to C, of which each has C^2 weights and C biases.
        ("glu", "2 C^2 + 2 C = 8320 at C = 64 per place"),
        # W1 is [C / 16, C] and W2 [C, C / 16], with one unit at least: 2 * 4 * 64.
        ("se", "512 at C = 64 per place"),
        ("torch.nn:PReLU", "1 per place"),
    ],
)
def test_parameters_are_counted_per_place(shown, spec, parameters):
    assert shown(spec, "--json")["parameters"].startswith(parameters)


def test_settings_show_their_value_here_and_their_default(shown):
    assert shown("prelu[a=1]", "--json")["settings"]["a"] == {
        "type": "a float",
        "default": 0.25,
        "value": 1.0,
        "required": False,
    }
    assert "a   = 1.0    a float (default 0.25)" in shown("prelu[a=1]")


def test_a_task_shows_its_metric_and_the_ranges_of_its_settings(shown):
    text = shown("gmm")
    assert "accuracy (%), higher is better" in text
    assert "an int, at least 2, at most 255" in text
    assert shown("regression_2d", "--json")["metric"] == "R2 (%), higher is better"


def test_an_alias_shows_its_entry_and_what_it_sets(shown, monkeypatch):
    monkeypatch.setitem(ACTIVATIONS.aliases, "steep_prelu", Spec("prelu", {"a": "0.5"}))
    held = shown("steep_prelu", "--json")
    assert held["spec"] == "prelu[a=0.5]"
    assert held["settings"]["a"]["value"] == 0.5


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rellu", "unknown activation or task 'rellu'; did you mean 'relu'?"),
        ("gm", "unknown activation or task 'gm'; did you mean 'gmm'?"),
        ("", "unknown activation or task ''"),
        ("prelu[b=1]", "activation 'prelu' has no setting 'b'"),
        ("prelu[a=1", "malformed spec 'prelu[a=1': the closing bracket is missing"),
        ("gmm[width=3]", "gmm is a task: give show only its name; give settings to run with --set KEY=VALUE"),
        ("ReLU6", "unknown activation or task 'ReLU6'; did you mean 'relu'?"),
        ("DiTAC", "unknown activation or task 'DiTAC'; did you mean 'ditac'?"),
        ("no_such_package:Snake", "cannot import 'no_such_package:Snake'"),
    ],
)
def test_what_is_not_there_is_one_line_and_exit_2(capsys, name, message):
    assert main(["show", name]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith(f"afbench: {message}")
    assert len(err.splitlines()) == 1
