"""``afbench list``: every entry, a line or an object each."""

from __future__ import annotations

import json

import pytest
from torch import nn

import afbench
from afbench.cli import main
from afbench.registry import discovery
from afbench.registry.entries import ACTIVATIONS, TASKS


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
    assert line.endswith("(1 parameter, trainable, rectifier, piecewise)")


def test_json_gives_what_a_machine_may_want(listed):
    held = {entry["name"]: entry for entry in listed("activations", "--json")}
    assert held["prelu"]["settings"] == {"per": "layer", "a": 0.25}
    assert held["acon_c"]["parameters"] == {"formula": "3 C", "at_64": 192}
    assert held["relu"]["parameters"] == {"formula": "0", "at_64": 0}
    assert held["prelu"]["tags"] == ["trainable", "rectifier", "piecewise"]
    assert (held["prelu"]["paper"], held["prelu"]["year"]) == ("arXiv:1502.01852", 2015)
    assert held["meta_acon"]["exceptions"] == {"vmap": "batch statistics"}
    tasks = {task["name"]: task for task in listed("tasks", "--json")}
    assert {"gmm", "digits"} <= {*tasks}
    assert tasks["gmm"]["settings"]["epochs"] == 40 and "parameters" not in tasks["gmm"]


FAMILY = ["ditac", "ge_ditac", "inf_ditac", "leaky_ditac"]


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["*ditac"], FAMILY),
        (["diffeomorphism"], FAMILY),
        (["tag:diffeomorphism"], FAMILY),
        (["2407.07564"], FAMILY),
        (["relu"], ["relu"]),
        (["h?1"], ["opau"]),
        (["swiglu", "tanh"], ["glu", "tanh"]),
        (["relu,tanh", "gelu"], ["gelu", "relu", "tanh"]),
        (["*ditac,-ge_ditac,-l*"], ["ditac", "inf_ditac"]),
        (["tag:rational", "tag:sigmoidal"], ["opau", "pau", "sigmoid", "softsign", "tanh"]),
        (["ORTHOGONAL"], []),
        (["squeeze-and"], ["se"]),
    ],
    ids=" ".join,
)
def test_patterns_select(capsys, patterns, names):
    code = main(["list", "activations", *patterns])
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == names
    assert code == (0 if names else 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["activations", "ditacc"], "no activations match 'ditacc'; did you mean 'ditac'?"),
        (["activations", "*ditacc"], "no activations match '*ditacc'; did you mean 'ditac'?"),
        (["activations", "DiTACC"], "no activations match 'DiTACC'; did you mean 'ditac'?"),
        (["activations", "tag:rationl"], "no activations have the tag 'rationl'; did you mean 'rational'?"),
        (["activations", "zzz"], "no activations match 'zzz' (afbench list activations; afbench list tags)"),
        (["activations", "relu,-relu"], "no activations are selected by 'relu,-relu'"),
        (["activations", ""], "no activations are selected by ''"),
        (["activations", "pau[version=b]"], "list takes names and patterns, not settings; afbench show"),
        (["tasks", "gm"], None),
        (["tasks", "gmmm"], "no tasks match 'gmmm'; did you mean 'gmm'?"),
        (["tags", "rational"], "list tags takes no patterns"),
    ],
)
def test_what_matches_nothing_gets_the_nearest_name(capsys, call, message):
    code = main(["list", *call])
    out, err = capsys.readouterr()
    if message is None:
        assert (code, out.split()[0]) == (0, "gmm")
    else:
        assert (code, out) == (2, "")
        assert err.startswith(f"afbench: {message}") and err.count("\n") == 1


def test_tags_are_listed_with_what_has_them(listed):
    lines = {line.split()[0]: line for line in listed("tags")}
    assert lines["rational"].endswith("activations: opau, pau")
    assert lines["regression"].endswith("tasks: regression_1d, regression_2d")
    held = {tag["tag"]: tag for tag in listed("tags", "--json")}
    assert held["diffeomorphism"]["activations"] == FAMILY


def test_counts_are_those_of_the_formulas(listed):
    """Written apart, from the papers' formulas: parameters of a layer with 64 channels."""
    counts = {entry["name"]: entry["parameters"]["at_64"] for entry in listed("activations", "--json")}
    channels = 64
    assert counts["maxout"] == counts["glu"] == 2 * channels * (channels + 1)
    assert (counts["acon_a"], counts["acon_b"], counts["acon_c"]) == (channels, 2 * channels, 3 * channels)
    assert counts["se"] == 2 * channels * channels // 16
    # p1, p2; fc1 to 16 units and fc2 back, with biases; a scale and a shift for each unit of the two norms.
    assert (
        counts["meta_acon"] == 2 * channels + (16 * channels + 16) + (channels * 16 + channels) + 2 * 16 + 2 * channels
    )
    assert (counts["pau"], counts["ditac"], counts["swish"], counts["relu"]) == (6 + 4, 10 - 1, 1, 0)


def test_a_terminal_folds_lines(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert main(["list", "activations"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 60


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


def test_a_task_without_a_docstring_shows_none(listed, own_entries):
    """Python's dataclass makes one up, of every field: it stood in the list, under ``python -OO`` for all tasks."""

    @afbench.task("undocumented_test")
    class Undocumented(afbench.Task):
        epochs: int = 3

    assert [line.split() for line in listed("tasks", "undocumented_test")] == [["undocumented_test"]]
