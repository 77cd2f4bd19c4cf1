"""What is timed: an activation, or a plain copy, as calls: forward alone, and forward with backward."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from ..records.cost import PASSES
from ..registry.factory import Choice
from ..registry.parameters import count_parameters
from ..streams import forked
from .case import Case
from .clock import Call
from .inputs import Inputs, check_room
from .memory import peak_bytes, saved_bytes

FORWARD, TRAINING = PASSES
PROBE_ROWS = 2
"""Rows of the small input that tells how many bytes an element will keep; statistics over a batch need two."""
SPARE = 1.5
"""Memory of forward and backward in units of what is kept between them."""


@dataclass
class Timed:
    """An activation under a case: its module, and what it is called as."""

    module: nn.Module
    apply: Callable[[Tensor], Tensor]

    @property
    def parameters(self) -> list[nn.Parameter]:
        """Its parameters that learn."""
        return [p for p in self.module.parameters() if p.requires_grad]

    def call(self, inputs: Inputs, which: str, cold: bool) -> Call:
        """Return the call of a pass. It goes round the inputs, or takes the first again and again."""
        self.module.train(which == TRAINING)
        count = len(inputs.cold) if cold else 1
        apply, parameters = self.apply, self.parameters
        if which == FORWARD:
            ahead = itertools.cycle(inputs.cold[:count])
            return lambda: apply(next(ahead))
        pairs = itertools.cycle(zip(inputs.cold[:count], inputs.gradients[:count], strict=True))

        def train() -> object:
            x, gradient = next(pairs)
            return torch.autograd.grad(apply(x), [x, *parameters], gradient, allow_unused=True)

        return train


class Copy(Timed):
    """The physical limit: a copy of the input forward, and one of the gradient backward."""

    def __init__(self) -> None:
        """Need no parameters."""
        super().__init__(nn.Identity(), torch.clone)

    def call(self, inputs: Inputs, which: str, cold: bool) -> Call:
        """Return the call: x.clone(), and gradient.clone() where there is a backward."""
        count = len(inputs.cold) if cold else 1
        tensors = [x.detach() for x in inputs.cold[:count]]
        pairs = itertools.cycle(zip(tensors, inputs.gradients[:count], strict=True))

        def clone() -> object:
            x, gradient = next(pairs)
            return x.clone() if which == FORWARD else (x.clone(), gradient.clone())

        return clone


def timed(choice: Choice, case: Case) -> Timed:
    """Build an activation for a case."""
    with forked(0, "activation/0"):
        module = choice.build(case.channels, case.channel_dim)
    module = module.to(device=case.device, dtype=getattr(torch, case.dtype))
    applied = torch.compile(module, dynamic=False) if case.mode == "compile" else module
    return Timed(module, cast("Callable[[Tensor], Tensor]", applied))


def untimed(subject: Timed, case: Case, inputs: Inputs) -> dict[str, Any]:
    """Return what is counted, not timed: parameters, saved bytes, peak; and see that both passes run.

    Raises:
        TooLarge: if the pass would not fit into memory.
    """
    subject.module.train()
    if case.device == "cpu":
        rows = case.shape[0] if len(case.shape) > 1 else 1
        probed = min(PROBE_ROWS, rows)
        small = (probed, *case.shape[1:]) if len(case.shape) > 1 else case.shape
        probe = copy.deepcopy(subject.module)  # its running statistics may become those of ones
        kept = saved(Timed(probe, probe), torch.ones(small, dtype=inputs.cold[0].dtype)) if case.mode == "eager" else 0
        # Small tensors are kept per call, not per element: counted as if per element they would weigh too much.
        check_room(int(SPARE * kept * rows / probed), f"forward and backward of {case}")
    x = inputs.cold[0].detach().clone()
    counted = saved(subject, x)
    peak = peak_bytes(subject.call(inputs, TRAINING, cold=False), case.device)
    with torch.no_grad():
        subject.call(inputs, FORWARD, cold=False)()
    with torch.enable_grad():
        subject.call(inputs, TRAINING, cold=False)()
    return {
        "parameters": vars(count_parameters(subject.module)),
        "saved": {"bytes": counted, "per_element": counted / case.elements},
        "peak": {} if peak is None else {"bytes": peak},
    }


def saved(subject: Timed, x: Tensor) -> int:
    """Count the bytes kept for backward of one input."""
    x.requires_grad_()
    return saved_bytes(lambda: subject.apply(x), subject.module.parameters())
