"""Every registered activation against the contract. Nothing is listed here: the registry and the checks are."""

from __future__ import annotations

import pytest
import torch

from afbench.registry.entries import ACTIVATIONS
from afbench.registry.factory import choose
from afbench.registry.spec import Spec
from afbench.testing import CHECKS, SLOW_CHECKS, Subject, check_activation
from afbench.testing.subject import call, nudge

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


@pytest.mark.parametrize("spec", SPECS)
def test_fx_in_the_quick_tests(spec):
    run(spec, "fx")


TRACED = [next(e.name for e in ENTRIES if tag in e.tags) for tag in ("channel", "diffeomorphism", "noisy", "rational")]


@pytest.mark.parametrize("spec", TRACED)
def test_some_compile_in_the_quick_tests(spec):
    run(spec, "compile")


@pytest.mark.parametrize("spec", [spec for spec in SPECS if "method=exact" in spec])
def test_the_exact_method_of_an_entry_that_reads_tables_is_accurate(spec):
    CHECKS["accuracy"](Subject.of(spec))


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


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("spec", SPECS)
def test_modules_in_16_bits_are_within_two_roundings(spec, dtype):
    """Against float64 at the same rounded parameters: only the parameters and the result are rounded."""
    if choose(spec).resolved.get("method", "exact") != "exact":
        pytest.skip("approximate by choice: its own tests say how far")
    subject = Subject.of(spec)
    module, wide = subject.build(), subject.build().double().eval()
    nudge(module)
    module.to(dtype).eval()
    wide.load_state_dict({n: v.double() if v.is_floating_point() else v for n, v in module.state_dict().items()})
    x = torch.linspace(-8, 8, 100 * subject.channels).reshape(-1, subject.channels).to(dtype)
    with torch.no_grad():
        got, wanted = module(x).double(), wide(x.double())
    worst = ((got - wanted).abs() / (torch.finfo(dtype).eps * wanted.abs().clamp(min=1e-3))).max().item()
    assert worst <= 2, f"off by {worst:.1f} units"


@pytest.mark.parametrize("spec", SPECS)
def test_second_derivatives_exist(spec):
    """Zeros where a function is piecewise linear, as ReLU's: not "one of the tensors was not used in the graph"."""
    if spec == "identity":
        pytest.skip("its gradient depends on nothing, as torch.nn.Identity's")
    module = Subject.of(spec).build()
    x = Subject.of(spec).input().float().requires_grad_()
    (gradient,) = torch.autograd.grad(call(module, x).sum(), x, create_graph=True)
    wanted = [x, *(p for p in module.parameters() if p.requires_grad)]
    for second in torch.autograd.grad(gradient.sum(), wanted):
        assert second.isfinite().all()


@pytest.mark.parametrize("spec", SPECS)
def test_reset_parameters_starts_as_a_new_layer_does(spec):
    """A layer that was built without memory, and given some, draws the values that a new one of the same seed has."""
    choice = choose(spec)
    torch.manual_seed(3)
    new = choice.build(4)
    layer = choice.build(4, device="meta").to_empty(device="cpu")
    assert not any(p.is_meta for p in layer.parameters())
    for parameter in layer.parameters():
        with torch.no_grad():
            parameter.fill_(torch.nan)
    torch.manual_seed(3)
    if list(layer.parameters()):
        layer.reset_parameters()
    for name, value in new.state_dict().items():
        assert torch.equal(layer.state_dict()[name], value), name
    assert {p.dtype for p in choice.build(4, dtype=torch.float64).parameters()} <= {torch.float64}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_one_answer_to_integers(entry):
    layer = Subject.of(entry.name).build()
    for dtype in (torch.int64, torch.uint8, torch.bool, torch.complex64):
        with pytest.raises(TypeError, match=f"^{entry.name} takes floating-point inputs, not {dtype}$"):
            layer(torch.ones(3, 4, dtype=dtype))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_torchscript_is_refused_in_one_sentence(entry):
    with pytest.raises(
        NotImplementedError, match=f"^torch.jit.script does not take {entry.name}: use torch.export or torch.compile$"
    ):
        Subject.of(entry.name).build().__prepare_scriptable__()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_a_class_declares_device_and_dtype_if_it_has_parameters(entry):
    if list(Subject.of(entry.name).build().parameters()):
        assert entry.takes >= {"device", "dtype"}


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
