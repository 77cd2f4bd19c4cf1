"""``--acts`` and ``--names`` against what results hold: nothing of a user's is imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

from afbench.errors import UsageError
from afbench.report.selection import apart, canonical, renamed, select

HELD = {
    "relu": False,
    "gelu": False,
    "pau": True,
    "pau[version=b]": True,
    "ditac[a=-4.0,cells=20]": True,
    "opau[basis=hermite_prob]": True,
    "my_pkg.acts:Snake[alpha=2.0]": True,
    "lost": None,
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("all", list(HELD)),
        ("trainable,-pau", ["ditac[a=-4.0,cells=20]", "opau[basis=hermite_prob]", "my_pkg.acts:Snake[alpha=2.0]"]),
        ("fixed", ["relu", "gelu"]),
        ("*au", ["pau", "pau[version=b]", "opau[basis=hermite_prob]"]),
        ("pau", ["pau"]),
        ("pau[version=b],gelu", ["pau[version=b]", "gelu"]),
        ("-*au,-ditac,-lost", ["relu", "gelu", "my_pkg.acts:Snake[alpha=2.0]"]),
        (
            "*,-pau[version=b],-my_*",
            ["relu", "gelu", "pau", "ditac[a=-4.0,cells=20]", "opau[basis=hermite_prob]", "lost"],
        ),
        ("ditac[ cells=20, a=-4 ]", ["ditac[a=-4.0,cells=20]"]),
        ("my_pkg.acts:Snake[alpha=2]", ["my_pkg.acts:Snake[alpha=2.0]"]),
        ("hp1", ["opau[basis=hermite_prob]"]),
        ("tag:published,-*u", None),
    ],
)
def test_what_is_chosen(text, found):
    if found is None:
        with pytest.raises(UsageError, match="no activation has the tag 'published'"):
            select(text, HELD)
    else:
        assert select(text, HELD) == found


def test_the_baseline_stays_unless_it_is_left_out_by_name():
    assert select("pau", HELD, "relu") == ["pau", "relu"]
    assert select("pau,-relu", HELD, "relu") == ["pau"]
    assert select("*au,-pau,relu", HELD, "relu") == ["opau[basis=hermite_prob]", "relu"]
    assert select("pau", {"pau": True}, "relu") == ["pau"]


def test_a_tag_is_that_of_the_registered_entry():
    from afbench.registry import ACTIVATIONS

    tag = next(tag for entry in ACTIVATIONS if entry.name == "pau" for tag in entry.tags)
    chosen = select(f"tag:{tag}", HELD)
    assert {"pau", "pau[version=b]"} <= set(chosen) and "my_pkg.acts:Snake[alpha=2.0]" not in chosen


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ditacc", "no activation 'ditacc' in the results"),
        ("pua", "did you mean 'pau'"),
        ("swish*", "no activation in the results matches 'swish\\*'"),
        ("all,-*", "leaves no activation"),
        ("", "leaves no activation"),
        ("pau[version", "the closing bracket is missing|not closed"),
        ("elsewhere.acts:Bad", "no activation 'elsewhere.acts:Bad'"),
    ],
)
def test_what_fits_nothing_is_refused_in_a_line(text, said):
    with pytest.raises(UsageError, match=said) as error:
        select(text, HELD)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pau=PAU", {"pau": "PAU"}),
        ("ditac[cells=20,a=-4]=DiTAC (ours), pau = PAU ", {"ditac[a=-4.0,cells=20]": "DiTAC (ours)", "pau": "PAU"}),
        ('pau="a, b = c",gelu=x=y', {"pau": "a, b = c", "gelu": "x=y"}),
        ('pau="say \\"so\\""', {"pau": 'say "so"'}),
        ("pau=PAU (ours, new), gelu=G, h", {"pau": "PAU (ours, new)", "gelu": "G, h"}),
        ("gelu=G\x1b[1m\nE", {"gelu": "G [1m E"}),
        ("pau[version=b]=é_&%$#", {"pau[version=b]": "é_&%$#"}),
    ],
)
def test_names(text, found):
    assert renamed(text, HELD) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pau", "--names takes SPEC=NAME"),
        ("=PAU", "--names takes SPEC=NAME"),
        ("pau=", "--names takes SPEC=NAME"),
        ("swosh=S", "no activation 'swosh'"),
        ("pau=A,pau=B", "'pau' two names"),
        ("pau=X,gelu=X", "two activations would be called 'X'"),
        ("pau=relu", "two activations would be called 'relu'"),
        ('pau="A', "a quote is not closed"),
    ],
)
def test_names_that_are_refused(text, said):
    with pytest.raises(UsageError, match=said):
        renamed(text, HELD)


def test_commas_in_brackets_and_quotes_part_nothing():
    assert apart('a[b=1,c=2]=x,d="y,z",e=f') == ["a[b=1,c=2]=x", 'd="y,z"', "e=f"]


def test_what_is_held_is_found_without_torch():
    code = (
        "import sys, afbench.report.selection as s, afbench.report.table, afbench.report.summary, afbench.cli.table\n"
        "import afbench.report.cost_tables, afbench.report.sorting, afbench.compare\n"
        "held = {'pau[version=b]': True, 'a.b:C[x=1.0]': True}\n"
        "s.select('trainable,-pau', held), s.renamed('a.b:C[x=1]=C', held), s.canonical('pau[version=b]', held)\n"
        "assert not {'torch', 'a', 'afbench.tasks', 'afbench.activations', 'matplotlib', 'pandas'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_a_class_is_not_imported(tmp_path, monkeypatch):
    (tmp_path / "dangerous.py").write_text("raise SystemExit(9)")
    monkeypatch.syspath_prepend(tmp_path)
    assert canonical("dangerous:Act", ["relu"]) == "dangerous:Act"
    assert "dangerous" not in sys.modules
