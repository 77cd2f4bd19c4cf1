"""Checks of the state: construction, saving and loading, copies, and what ``eval`` keeps."""

from __future__ import annotations

import copy
import math
import pickle

import torch
from torch import Tensor, nn

from .subject import Subject, agree, call, expect, nudge, tensors


def check_seed(subject: Subject) -> None:
    """Two instances built under the same seed have the same parameters."""
    first, second = dict(tensors(subject.build())), dict(tensors(subject.build()))
    expect(first.keys() == second.keys(), "two instances have different parameters")
    for name, value in first.items():
        expect(torch.equal(value, second[name]), f"{name} differs between two builds under the same seed")


def check_meta(subject: Subject) -> None:
    """It can be built on the meta device: ``afbench run`` builds every activation there before anything runs."""
    with torch.device("meta"):
        module = subject.build()
    for name, parameter in module.named_parameters():
        expect(parameter.is_meta, f"{name} was built on {parameter.device} under torch.device('meta')")


def check_state_dict(subject: Subject) -> None:
    """An instance that loads the state dict of another gives the same values."""
    module, other = subject.build(seed=1), subject.build(seed=2)
    x = subject.input().float()
    call(module, x)
    nudge(module)
    other.load_state_dict(module.state_dict())
    agree(
        call(other.eval(), x),
        call(module.eval(), x),
        "an instance that loaded the state dict differs",
        rtol=0,
        atol=0,
    )


def check_eval(subject: Subject) -> None:
    """Weights that are loaded or written in place after ``eval()`` count at the next call."""
    module, other = subject.build(seed=1).eval(), subject.build(seed=2).eval()
    x = subject.input().float()
    call(module, x)
    nudge(other)
    module.load_state_dict(other.state_dict())
    agree(call(module, x), call(other, x), "weights loaded after eval() are not seen", rtol=0, atol=0)
    nudge(module)
    nudge(other)
    fresh = subject.build()
    fresh.load_state_dict(other.state_dict())
    agree(call(module, x), call(fresh.eval(), x), "weights written after eval() are not seen", rtol=0, atol=0)


def check_deepcopy(subject: Subject) -> None:
    """``copy.deepcopy`` works after a step in training or in eval, and shares no parameter."""
    for mode in (True, False):
        module = _used(subject, mode)
        clone = copy.deepcopy(module)
        _same(module, clone, subject.input().float(), "a deep copy")
        shared = {id(t) for _, t in tensors(module)} & {id(t) for _, t in tensors(clone)}
        expect(not shared, "a deep copy shares parameters with its original")


def check_pickle(subject: Subject) -> None:
    """Pickling works after a step in training or in eval; the class must be defined at a module's top level."""
    for mode in (True, False):
        module = _used(subject, mode)
        _same(module, pickle.loads(pickle.dumps(module)), subject.input().float(), "a pickled copy")


def check_penalty(subject: Subject) -> None:
    """``penalty()``, if there is one, is a finite scalar with gradients by the parameters."""
    module = subject.build()
    if not callable(getattr(type(module), "penalty", None)):
        return
    value = module.penalty()  # type: ignore[operator]
    expect(isinstance(value, Tensor) and value.shape == (), f"penalty() gave {value!r}, not a scalar tensor")
    expect(math.isfinite(value.item()), f"penalty() is {value.item()}")
    expect(value.requires_grad, "penalty() does not depend on the parameters")


def _used(subject: Subject, mode: bool) -> nn.Module:
    """Build a module and run it forward and backward: its caches must survive copying too."""
    module = subject.build().train(mode)
    call(module, subject.input().float().requires_grad_()).sum().backward()
    return module


def _same(module: nn.Module, other: nn.Module, x: Tensor, what: str) -> None:
    expect(other.training == module.training, f"{what} is in another mode than its original")
    agree(call(other.eval(), x), call(module.eval(), x), f"{what} differs from its original", rtol=0, atol=0)


CHECKS = (
    check_seed,
    check_meta,
    check_state_dict,
    check_eval,
    check_deepcopy,
    check_pickle,
    check_penalty,
)
