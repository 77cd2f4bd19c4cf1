"""What the docs show runs as it stands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from afbench.cli import main

DOCS = Path(__file__).parents[2] / "docs"


def first_code(page: str) -> str:
    return re.search(r"```python\n(.*?)```", (DOCS / page).read_text(), re.S).group(1)


@pytest.mark.parametrize(("page", "lines"), [("add-an-activation.md", 20), ("add-a-task.md", 25)])
def test_the_example_is_short(page, lines):
    assert len(first_code(page).splitlines()) <= lines


def test_a_new_activation_is_one_file_that_runs_and_is_listed(tmp_path, capsys):
    plugin = tmp_path / "snake_from_docs.py"
    plugin.write_text(first_code("add-an-activation.md"))
    call = ["run", "--task", "digits", "--acts", "snake", "--plugin", str(plugin), "--budget", "smoke"]
    given = ["--seeds", "1", "--no-cost", "--engine", "inline", "--out", str(tmp_path / "out")]
    assert main([*call, *given]) == 0
    assert re.search(r"^snake\s", capsys.readouterr().out, re.M)
    assert main(["list", "activations", "--tag", "trainable", "--plugin", str(plugin)]) == 0
    assert "snake" in capsys.readouterr().out


@pytest.mark.slow
def test_a_new_activation_is_checked_as_the_docs_show(tmp_path):
    (tmp_path / "snake.py").write_text(first_code("add-an-activation.md"))
    code = re.findall(r"```python\n(.*?)```", (DOCS / "add-an-activation.md").read_text(), re.S)[1]
    assert "check_activation(" in code
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


@pytest.mark.slow
def test_a_new_task_is_one_file_that_runs_and_is_listed(tmp_path, capsys):
    plugin = tmp_path / "moons_from_docs.py"
    plugin.write_text(first_code("add-a-task.md"))
    call = ["run", "--task", "moons", "--acts", "prelu", "--plugin", str(plugin), "--set", "noise=0.3"]
    out = ["--seeds", "1", "--no-cost", "--jobs", "1", "--out", str(tmp_path / "out")]
    assert main([*call, *out, "--budget", "smoke"]) == 0
    assert main(["list", "tasks", "--plugin", str(plugin)]) == 0
    assert "moons" in capsys.readouterr().out


def test_every_verb_has_a_page():
    from afbench.cli import VERBS

    assert {verb for verb in VERBS if (DOCS / f"{verb}.md").is_file()} == set(VERBS)


ROOT = DOCS.parent


def test_the_readme_shows_the_reference_table():
    shown = re.search(r"<!-- table: (\S+) -->\n(.*?)<!-- end of table -->", (ROOT / "README.md").read_text(), re.S)
    assert shown.group(2).strip() == (ROOT / shown.group(1)).read_text().strip()


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_lead_to_pages_and_headings():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS.glob("*.md")]:
        for name, anchor in re.findall(r"\]\((?!http)([^)#]*)#?([^)]*)\)", page.read_text()):
            target = page.parent / name if name else page
            assert target.exists(), f"{page.name} links to {name}"
            assert not anchor or anchor in anchors(target), f"{page.name} links to {name}#{anchor}"


def test_the_rules_keep_their_links():
    """Captions and papers cite them."""
    cited = (
        "intervals paired-differences bold significance two-groups-of-seeds cost-ratios unstable-times excluded-costs"
    )
    assert {*cited.split(), "seeds-data-and-order", "plots"} <= anchors(DOCS / "numbers.md")


def test_the_readme_example_runs():
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S).group(1)
    exec(compile(code, "README.md", "exec"), {})


def test_the_conversion_example_runs(capsys):
    code = first_code("convert.md")
    exec(compile(code, "convert.md", "exec"), {})
    shown = re.findall(r"^# (.*)$", code, re.M)
    assert capsys.readouterr().out.splitlines() == shown
