"""``--acts``, ``--baseline`` and ``--names`` against what results hold: nothing of a user's is imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

from afbench.errors import UsageError
from afbench.report.selection import apart, canonical, holdings, renamed, select, spec_among

HELD = {
    "relu": False,
    "gelu": False,
    "pau": True,
    "pau[version=b]": True,
    "ditac[a=-4.0,cells=20]": True,
    "ge_ditac": True,
    "opau[basis=hermite_prob]": True,
    "my_pkg.acts:Snake[alpha=2.0]": True,
    "plugged": None,
    "swish": None,
}
SNAKE = "my_pkg.acts:Snake[alpha=2.0]"
EDITED = {"relu": False, SNAKE: True, f"{SNAKE} (older code 9f3c)": True}


def but(*names):
    return [name for name in HELD if name not in names]


@pytest.mark.parametrize(
    ("parts", "specs"),
    [
        ("all", [*HELD]),
        ("trainable", but("relu", "gelu", "plugged")),  # swish, of which no record tells, learns by its entry
        ("trainable,-pau", but("relu", "gelu", "plugged", "pau", "pau[version=b]")),
        ("fixed", ["relu", "gelu"]),
        ("-trainable,-fixed", ["plugged"]),
        ("*au", ["pau", "pau[version=b]", "opau[basis=hermite_prob]"]),
        ("pau*,-pau[version=b]", ["pau"]),
        ("pau", ["pau"]),
        ("plugged", ["plugged"]),
        ("gelu, relu", ["gelu", "relu"]),
        ("pau[version=b],gelu", ["pau[version=b]", "gelu"]),
        ("pau[ version = b ]", ["pau[version=b]"]),
        ("-pau[version=b]", but("pau[version=b]")),
        ("-ditac", but("ditac[a=-4.0,cells=20]")),
        ("-hp1", but("opau[basis=hermite_prob]")),  # an alias excludes what it stands for
        ("*ditac,-opau,opau[basis=hermite_prob]", ["ditac[a=-4.0,cells=20]", "ge_ditac", "opau[basis=hermite_prob]"]),
        ("-*au,-*ditac,-plugged,-swish", ["relu", "gelu", SNAKE]),
        ("ditac[ cells=20, a=-4 ]", ["ditac[a=-4.0,cells=20]"]),
        ("my_pkg.acts:Snake[alpha=2]", [SNAKE]),
        ("my_*", [SNAKE]),
        ("hp1", ["opau[basis=hermite_prob]"]),
        ("tag:rational,-pau[version=b]", ["pau", "opau[basis=hermite_prob]"]),
        (["relu", "all"], [*HELD]),
    ],
)
def test_selects_as_run_does(parts, specs):
    assert list(select(parts, HELD).specs) == specs


def test_globs_match_names_and_not_settings():
    held = {"ditac[init=relu]": True, "relu": False}
    assert select("*lu", held).specs == ("relu",)


def test_a_group_without_members_excludes_nothing():
    assert select("all,-fixed", {"pau": True}).specs == ("pau",)


def test_those_named_one_by_one_are_known():
    assert select("trainable,pau,*ditac", HELD).explicit == {"pau"}


def test_a_spec_takes_its_rows_of_older_code_with_it():
    selection = select("my_pkg.acts:Snake[alpha=2]", EDITED)
    assert selection.specs == (SNAKE, f"{SNAKE} (older code 9f3c)") and selection.explicit == {SNAKE}
    assert select("-my_pkg.acts:Snake", EDITED).specs == ("relu",)


def shown(text, held=HELD):
    selection = select(text, held)
    return [name for name in held if selection.shows(name, "relu")]


def test_the_baseline_stays_unless_it_is_excluded():
    assert shown("pau") == ["relu", "pau"]
    assert shown("pau,-relu") == ["pau"]
    assert shown("-fixed,-*ditac,-*au,-swish,-plugged") == [SNAKE]
    assert shown("opau[basis=hermite_prob],-relu,relu") == ["relu", "opau[basis=hermite_prob]"]
    assert shown("pau", {"pau": True}) == ["pau"]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ("reluu", "no activation 'reluu' in gmm; did you mean 'relu'? (it holds: ditac[a=-4.0,cells=20], ge_ditac,"),
        ("pua", "no activation 'pua' in gmm; did you mean 'pau'? ("),
        ("elu", "no activation 'elu' in gmm"),
        ("-elu", "no activation 'elu' in gmm"),
        ("ditac[b=5]", "no activation 'ditac[b=5.0]' in gmm; did you mean 'ditac[a=-4.0,cells=20]'? ("),
        ("elsewhere.acts:Bad", "no activation 'elsewhere.acts:Bad' in gmm"),
        ("tag:nonsense", "no activation of gmm has the tag 'nonsense' (tags: "),
        ("x*", "no activation of gmm matches 'x*' (it holds: "),
        ("all,-*", "no activation of gmm is selected by 'all,-*'"),
        ("-all", "no activation of gmm is selected by '-all'"),
        ("", "no activation of gmm is selected by ''"),
        ([], "no activation of gmm is selected by ''"),
        ("pau[version=q]", "activation 'pau': version"),
        ("pau[version", "malformed spec 'pau[version'"),
    ],
)
def test_what_is_wrong_is_one_line(parts, said):
    with pytest.raises(UsageError) as raised:
        select(parts, HELD, "gmm")
    assert str(raised.value).startswith(said) and "\n" not in str(raised.value)


def test_a_long_list_is_cut():
    with pytest.raises(UsageError, match=r"\(it holds: a00, .*a09 and 5 more\)"):
        select("nobody*", {f"a{i:02}": None for i in range(15)})


def test_who_learns_is_read_from_the_records():
    counts = [("a", None), ("a", 3), ("a", None), ("b", 0), ("c", None)]
    assert holdings(counts) == {"a": True, "b": False, "c": None}


def test_a_baseline_is_one_that_is_held():
    assert spec_among("my_pkg.acts:Snake[alpha=2]", EDITED) == SNAKE
    with pytest.raises(UsageError, match="no activation 'my_pkg.acts:Snaik' in the results; did you mean"):
        spec_among("my_pkg.acts:Snaik", EDITED)


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
        ("my_pkg.acts:Snake[alpha=2]=Mine", {SNAKE: "Mine"}),
        ("hp1=HP", {"opau[basis=hermite_prob]": "HP"}),
        (["gelu=A=B", 'relu= ReLU ,pau="P, b"'], {"gelu": "A=B", "relu": "ReLU", "pau": "P, b"}),
        ({"ditac[cells=20,a=-4]": 'a "b", c'}, {"ditac[a=-4.0,cells=20]": 'a "b", c'}),
        ("", {}),
        ([], {}),
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
        ("reluu=S", "--names: no activation 'reluu' in gmm; did you mean 'relu'"),
        ({"reluu": "S"}, "--names: no activation 'reluu' in gmm; did you mean 'relu'"),
        ("elu=E", "--names: no activation 'elu' in gmm"),
        ("pau[version=q]=Q", "--names: activation 'pau': version"),
        ('pau=" "', "'pau' no name"),
        (["pau=A", "pau=B"], "'pau' two names"),
        ("pau=A,pau=B", "'pau' two names"),
        ("pau=X,gelu=X", "two activations would be called 'X'"),
        ("pau=relu", "two activations would be called 'relu'"),
        ('pau="A', "a closing quote is missing"),
        ("pau[=x", "a closing bracket is missing"),
    ],
)
def test_names_that_are_refused(text, said):
    with pytest.raises(UsageError, match=said):
        renamed(text, HELD, "gmm")


def test_rows_of_older_code_go_by_the_name_of_their_activation():
    assert renamed("my_pkg.acts:Snake[alpha=2]=Mine", EDITED) == {SNAKE: "Mine"}


def test_commas_in_brackets_and_quotes_part_nothing():
    assert apart('a[b=1,c=2]=x,d="y,z",e=f') == ["a[b=1,c=2]=x", 'd="y,z"', "e=f"]


def test_what_is_held_is_found_without_torch():
    code = (
        "import sys, afbench.report.selection as s, afbench.report.tables.formats\n"
        "import afbench.report.summary, afbench.cli.table\n"
        "import afbench.report.tables.cost_table, afbench.report.tables.wide, afbench.compare\n"
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
