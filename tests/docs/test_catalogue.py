"""The pages are what the registry, the docstrings and the kinds of plots say now."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from torch import nn

from afbench.cli import main
from afbench.cli.show import kernels_of
from afbench.registry.entries import ACTIVATIONS
from afbench.registry.entry import Entry
from afbench.registry.factory import choose

DOCS = Path(__file__).parents[2] / "docs"
SPEC = importlib.util.spec_from_file_location("catalogue", DOCS / "catalogue.py")
catalogue = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(catalogue)
OWN = catalogue.entries()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs")
    catalogue.write(folder)
    return folder


@pytest.mark.parametrize("page", ["activations.md", "fidelity.md", "plot.md"])
def test_the_committed_pages_are_what_the_registry_gives(written, page):
    assert (DOCS / page).read_text() == (written / page).read_text(), f"run: {catalogue.COMMAND}"


def test_each_activation_has_its_picture(written):
    names = {entry.name for entry in OWN}
    for folder in (DOCS, written):
        assert {path.stem for path in (folder / "activations").iterdir()} == names, f"run: {catalogue.COMMAND}"


def test_pictures_are_small():
    assert sum(path.stat().st_size for path in (DOCS / "activations").iterdir()) < 300_000


def test_the_same_registry_gives_the_same_bytes(written, tmp_path):
    catalogue.write(tmp_path)
    for path in written.rglob("*.*"):
        assert path.read_bytes() == (tmp_path / path.relative_to(written)).read_bytes()


def test_a_picture_draws_the_curve(written):
    """ReLU is drawn as a corner: level, then rising, the three points at -5, 0 and 5."""
    root = ElementTree.parse(written / "activations" / "relu.svg").getroot()
    paths = [
        node.get("d") for node in root.iter("{http://www.w3.org/2000/svg}path") if "1f77b4" in node.get("style", "")
    ]
    points = [tuple(map(float, pair)) for pair in re.findall(r"[ML] ([\d.]+) ([\d.]+)", paths[0])]
    (x0, y0), (x1, y1), *_, (x2, y2) = points
    assert y0 == pytest.approx(y1) and x1 - x0 == pytest.approx(x2 - x1, rel=0.01) and y2 < y1


class Snake(nn.Module):
    """Snake: x + sin(x)^2.

    More.
    """

    def __init__(self, channels: int, alpha: float = 1) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, channels)


def test_a_section_says_what_the_entry_says():
    entry = Entry(
        "activation", "snake", Snake, {"sn": "alpha=2"}, ("periodic",), "x + sin(x)^2", "arXiv:2006.08195", 2020
    )
    text = catalogue.section(entry)
    for part in (
        "## snake\n\n`x + sin(x)^2`\n",
        "![snake](activations/snake.svg)",
        "Snake: x + sin(x)^2.\n",
        "parameters: 2 (C = 1), 4160 (C = 64)",
        "`alpha=1.0` (a float)",
        "`sn` = `snake[alpha=2]`",
        "[arXiv:2006.08195](https://arxiv.org/abs/2006.08195) (2020)",
    ):
        assert part in text
    assert "More." not in text and "exceptions" not in text


def test_what_a_plugin_registers_is_not_on_the_page(monkeypatch):
    plugin = Entry("activation", "snake", Snake)
    monkeypatch.setitem(ACTIVATIONS.entries, "snake", plugin)
    assert plugin in [*ACTIVATIONS] and plugin not in catalogue.entries()


def test_a_row_of_fidelity_is_what_the_docstring_says():
    row = catalogue.fidelity(ACTIVATIONS.find("acon_b")[0])
    assert row["published"] == "not in `acon.py`" and row["ours"] == "the paper's formula, per channel or per layer"
    assert row["start"].startswith("beta = 1, as in ACON-C; the published start of p is unknown")
    assert catalogue.fidelity(ACTIVATIONS.find("tanh")[0]) == {
        "start": "no parameters",
        "published": "torch: the same",
        "ours": "the formula",
    }


class Lined(Snake):
    """Snake.

    Fidelity:
        published: the same
    """


@pytest.mark.parametrize("target", [Snake, Lined], ids=["no section", "no start"])
def test_an_activation_without_its_fidelity_is_named(target):
    entry = Entry("activation", "snake", target, where="snake.py:1")
    with pytest.raises(ValueError, match=r"snake.py:1: the docstring of snake needs a section 'Fidelity:'"):
        catalogue.fidelity(entry)


SETTING = re.compile(r"`(\w+=[\w.-]+)`")


@pytest.mark.parametrize("entry", OWN, ids=lambda entry: entry.name)
def test_settings_that_a_row_names_are_those_of_the_entry(entry):
    """A row says ``method=nearest``, and that something is the default: both must be so."""
    row = catalogue.fidelity(entry)
    start, ours = row["start"], row["ours"]
    for text in SETTING.findall(f"{start} {ours}"):
        key, _, value = text.partition("=")
        if key in entry.settings:
            chosen = choose(f"{entry.name}[{text}]")
            assert chosen.spec == entry.name or f"`{text}` by default" not in ours, text
    for key, value in re.findall(r"\b(\w+)(?: =)? (-?\d+(?:\.\d+)?)\b(?!:)", start):
        if key in entry.settings:
            assert entry.settings[key].default == float(value), f"{entry.name}: {key} starts at {value}"


def test_one_truth_about_the_methods_of_ditac(capsys):
    """The page of kernels, that of fidelity, the docstring and ``show`` say the same of how it is computed."""
    assert main(["show", "ditac"]) == 0
    ditac, _ = ACTIVATIONS.find("ditac")
    shown, kernels = capsys.readouterr().out, (DOCS / "kernels.md").read_text()
    fidelity = catalogue.fidelity(ditac)["ours"]
    default = ditac.settings["method"].default
    assert (default, f"`method={default}` by default" in fidelity, f"`method={default}`, the default" in kernels) == (
        "table",
        True,
        True,
    )
    for text in (shown, kernels, fidelity):
        assert "within 1e-5 (b - a)" in " ".join(text.split())
    for text in (shown, kernels):
        assert "within 1e-3 (b - a) for thetas of the prior" in " ".join(text.split())
    assert "one of 'table', 'fast', 'exact', 'nearest'" in shown
    named = set(re.findall(r"`(?:method=)?(\w+)`", kernels.partition("## DiTAC's table")[2]))
    assert {*ACTIVATIONS.find("ditac")[0].settings["method"].choices} <= named


def test_kernels_md_names_the_entries_with_compiled_kernels():
    first = (DOCS / "kernels.md").read_text().split("\n\n")[1].partition("if a C++17 compiler")[0]
    assert {*re.findall(r"`(\w+)`", first)} == {entry.name for entry in OWN if kernels_of(entry)}
