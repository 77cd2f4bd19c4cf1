"""Specs: what is printed reads back, whatever the values; what is malformed is said in one line."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from afbench.errors import UsageError
from afbench.registry.settings import Setting
from afbench.registry.spec import Spec, split

quick = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

KEYS = st.builds(str.__add__, st.sampled_from("aZ_"), st.text("bY_9éθ", max_size=4))
NAMES = KEYS | st.sampled_from(["hp1", "a.b", "pkg.mod:Class", "pkg:Class.Inner_2"])
AWKWARD = ["", " ", ",", "]", "[", "[]", '"', '\\"', "\\", "a=b", "a,b]", "π·θ", "\n", "\u2028", "\x85", "none", "true"]
TEXTS = st.text() | st.sampled_from(AWKWARD) | st.builds("{}[{}={}]".format, NAMES, KEYS, KEYS)
FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([-0.0, 1e-300, 0.1])
INTEGERS = st.integers(1 - 2**63, 2**63 - 1)
VALUES = st.none() | st.booleans() | INTEGERS | FLOATS | TEXTS
SPECS = st.builds(Spec, NAMES, st.dictionaries(KEYS, VALUES, max_size=3))


def typed(text, like):
    """Give the text the type that its setting would have."""
    kind = int if like is None else type(like)
    return Setting("s", kind, None, optional=like is None).parse(text)


@quick
@given(SPECS)
@example(Spec("pau", {"degree": "5:4"}))
@example(Spec("m.sub:Class", {"x": 'pau[version=b,note="a,b"]'}))
def test_what_is_printed_reads_back(spec):
    read = Spec.parse(str(spec))
    assert read.name == spec.name
    assert read.settings.keys() == spec.settings.keys()
    for key, value in spec.settings.items():
        assert repr(typed(read.settings[key], value)) == repr(value)


@quick
@given(SPECS)
def test_printing_is_canonical_whatever_was_read(spec):
    text = str(spec)
    assert str(Spec.parse(text)) == text
    assert "\n" not in text


@quick
@given(SPECS, st.randoms(use_true_random=False))
def test_order_and_spaces_do_not_matter(spec, random):
    pieces = [str(Spec("x", {key: value}))[2:-1] for key, value in spec.settings.items()]
    random.shuffle(pieces)
    loose = [piece.replace("=", " = ", 1) for piece in pieces]
    text = f" {spec.name} [ {' , '.join(loose)} ] " if pieces else f" {spec.name} "
    assert str(Spec.parse(text)) == str(spec)


@quick
@given(st.lists(SPECS, max_size=3))
def test_commas_between_specs_split_and_those_within_do_not(specs):
    texts = [str(spec) for spec in specs]
    assert split(",".join(texts)) == texts
    assert [piece.strip() for piece in split(" , ".join(texts))] == texts


@quick
@given(st.text() | st.text(alphabet='ab=[],:."\\ \n', max_size=12))
@example('a[b="\n"]')
@example('a[b="\\x"]')
@example("a[b=c]]")
def test_any_text_is_read_or_refused_in_one_line(text):
    try:
        read = Spec.parse(text)
    except UsageError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert Spec.parse(str(read)) == read


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "a name was expected"),
        ("[a=1]", "a name was expected"),
        ("1x", "'1x' is not a name"),
        ("re lu", "'re lu' is not a name"),
        ("relu]", "'relu]' is not a name"),
        ("pkg:", "'pkg:' is not a name"),
        ("pkg:a:b", "'pkg:a:b' is not a name"),
        ("pau[", "the closing bracket is missing"),
        ("pau[version=b", "the closing bracket is missing"),
        ("pau[a=b[c=d]", "the closing bracket is missing"),
        ("pau[version=b]x", "there is text after the closing bracket"),
        ("pau[version=b]]", "there is a closing bracket without an opening one"),
        ("pau[]", "the brackets are empty"),
        ("pau[,]", "the brackets are empty"),
        ("pau[version]", "'version' is not key=value"),
        ("pau[version=]", "'version=' is not key=value"),
        ("pau[=b]", "'=b' is not key=value"),
        ("pau[2=b]", "'2=b' is not key=value"),
        ("pau[a=1, a=2]", "'a' is set twice"),
        ('pau[a="b]', "a quote is not closed"),
        ('pau[a="b"c]', "is not a quoted text"),
    ],
)
def test_malformed_specs_are_told_why_and_shown_the_form(text, why):
    with pytest.raises(UsageError) as caught:
        Spec.parse(text)
    assert str(caught.value).startswith(f"malformed spec {text!r}: ")
    assert why in str(caught.value)
    assert str(caught.value).endswith("the form is name[key=value,key=value]")


@pytest.mark.parametrize("text", ["a,b]", "a[b,c", 'a[b="c,d'])
def test_a_list_whose_brackets_or_quotes_do_not_close_is_refused(text):
    with pytest.raises(UsageError, match="malformed spec"):
        split(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (True, "true"),
        (-3.0, "-3.0"),
        (3, "3"),
        (math.inf, "inf"),
        ("5:4", "5:4"),
        ("pau[version=b]", "pau[version=b]"),
        ("a,b", '"a,b"'),
        ("", '""'),
    ],
)
def test_how_values_are_printed(value, text):
    assert str(Spec("x", {"s": value})) == f"x[s={text}]"
