"""What torch is doing around a call: the only room that uses private names of torch, each of which may be missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

PLAIN = frozenset({Tensor, nn.Parameter})
"""The types of tensors that hold only numbers; all others are subclasses."""

_PROBE = torch.zeros((), device="cpu")


def find(owner: object, name: str) -> Callable[[], Any] | None:
    """Return a private function of torch, or None where this torch has none of that name."""
    function = getattr(owner, name, None)
    return function if callable(function) else None


functorch_transforms = find(torch._C, "_are_functorch_transforms_active")
dispatch_modes = find(torch._C, "_len_torch_dispatch_stack")
jit_trace = find(torch.jit, "is_tracing")


F = TypeVar("F", bound=Callable[..., Any])


def constant_when_compiled(function: F) -> F:
    """Have torch.compile call the function once, while it compiles, instead of tracing it.

    This is what `torch.compiler.assume_constant_result` sets, but without the second that it takes to import torch's
    compiler. A torch that knows no such mark splits its graph there.
    """
    function._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return function


def quiet() -> bool:
    """Whether the call is plain eager PyTorch: no compiler, export or trace, ``torch.func`` transform or dispatch mode.

    False where this torch does not tell: then calls take the way that is right in all cases and costs 20 to 60 us more.
    """
    if torch.compiler.is_compiling() or functorch_transforms is None or dispatch_modes is None or jit_trace is None:
        return False
    return not (functorch_transforms() or dispatch_modes() or jit_trace())


def watched() -> bool:
    """Whether a dispatch mode is active, such as the one that makes every new tensor a fake one.

    >>> watched()
    False
    """
    return dispatch_modes is not None and bool(dispatch_modes())


def forward_mode() -> bool:
    """Whether forward-mode derivatives are being computed, at any level of ``torch.func``; torch.compile can trace it.

    >>> with forward_ad.dual_level():
    ...     forward_mode()
    True
    """
    # Where no level is active, torch returns the very tensor that it was asked about.
    return forward_ad.unpack_dual(_PROBE).primal is not _PROBE


def compiled_transform() -> bool:
    """Whether torch.compile traces through a ``torch.func`` transform; False where this torch does not tell.

    >>> compiled_transform()
    False
    """
    return torch.compiler.is_compiling() and functorch_transforms is not None and bool(functorch_transforms())


def tracing() -> bool:
    """Whether torch.jit.trace is recording."""
    return not torch.compiler.is_compiling() and jit_trace is not None and bool(jit_trace())


def holds_numbers(tensors: tuple[Any, ...]) -> bool:
    """Whether what lies in memory are the tensors' own numbers: no subclass, and no sign that is still to be turned."""
    return all(type(tensor) in PLAIN and not tensor.is_neg() for tensor in tensors)


def plain_types(tensors: tuple[Any, ...]) -> bool:
    """Whether none of the tensors is of a subclass: fake, distributed, a user's own."""
    return all(type(tensor) in PLAIN for tensor in tensors)
