"""Settings: what an annotation allows, and how text becomes a typed value or one line of refusal."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from afbench.errors import UsageError
from afbench.registry.settings import Range, Setting, differing, resolve, settings_of

quick = effort(max_examples=60, deadline=None, derandomize=True)


class Snake:
    """Has a setting of every kind, and arguments that are none."""

    def __init__(
        self,
        terms: int,
        alpha: Annotated[float, Range(above=0)] = 1,
        shift: Annotated[int, Range(at_least=0)] | None = None,
        clip: bool = False,
        label: str = "x",
        form: Literal["sin", "cos"] = "sin",
        device: object = None,
        **rest: object,
    ) -> None: ...


def setting(type, **about):
    return Setting("s", type, None, **about)


@pytest.mark.parametrize(
    ("type", "given", "value"),
    [
        (int, "-3", -3),
        (int, 3.0, 3),
        (float, "-3", -3.0),
        (float, 2, 2.0),
        (float, "1e-300", 1e-300),
        (bool, "true", True),
        (bool, "False", False),
        (bool, True, True),
        (str, "", ""),
        (str, "true", "true"),
    ],
)
def test_text_and_neighbouring_types_become_the_settings_type(type, given, value):
    read = setting(type).parse(given)
    assert read == value
    assert read.__class__ is type


@pytest.mark.parametrize(
    ("type", "given"),
    [
        (int, "1.5"),
        (int, 1.5),
        (int, Decimal("1.5")),
        (int, "inf"),
        (int, math.inf),
        (int, ""),
        (int, "three"),
        (int, True),
        (int, None),
        (int, "none"),
        (float, "nan"),
        (float, "1,5"),
        (float, False),
        (float, 10**400),
        (bool, "1"),
        (bool, 1),
        (bool, "yes"),
        (str, 3),
        (str, None),
    ],
)
def test_other_values_are_refused_in_one_line_that_names_setting_and_type(type, given):
    with pytest.raises(UsageError) as caught:
        setting(type).parse(given)
    words = {int: "an int", float: "a float", bool: "true or false", str: "text"}[type]
    assert str(caught.value).startswith(f"s must be {words}, not ")
    assert "\n" not in str(caught.value)


@quick
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_is_read_back_to_the_bit(value):
    assert setting(float).parse(str(value)).hex() == value.hex()


@pytest.mark.parametrize("given", ["inf", "-inf", math.inf, "1e999"])
def test_infinity_is_refused(given):
    with pytest.raises(UsageError, match=f"^s must be finite, not {given}$"):
        setting(float).parse(given)


@quick
@given(st.integers(1 - 2**63, 2**63 - 1))
def test_every_int_is_read_back(value):
    assert setting(int).parse(str(value)) == value


@quick
@given(st.text())
def test_text_that_is_no_number_never_leaks_another_error(text):
    for type in (int, float, bool):
        try:
            assert isinstance(setting(type).parse(text), type)
        except UsageError as error:
            assert len(str(error).splitlines()) == 1


def test_none_is_for_optional_settings():
    assert setting(int, optional=True).parse("none") is None
    assert setting(int, optional=True).parse(None) is None
    assert setting(int, optional=True).parse("3") == 3
    assert setting(int, optional=True).describe() == "an int or none"


@pytest.mark.parametrize(
    ("limits", "within", "outside"),
    [
        (Range(above=0), 1e-300, 0.0),
        (Range(at_least=0), 0.0, -1e-300),
        (Range(below=1), 0.999, 1.0),
        (Range(at_most=1), 1.0, 1.001),
        (Range(above=-1, at_most=1), 1.0, -1.0),
        (Range(), math.inf, math.nan),
    ],
)
def test_range(limits, within, outside):
    assert within in limits
    assert outside not in limits


def test_a_number_out_of_range_is_told_the_range():
    with pytest.raises(UsageError, match=r"^s must be an int, at least 1, at most 9, not '0'$"):
        setting(int, range=Range(at_least=1, at_most=9)).parse("0")


def test_bounds_are_told_with_all_their_digits():
    assert str(Range(at_most=16777217)) == "at most 16777217"


def test_a_word_that_is_no_choice_gets_the_nearest_one():
    choices = setting(str, choices=("exact", "nearest"))
    assert choices.parse("exact") == "exact"
    with pytest.raises(UsageError, match=r"one of 'exact', 'nearest', not 'exat'; did you mean 'exact'\?"):
        choices.parse("exat")


@pytest.mark.parametrize("given", ["2", 2, 2.0])
def test_a_chosen_number_has_the_type_of_the_choices(given):
    read = setting(int, choices=(1, 2)).parse(given)
    assert repr(read) == "2"


def test_settings_are_read_from_the_annotations_of_a_constructor():
    found = settings_of(Snake)
    assert list(found) == ["terms", "alpha", "shift", "clip", "label", "form"]
    assert {name: s.type for name, s in found.items()} == {
        "terms": int,
        "alpha": float,
        "shift": int,
        "clip": bool,
        "label": str,
        "form": str,
    }
    assert found["terms"].required
    assert not found["alpha"].required
    assert repr(found["alpha"].default) == "1.0", "an int default of a float is a float"
    assert found["alpha"].range == Range(above=0)
    assert found["shift"].optional
    assert found["shift"].range == Range(at_least=0), "a range may stand inside an optional"
    assert found["form"].choices == ("sin", "cos")


def test_what_the_network_knows_is_skipped():
    assert "terms" not in settings_of(Snake, skip=["terms"])


def test_an_argument_that_no_text_can_give_is_refused_by_name():
    def bent(points: list[float]): ...

    with pytest.raises(UsageError, match="bent: argument 'points' needs a default"):
        settings_of(bent)


def test_resolve_types_what_is_given_and_leaves_the_rest():
    values = resolve(settings_of(Snake), {"terms": "3", "alpha": "2"}, "activation 'snake'")
    assert values == {"terms": 3, "alpha": 2.0}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"terms": 1, "alpa": 2}, r"^activation 'snake' has no setting 'alpa'; did you mean 'alpha'\?$"),
        ({"terms": 1, "zzz": 2}, r"has no setting 'zzz' \(its settings: terms, alpha, shift, clip, label, form\)$"),
        ({"terms": "one"}, r"^activation 'snake': terms must be an int, not 'one'$"),
        ({"alpha": "2"}, r"^activation 'snake' needs terms \(an int\)$"),
        ({"terms": 1, "alpha": "0"}, r"alpha must be a float, above 0, not '0'$"),
    ],
)
def test_resolve_refuses_in_one_line_that_names_the_owner(given, message):
    with pytest.raises(UsageError, match=message):
        resolve(settings_of(Snake), given, "activation 'snake'")


def test_only_what_differs_from_the_defaults_is_kept_sorted_by_name():
    settings = settings_of(Snake)
    values = resolve(settings, {"terms": 3, "label": "x", "clip": "true", "alpha": "1.0"}, "snake")
    assert list(differing(settings, values).items()) == [("clip", True), ("terms", 3)]
