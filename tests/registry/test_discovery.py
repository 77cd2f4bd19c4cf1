"""Discovery: entry points, plugin files, importable classes. What fails is named, and stops nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from textwrap import dedent

import pytest

import afbench
from afbench.errors import UsageError
from afbench.registry import discovery
from afbench.registry.discovery import import_class, load_entry_points, load_plugin
from afbench.registry.entries import ACTIVATIONS, TASKS
from afbench.registry.entry import Registry

SNAKE = """
import torch
from torch import nn
import afbench

@afbench.activation("{name}", formula="x + sin(a x)^2 / a")
class Snake(nn.Module):
    '''Snake.'''

    def __init__(self, a: float = 1.0):
        super().__init__()
        self.a = a

    def forward(self, x):
        return x + torch.sin(self.a * x) ** 2 / self.a
"""
PLAIN = SNAKE.replace("@afbench.activation", "#")
TASK = """
import torch
from torch import nn
import afbench

{decorator}
class Tiny(afbench.Task):
    '''Tiny.'''

    width: int = 3

    def data(self, rng):
        x = torch.rand(8, 2, generator=rng)
        return afbench.Splits(*[(x, (x[:, 0] > 0.5).long())] * 3)

    def network(self, act):
        return nn.Sequential(nn.Linear(2, self.width), act(channels=self.width), nn.Linear(self.width, 2))
"""


def install(folder, name, entry_points, **modules):
    """Put a distribution into a folder, as pip would leave it."""
    for module, text in modules.items():
        (folder / f"{module}.py").write_text(dedent(text))
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(dedent(entry_points))


@pytest.fixture
def problems(monkeypatch):
    monkeypatch.setattr(discovery, "problems", [])
    return discovery.problems


@pytest.fixture
def registries():
    """The real registries, put back after."""
    both = ACTIVATIONS, TASKS
    for registry in both:
        registry.populate()
    before = [(dict(registry.entries), dict(registry.aliases)) for registry in both]
    yield both
    for registry, (entries, aliases) in zip(both, before, strict=True):
        registry.entries, registry.aliases = entries, aliases


@pytest.fixture
def plugin(tmp_path, registries):
    """Write a plugin and load it; returns its path."""

    def load(text, name="plugin.py"):
        path = tmp_path / name
        path.write_text(dedent(text))
        load_plugin(path, *registries)
        return path

    return load


# Entry points


def test_other_packages_bring_entries_and_one_that_is_broken_stops_nothing_else(tmp_path):
    broken = SNAKE.format(name="half_way") + "raise RuntimeError('no such\\nlibrary')\n"
    install(tmp_path, "broken-acts", "[afbench.activations]\nbroken = broken_acts\n", broken_acts=broken)
    install(tmp_path, "gone-acts", "[afbench.activations]\ngone = gone_acts:Snake\n")
    entries = """
        [afbench.activations]
        whole_module = good_acts
        plain = plain_acts:Snake
        [afbench.tasks]
        tiny = good_tasks:Tiny
    """
    good = {"good_acts": SNAKE.format(name="decorated"), "plain_acts": PLAIN}
    install(tmp_path, "good-acts", entries, **good, good_tasks=TASK.format(decorator="@afbench.task('tiny')"))
    code = """
        import json, afbench
        from afbench.registry import discovery
        found = {"activations": afbench.list_activations(), "tasks": afbench.list_tasks()}
        built = [type(afbench.create(spec)).__module__ for spec in ("decorated[a=2]", "plain[a=2]")]
        print(json.dumps({**found, "built": built, "problems": discovery.problems}))
    """
    run = subprocess.run(
        [sys.executable, "-c", dedent(code)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        check=True,
    )
    held = json.loads(run.stdout)
    assert {"relu", "decorated", "plain"} <= {*held["activations"]}
    assert "half_way" not in held["activations"], "what a broken one had registered by then is taken back"
    assert {"gmm", "tiny"} <= {*held["tasks"]}
    assert held["built"] == ["good_acts", "plain_acts"]
    broken, gone = sorted(held["problems"])
    assert "broken = broken_acts of broken-acts" in broken
    assert "RuntimeError: no such library (broken_acts.py:" in broken
    assert "gone = gone_acts:Snake of gone-acts" in gone
    assert "ModuleNotFoundError" in gone


def test_an_entry_point_that_exits_is_named_and_stops_nothing_else(tmp_path, monkeypatch, problems):
    entries = "[afbench.test_exits]\na_quitter = quitting_acts\nfine = fine_acts:Snake\n"
    install(tmp_path, "quitting", entries, quitting_acts="import sys\nsys.exit(3)\n", fine_acts=PLAIN)
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry("activation")
    load_entry_points("afbench.test_exits", registry)
    assert registry.names() == ["fine"]
    assert "a_quitter = quitting_acts of quitting" in problems[0]


def test_an_entry_point_of_a_taken_name_is_named_with_both_places(tmp_path, monkeypatch, problems, registries):
    clash = "[afbench.test_clash]\nclash = clashing_acts\n"
    install(tmp_path, "clashing", clash, clashing_acts=SNAKE.format(name="relu"))
    monkeypatch.syspath_prepend(tmp_path)
    load_entry_points("afbench.test_clash", ACTIVATIONS)
    (problem,) = problems
    assert "clashing_acts.py" in problem
    assert "rectifiers.py" in problem
    assert "'relu'" in problem
    assert type(afbench.create("relu")).__module__ == "afbench.activations.rectifiers"


def test_a_broken_entry_point_leaves_neither_activations_nor_tasks(tmp_path, monkeypatch, problems, registries):
    module = SNAKE.format(name="left_over") + TASK.format(decorator="@afbench.task('left_over')") + "1 / 0\n"
    install(tmp_path, "both", "[afbench.test_both]\nboth = both_kinds\n", both_kinds=module)
    monkeypatch.syspath_prepend(tmp_path)
    load_entry_points("afbench.test_both", ACTIVATIONS, TASKS)
    assert "ZeroDivisionError" in problems[0]
    assert "left_over" not in afbench.list_activations()
    assert "left_over" not in afbench.list_tasks()


def test_an_entry_point_may_name_a_task_that_is_not_decorated(tmp_path, monkeypatch, problems, registries):
    """As it may name a plain activation class."""
    entries = "[afbench.test_task]\nplain = plain_task:Tiny\n"
    install(tmp_path, "plain-task", entries, plain_task=TASK.format(decorator=""))
    monkeypatch.syspath_prepend(tmp_path)
    load_entry_points("afbench.test_task", TASKS)
    assert not problems
    made = afbench.tasks.base.create_task("plain", {"width": "5"})
    assert (made.name, made.width) == ("plain", 5)


# Plugins


def test_a_plugin_registers_activations_and_tasks(plugin):
    plugin(SNAKE.format(name="from_plugin") + TASK.format(decorator="@afbench.task('from_plugin')"))
    assert afbench.create("from_plugin[a=3]").a == 3.0
    assert "from_plugin" in afbench.list_tasks()


def test_a_plugin_may_be_named_twice(plugin, registries):
    path = plugin(SNAKE.format(name="twice"))
    load_plugin(path.parent / "." / path.name, *registries)
    assert afbench.list_activations().count("twice") == 1


@pytest.mark.parametrize("path", ["none.py", "."])
def test_a_missing_plugin_is_said(path, registries, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"^plugin .* not found: --plugin takes a Python file$"):
        load_plugin(path, *registries)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("def half(:\n", r"SyntaxError: .* \(plugin.py, line 1\)"),
        ("x = 1\n\n1 / 0\n", r"ZeroDivisionError: division by zero \(plugin.py:3\)"),
        ("import no_such_library\n", r"ModuleNotFoundError: No module named 'no_such_library' \(plugin.py:1\)"),
        ("raise ValueError('one\\ntwo')\n", r"ValueError: one two \(plugin.py:1\)"),
        ("import sys\nsys.exit('bye')\n", r"SystemExit: bye \(plugin.py:2\)"),
        ("\0", "null bytes"),
    ],
)
def test_a_plugin_that_fails_is_named_with_the_error_and_its_line(plugin, text, why):
    with pytest.raises(UsageError, match=rf"^plugin .*plugin.py failed: .*{why}") as caught:
        plugin(text)
    assert "\n" not in str(caught.value)


def test_a_plugin_that_fails_half_way_is_taken_back_and_can_be_loaded_once_mended(plugin):
    whole = SNAKE.format(name="half") + TASK.format(decorator="@afbench.task('half')")
    with pytest.raises(UsageError, match="ZeroDivisionError"):
        plugin(whole + "1 / 0\n")
    assert "half" not in afbench.list_activations()
    assert "half" not in afbench.list_tasks()
    plugin(whole)
    assert "half" in afbench.list_activations()


def test_a_plugin_of_a_taken_name_is_told_both_places_and_the_old_entry_stays(plugin):
    with pytest.raises(UsageError) as caught:
        plugin(SNAKE.format(name="fresh") + SNAKE.format(name="tanh"))
    assert "plugin.py:" in str(caught.value)
    assert "squashing.py:" in str(caught.value)
    assert "fresh" not in afbench.list_activations()
    assert type(afbench.create("tanh")).__module__ == "afbench.activations.squashing"


def test_a_plugin_whose_name_does_not_end_in_py_is_refused(plugin):
    with pytest.raises(UsageError, match="is not a Python file"):
        plugin("x = 1\n", name="plugin.txt")


# Importable classes


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("no_such_package.acts:Snake", "No module named 'no_such_package'"),
        ("torch.nn:Snake", "module 'torch.nn' has no 'Snake'"),
        ("torch.nn:ReLU.Snake", "module 'torch.nn' has no 'ReLU.Snake'"),
        ("os:path", "'os:path' is not a class"),
        ("math:sin", "argument 'x' needs a default"),
        ("torch:relu", "torch:relu"),
        ("torch:Tensor", "torch:Tensor"),
        ("numpy:sin", "numpy:sin"),
    ],
)
def test_what_cannot_be_an_activation_is_refused_in_one_line(path, why):
    with pytest.raises(UsageError) as caught:
        afbench.create(path)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("str.no_such_attribute", "AttributeError: .*no_such_attribute.*"),
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("raise SystemExit('bye')", "SystemExit: bye"),
    ],
)
def test_a_module_that_fails_while_it_is_imported_is_told_with_its_line(tmp_path, monkeypatch, text, why):
    (tmp_path / "failing_acts.py").write_text(f"\n{text}\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match=rf"'failing_acts:Snake': {why} \(failing_acts.py:2\)"):
        import_class("failing_acts:Snake")


def test_any_importable_class_can_be_taken_unregistered():
    assert afbench.create("torch.nn:Softplus[beta=2]").beta == 2.0
    assert afbench.create("torch:nn.LeakyReLU").negative_slope == 0.01


def test_classes_of_the_current_folder_are_found(tmp_path):
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "shapes.py").write_text(PLAIN)
    script = str(Path(sysconfig.get_path("scripts")) / "afbench")
    started = [  # at once: most of their time is the import of torch
        subprocess.Popen(
            [*command, "show", "my_package.shapes:Snake[a=2]"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in ([sys.executable, "-m", "afbench"], [script])
    ]
    for process in started:
        out, err = process.communicate()
        assert process.returncode == 0, err
        assert "my_package.shapes:Snake[a=2.0]" in out
        assert str(Path("my_package") / "shapes.py") in out
