"""Every registered activation against the contract. Nothing is listed here: the registry and the checks are."""

from __future__ import annotations

import pytest

from afbench.factory import choose
from afbench.registry import ACTIVATIONS
from afbench.spec import Spec
from afbench.testing import CHECKS, SLOW_CHECKS, Subject, check_activation

ENTRIES = [entry for entry in ACTIVATIONS if not any(s.required for s in entry.settings.values())]


def variants(entry):
    """The entry as it is, and with each other choice of each setting that has choices."""
    yield entry.name
    for setting in entry.settings.values():
        for choice in setting.choices:
            if choice != setting.default:
                yield str(Spec(entry.name, {setting.name: choice}))


SPECS = [spec for entry in ENTRIES for spec in variants(entry)]
EXCEPTIONS = [(entry.name, check) for entry in ENTRIES for check in entry.exceptions]


def run(spec, check):
    reason = choose(spec).entry.exceptions.get(check)
    if reason:
        pytest.skip(f"declared exception: {reason}")
    check_activation(spec, only=check)


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("check", CHECKS)
def test_contract(check, spec):
    run(spec, check)


@pytest.mark.slow
@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("check", SLOW_CHECKS)
def test_slow_contract(check, spec):
    run(spec, check)


@pytest.mark.parametrize(("name", "check"), EXCEPTIONS)
def test_exception_is_needed(name, check):
    with pytest.raises((AssertionError, RuntimeError, ValueError)):
        {**CHECKS, **SLOW_CHECKS}[check](Subject.of(name))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_entry_describes_itself(entry):
    assert entry.formula, "the formula in code form"
    assert entry.summary.endswith("."), "the docstring begins with one sentence on one line"
    assert entry.tags, "a tag to select it by"
    assert not entry.paper or entry.year, "a paper has a year"
