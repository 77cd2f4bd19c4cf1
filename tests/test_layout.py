"""The layout: every module has its test file or is listed in CONTRIBUTING.md, and every folder is packaged."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "afbench"
TICKED = re.compile(r"`([^`]+)`")


def listed():
    """The rows of the section "Where it is tested": room, modules, test files."""
    section = (ROOT / "CONTRIBUTING.md").read_text().partition("## Where it is tested\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [tuple(TICKED.findall(cell) for cell in row) for row in rows]


def without_a_test_file(package=PACKAGE, tests=ROOT / "tests"):
    modules = [path.relative_to(package) for path in package.rglob("*.py") if path.name != "__init__.py"]
    return {path for path in modules if not (tests / path.parent / f"test_{path.name}").is_file()}


def test_every_module_has_its_test_file_or_is_listed_in_contributing():
    rows = Counter(Path(room) / f"{module}.py" for (room,), modules, _ in listed() for module in modules)
    missing, needless = without_a_test_file() - rows.keys(), rows.keys() - without_a_test_file()
    edits = [f"{word} {path}" for word, paths in (("add", missing), ("remove", needless)) for path in sorted(paths)]
    edits += [f"list once {path}" for path, times in rows.items() if times > 1]
    assert not edits, f"CONTRIBUTING.md, Where it is tested: {'; '.join(edits)} (or write tests/ROOM/test_MODULE.py)"


def test_the_listed_test_files_exist():
    files = [file for _, _, files in listed() for file in files]
    assert files and [file for file in files if not (ROOT / file).is_file()] == []


def test_a_module_without_a_test_file_is_seen(tmp_path):
    for path in ("room/tested.py", "room/untested.py", "room/__init__.py"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "tests" / "room").mkdir(parents=True)
    (tmp_path / "tests" / "room" / "test_tested.py").touch()
    assert without_a_test_file(tmp_path / "room", tmp_path / "tests" / "room") == {Path("untested.py")}


def test_every_folder_is_a_package_that_pyproject_lists():
    """A folder that is not listed is missing from what pip installs, while a checkout works."""
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    packages = {str(folder.relative_to(ROOT)).replace("/", ".") for folder in folders}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert set(settings["packages"]) == packages
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []
    for package, patterns in settings["package-data"].items():
        for pattern in patterns:
            assert list((ROOT / package.replace(".", "/")).glob(pattern)), f"{package} has no {pattern}"


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "misc", "manager", "handler"])
def test_no_module_is_named_for_nothing(name):
    assert not list(PACKAGE.rglob(f"{name}.py"))
