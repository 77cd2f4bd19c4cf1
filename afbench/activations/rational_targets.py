"""The functions that PAU and OPAU can start as fits of: some by name, and every fixed activation that is registered."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import UsageError

Array = NDArray[np.float64]
Target = Callable[[Array], Array]

SAME = {"silu": "swish", "leaky_relu[slope=0.1]": "leaky_relu_0.1"}
"""Specs of functions that have a name here."""


def named() -> Mapping[str, Target]:
    """The functions whose starts are stored; leaky ReLU has slope 0.01 unless its name says another."""
    from scipy import special

    return {
        "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
        "leaky_relu_0.1": lambda x: np.where(x > 0, x, 0.1 * x),
        "relu": lambda x: np.maximum(x, 0),
        "gelu": lambda x: x * special.ndtr(x),
        "swish": lambda x: x * special.expit(x),
        "tanh": np.tanh,
        "sigmoid": special.expit,
        "identity": lambda x: x,
    }


def name_of(start: str) -> str:
    """Name the function that a start is a fit of: one of ``named()``, or the canonical spec of a fixed activation.

    Raises:
        UsageError: if it is neither.

    >>> name_of("silu"), name_of("leaky_relu[slope=0.010]"), name_of("elu")
    ('swish', 'leaky_relu', 'elu')
    """
    from ..registry.factory import choose, is_trainable

    if start in named():
        return start
    if ":" in start:
        raise UsageError(f"start={start}: a start is a registered activation or one of {', '.join(named())}")
    try:
        choice = choose(start)
    except UsageError as error:
        raise UsageError(f"start={start}: {error}; by name there are {', '.join(named())}") from None
    if "channels" in choice.entry.takes or is_trainable(choice):
        raise UsageError(f"start={start} learns or needs channels: a start is a fixed function of x")
    return SAME.get(choice.spec, choice.spec)


def target(name: str) -> Target:
    """Return a function by the name that ``name_of`` gave it, from float64 to float64."""
    if name in named():
        return named()[name]
    from ..registry.factory import create

    def values(x: Array) -> Array:
        # Plans build activations on the meta device, where nothing has values.
        with torch.device("cpu"), torch.no_grad():
            result: Array = create(name).double().eval()(torch.tensor(x, dtype=torch.float64)).numpy()
        return result

    return values
