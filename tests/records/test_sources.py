"""Sources: which edits make results stale, and that afbench's own changed sources come with raised versions."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from afbench.records import statements
from afbench.records.sources import source_of
from afbench.registry.entries import ACTIVATIONS, TASKS, load_plugins
from afbench.registry.factory import choose

PLUGIN = '''
import afbench, torch
from torch import nn
from my_helper import squared
import my_folder.deep as deep

SCALE = 2.0
TABLE = {"a": 1.0}

def local(x):
    """Twice x."""
    return x * 2

def never_used(x):
    return 7

class Base(nn.Module):
    bias = 0.5

@afbench.activation("one", formula="x^2", tags=("t",))
class One(Base):
    """One."""

    def __init__(self, a: float = 1.0):
        super().__init__()
        self.a = a  # a comment

    def forward(self, x):
        return squared(local(x)) * SCALE * deep.factor() + TABLE["a"]

@afbench.activation("two", formula="sin x")
class Two(Base):
    """Two."""
    def forward(self, x):
        return torch.sin(x)

@afbench.task("edited_task")
class Edited(afbench.Task):
    """A task."""
    def data(self, rng):
        return torch.rand(3, generator=rng)

if __name__ == "__main__":
    print("started")
'''
FILES = {
    "plugin.py": PLUGIN,
    "my_helper.py": "import json\n\ndef squared(x):\n    return x * x\n\ndef other(x):\n    return 0\n",
    "my_folder/__init__.py": "",
    "my_folder/deep.py": "from .deeper import DEPTH\n\ndef factor():\n    return DEPTH\n",
    "my_folder/deeper.py": "DEPTH = 1.0\n",
}
ENTRIES = ("one", "two", "edited_task")


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """Write files, load the plugin, and return the source of each entry; may be called again after an edit."""
    monkeypatch.syspath_prepend(tmp_path)

    def read(edit=None):
        for name, text in FILES.items():
            if edit is not None and edit[0] == name:
                assert edit[1] in text
                text = text.replace(edit[1], edit[2])
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        for module in [name for name in sys.modules if name.startswith(("my_helper", "my_folder"))]:
            del sys.modules[module]
        importlib.invalidate_caches()
        load_plugins([tmp_path / "plugin.py"])
        entries = [choose("one").entry, choose("two").entry, TASKS.find("edited_task")[0]]
        return dict(zip(ENTRIES, (source_of({"activation": entry}) for entry in entries), strict=True))

    return read


@pytest.mark.parametrize(
    ("edit", "stale"),
    [
        (("plugin.py", "return squared(local(x))", "return squared(local(x)) + 0"), {"one"}),
        (("plugin.py", "torch.sin(x)", "torch.cos(x)"), {"two"}),
        (("plugin.py", "a: float = 1.0", "a: float = 1.5"), {"one"}),
        (("plugin.py", "return x * 2", "return x * 3"), {"one"}),
        (("plugin.py", "bias = 0.5", "bias = 0.25"), {"one", "two"}),
        (("plugin.py", "torch.rand(3", "torch.rand(4"), {"edited_task"}),
        (("plugin.py", "SCALE = 2.0", "SCALE = 2.5"), {"one", "two", "edited_task"}),
        (("plugin.py", '{"a": 1.0}', '{"a": 2.0}'), {"one", "two", "edited_task"}),
        (("my_helper.py", "x * x", "x * x * x"), {"one", "two", "edited_task"}),
        (("my_folder/deep.py", "return DEPTH", "return -DEPTH"), {"one", "two", "edited_task"}),
        (("my_folder/deeper.py", "1.0", "1.5"), {"one", "two", "edited_task"}),
        (("plugin.py", "# a comment", "# another"), set()),
        (("plugin.py", '"""One."""', '"""Uno."""'), set()),
        (("plugin.py", '"""Twice x."""', '"""Double."""'), set()),
        (("plugin.py", "return x * 2", "return  (x*2)"), set()),
        (("plugin.py", 'formula="x^2", tags=("t",)', 'formula="x*x", tags=("u",)'), set()),
        (("plugin.py", "return 7", "return 8"), set()),
        (("plugin.py", 'print("started")', 'print("begun")'), set()),
        (("my_helper.py", "return 0", "return 1"), set()),
    ],
    ids=lambda value: f"{value[1]} -> {value[2]}" if isinstance(value, tuple) else "",
)
def test_an_edit_makes_stale_what_it_can_change_and_nothing_else(sources, edit, stale):
    before, after = sources(), sources(edit)
    assert {name for name in ENTRIES if before[name] != after[name]} == stale


@pytest.mark.parametrize(
    "code",
    [
        "globals()['local'](x)",
        "getattr(sys.modules[__name__], 'lo' + 'cal')(x)",
        "eval('lo' + 'cal')(x)",
        "{k: v for k, v in vars(sys.modules[__name__]).items()}['lo' + 'cal'](x)",
    ],
)
def test_code_that_reaches_what_it_does_not_name_is_stale_with_its_whole_file(sources, code, monkeypatch):
    used = FILES["plugin.py"].replace("squared(local(x))", code).replace("import afbench", "import sys, afbench")
    monkeypatch.setitem(FILES, "plugin.py", used)
    assert sources()["one"] != sources(("plugin.py", "return x * 2", "return x * 3"))["one"]


def test_a_helper_that_is_imported_when_it_is_used_counts(sources, monkeypatch):
    text = PLUGIN.replace("from my_helper import squared\n", "").replace(
        "        return squared(", "        from my_helper import squared\n        return squared("
    )
    monkeypatch.setitem(FILES, "plugin.py", text)
    before, after = sources(), sources(("my_helper.py", "x * x", "x ** 3"))
    assert {name for name in ENTRIES if before[name] != after[name]} == {"one"}


def test_a_moved_file_is_the_same_source(sources, tmp_path, monkeypatch):
    before = sources()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "plugin.py").rename(tmp_path / "elsewhere" / "renamed.py")
    for name in ("one", "two"):
        del ACTIVATIONS.entries[name]
    del TASKS.entries["edited_task"]
    load_plugins([tmp_path / "elsewhere" / "renamed.py"])
    assert source_of({"activation": choose("one").entry}) == before["one"]


def test_afbenchs_and_torchs_own_have_none():
    gmm = TASKS.find("gmm")[0]
    for spec in ("relu", "ditac", "afbench.activations.prelu:PReLU", "torch.nn:Softplus"):
        assert source_of({"activation": choose(spec).entry, "task": gmm}) == ""


def test_a_raised_version_of_an_own_base_makes_what_derives_from_it_stale(sources, monkeypatch):
    import dataclasses

    text = PLUGIN.replace("class Base(nn.Module)", "class Base(type(afbench.create('silu')))")
    monkeypatch.setitem(FILES, "plugin.py", text)
    before = sources()
    entry = ACTIVATIONS.entries["silu"]
    monkeypatch.setitem(ACTIVATIONS.entries, "silu", dataclasses.replace(entry, version=entry.version + 1))
    assert sources()["one"] != before["one"]


NOTEBOOK = """
import afbench, torch
from torch import nn
from afbench.registry.factory import choose
from afbench.records.sources import source_of
SCALE = {scale}
def helper(x): return x * {factor}
@afbench.activation("mine", formula="x")
class Mine(nn.Module):
    def forward(self, x): return helper(x) * SCALE
print(source_of({{"activation": choose("mine").entry}}))
"""


@pytest.mark.slow
def test_code_without_a_file_has_a_source_too():
    given = [{"scale": 1.0, "factor": 2}, {"scale": 1.0, "factor": 2}, {"scale": 3.0, "factor": 2}]
    given.append({"scale": 1.0, "factor": 4})
    started = [  # at once: most of their time is the import of torch
        subprocess.Popen([sys.executable, "-c", NOTEBOOK.format(**one)], stdout=subprocess.PIPE, text=True)
        for one in given
    ]
    first, same, scale, helper = (process.communicate()[0] for process in started)
    assert first.startswith("activation=")
    assert first == same
    assert len({first, scale, helper}) == 3


def recorded():
    spec = importlib.util.spec_from_file_location("tests_sources", Path(__file__).parents[1] / "sources.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_changed_source_of_afbenchs_own_comes_with_a_raised_version():
    """Raise the version if results change; then, or if they do not: python -m tests.sources."""
    module = recorded()
    assert module.complaints(module.recorded(), module.current()) == [], "see python -m tests.sources"


@pytest.mark.slow
def test_a_changed_kernel_base_or_version_is_noticed():
    module = recorded()
    now = module.current()
    assert len(now) > 40
    changed = now | {"activation relu": {**now["activation relu"], "source": "x"}}
    changed |= {"activation pau": {**now["activation pau"], "version": 99}}
    assert [line.partition(" has ")[2] for line in module.complaints(now, changed)] == [
        f"another version ({now['activation pau']['version']} -> 99)",
        "another source under the same version 1",
    ]


@pytest.mark.parametrize(("spec", "kernel"), [("pau", "afbench.kernels.rational"), ("ditac", "afbench.kernels.flow")])
def test_what_an_own_entry_uses_of_the_kernels_is_part_of_its_source(spec, kernel, monkeypatch):
    module, target = recorded(), choose(spec).entry.target
    before, read = module.own(target), statements.parsed
    more = ast.parse("EDITED = 1").body
    monkeypatch.setattr(statements, "parsed", lambda name: read(name) + (more if name == kernel else []))
    assert module.own(target) != before
    assert module.own(choose("relu").entry.target) == module.recorded()["activation relu"]["source"]
