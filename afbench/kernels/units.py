"""Units of one to three learned numbers, each an operator: Swish, ACON, PReLU, PELU.

Parameters are ``[C]``, along ``channel_dim``, or ``[1]``; or ``[N, C]`` and the like, see ``pointwise``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from . import library, pointwise
from .operator import register

LEAST = 0.1
"""What PELU keeps a and b above."""


def _swish(x: Tensor, beta: Tensor) -> Tensor:
    return x * torch.sigmoid(beta * x)


def acon(x: Tensor, p1: Tensor | float, p2: Tensor | float, beta: Tensor) -> Tensor:
    """Smooth maximum of two lines: (p1 - p2) * x * sigmoid(beta * (p1 - p2) * x) + p2 * x.

    It is S_beta(p1 * x, p2 * x), S_beta the smooth maximum of Ma et al. 2020: max(p1 x, p2 x) for large beta, the
    mean of both lines for beta = 0, min(p1 x, p2 x) for large negative beta. Arguments broadcast.

    >>> acon(torch.tensor(2.0), torch.tensor(1.0), torch.tensor(0.0), torch.tensor(1.0))
    tensor(1.7616)
    """
    difference = (p1 - p2) * x
    return difference * torch.sigmoid(beta * difference) + p2 * x


def _acon_b(x: Tensor, p: Tensor, beta: Tensor) -> Tensor:
    return acon(x, 1.0, p, beta)


def _prelu(x: Tensor, a: Tensor) -> Tensor:
    # Not by clamp, whose slope at 0 differs between versions of torch: here x = 0 is on the side of a. relu, unlike
    # where, has second derivatives: zeros.
    return F.relu(x) + a * torch.where(x > 0, 0, x)


def _pelu(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return positive(a) * F.elu(x / positive(b))


def positive(parameter: Tensor) -> Tensor:
    """Return max(parameter, 0.1) with the gradient of the parameter itself.

    >>> positive(torch.tensor([-1.0, 0.5]))
    tensor([0.1000, 0.5000])
    """
    value = parameter.detach()
    return parameter + (value.clamp(min=LEAST) - value)


def _operator(name: str, formula: Callable[..., Tensor], parameters: str) -> Callable[..., Tensor]:
    """Make the operator of a formula; the library's function has its name."""
    letters = parameters.split()
    native = library.Native(f"afbench_{name}")

    def plain(x: Tensor, *rest: Any) -> Tensor:
        wide, *parameters = pointwise.widened(x, *rest[:-1])
        return formula(wide, *(pointwise.along(p, x, rest[-1]) for p in parameters)).to(x.dtype)

    def serves(x: Tensor, *rest: Any) -> bool:
        return library.instructions() is not None and pointwise.serves(x, *rest[:-1])

    def forward(x: Tensor, *rest: Any) -> Tensor:
        return pointwise.forward(native, (), x, rest[:-1], False, rest[-1])

    def backward(gradient: Tensor, x: Tensor, *rest: Any) -> tuple[Tensor, ...]:
        return pointwise.backward(native, (), gradient, x, rest[:-1], False, rest[-1])

    def batch(size: int, x: Any, *rest: Any) -> tuple[Any, ...]:
        return *pointwise.batched(size, x, rest[:-1], False), rest[-1][0] + 1

    tensors = ", ".join(f"Tensor {letter}" for letter in ("x", *letters))
    return register(
        f"{name}({tensors}, int channel_dim) -> Tensor",
        inputs=1 + len(letters),
        values=0,
        plain=plain,
        forward=forward,
        backward=backward,
        serves=serves,
        batch=batch,
    )


swish = _operator("swish", _swish, "beta")
"""x * sigmoid(beta * x), of x, beta and the channel dimension."""

acon_b = _operator("acon_b", _acon_b, "p beta")
"""(1 - p) * x * sigmoid(beta * (1 - p) * x) + p * x, of x, p, beta and the channel dimension."""

acon_c = _operator("acon_c", acon, "p1 p2 beta")
"""(p1 - p2) * x * sigmoid(beta * (p1 - p2) * x) + p2 * x, of x, p1, p2, beta and the channel dimension."""

prelu = _operator("prelu", _prelu, "a")
"""max(x, 0) + a * min(x, 0), of x, a and the channel dimension."""

pelu = _operator("pelu", _pelu, "a b")
"""a * elu(x / b), a and b held at 0.1 or above, of x, a, b and the channel dimension."""
