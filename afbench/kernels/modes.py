"""What torch is doing around a call: the only room that reads private names of torch, each of which may be missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

PLAIN = frozenset({Tensor, nn.Parameter})
"""The types of tensors that hold numbers and nothing else; all others are somebody's subclass."""

_PROBE = torch.zeros((), device="cpu")


def find(owner: object, name: str) -> Callable[[], Any] | None:
    """Return a private function of torch, or None where this torch has none of that name."""
    found = getattr(owner, name, None)
    return found if callable(found) else None


functorch_transforms = find(torch._C, "_are_functorch_transforms_active")
dispatch_modes = find(torch._C, "_len_torch_dispatch_stack")


def quiet() -> bool:
    """Whether the call is plain eager PyTorch, with nobody there who would have to see or transform it.

    Nobody compiles, exports or traces, no ``torch.func`` transform and no dispatch mode is active. False where this
    torch does not tell: then calls take the way that is right in all cases, and 20 to 60 us longer.
    """
    if torch.compiler.is_compiling() or functorch_transforms is None or dispatch_modes is None:
        return False
    return not (functorch_transforms() or dispatch_modes() or torch.jit.is_tracing())


def forward_mode() -> bool:
    """Whether forward-mode derivatives are being computed, at any level of ``torch.func``; torch.compile can trace it.

    >>> with forward_ad.dual_level():
    ...     forward_mode()
    True
    """
    # Where no level is active, torch returns the very tensor that it was asked about.
    return forward_ad.unpack_dual(_PROBE).primal is not _PROBE


def plain_types(tensors: tuple[Any, ...]) -> bool:
    """Whether none of the tensors is of a subclass: fake, distributed, a user's own."""
    return all(type(tensor) in PLAIN for tensor in tensors)
