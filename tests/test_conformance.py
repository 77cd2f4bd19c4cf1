"""Every registered activation against the contract. Nothing is listed here: the registry and the checks are."""

from __future__ import annotations

import pytest
import torch

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


TRACED = [next(e.name for e in ENTRIES if tag in e.tags) for tag in ("channel", "diffeomorphism", "noisy", "rational")]


@pytest.mark.parametrize("spec", TRACED)
def test_some_compile_in_the_quick_tests(spec):
    run(spec, "compile")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("spec", SPECS)
def test_values_are_float64s_but_for_few_roundings(spec, dtype):
    if choose(spec).resolved.get("method", "exact") != "exact":
        pytest.skip("approximate by choice: its own tests say how far")
    subject = Subject.of(spec)
    x = torch.linspace(-6, 6, 200 * subject.channels).reshape(-1, subject.channels).to(dtype)
    with torch.no_grad():
        wanted = subject.build().double().eval()(x.double())
        got = subject.build().eval()(x).double()
    # One rounding of the output's own dtype, and in float32 some of the formula's.
    unit = torch.finfo(dtype).eps * (wanted.abs() + x.double().abs() + 1e-3)
    worst = ((got - wanted).abs() / unit).max().item()
    assert worst < (4 if dtype == torch.float32 else 1), f"off by {worst:.1f} units"


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
