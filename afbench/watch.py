"""Watching activations at work: the contract is checked on the first batch, and a NaN is traced to its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from .errors import ActivationError


@contextmanager
def contract(activations: Sequence[nn.Module]) -> Iterator[dict[int, int]]:
    """Check what each activation returns within the block; yields the number of dimensions seen at each place.

    Raises:
        ActivationError: for another shape or dtype than the input's, or values not finite from finite input.
    """
    seen: dict[int, int] = {}

    def hook(place: int) -> Any:
        def check(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            x = inputs[0]
            seen[place] = x.ndim
            if not isinstance(output, Tensor):
                raise ActivationError(f"returned {type(output).__name__}, not a tensor, at place {place}")
            if output.shape != x.shape:
                got, want = tuple(output.shape), tuple(x.shape)
                raise ActivationError(f"returned shape {got} for input of shape {want} at place {place}")
            if output.dtype != x.dtype:
                raise ActivationError(f"returned {output.dtype} for input of {x.dtype} at place {place}")
            if bad(output) and not bad(x):
                raise ActivationError(f"returned {bad(output)} from finite input at place {place}")

        return check

    handles = [module.register_forward_hook(hook(place)) for place, module in enumerate(activations)]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def bad(values: Tensor) -> str:
    """Say what is not finite in a tensor: ``NaN``, ``inf``, or an empty text."""
    if bool(torch.isfinite(values).all()):
        return ""
    return "NaN" if bool(values.isnan().any()) else "inf"


def culprit(network: nn.Module, activations: Sequence[nn.Module], inputs: Tensor) -> str:
    """Say which activation first returns values that are not finite for this batch, or an empty text."""
    try:
        with torch.no_grad(), contract(activations):
            network(inputs)
    except ActivationError as error:
        return str(error)
    except Exception:  # a diagnosis that fails says nothing; the divergence itself is reported
        return ""
    return ""
