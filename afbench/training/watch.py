"""Watching activations at work: the contract is checked on the first batch, and a NaN is traced to its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import ActivationError


@contextmanager
def contract(activations: Sequence[nn.Module], *, finite: bool = True) -> Iterator[dict[int, int]]:
    """Check what each activation returns within the block; yields the number of dimensions seen at each place.

    The graph tells whether a gradient can pass, not the values: a gradient of zeros is correct.

    Args:
        activations: the modules, by place.
        finite: whether values that are not finite from finite input are a breach too.

    Raises:
        ActivationError: for another shape, dtype or device than the input's, values not finite from finite input, an
            output that no gradient passes through, an input that is changed though another tensor is returned, an
            output that is a tensor the activation keeps, and a backward pass that gives the input no gradient.
    """
    seen: dict[int, int] = {}
    before: dict[int, Input] = {}

    reached_output: set[int] = set()
    reached_input: set[int] = set()

    def enter(place: int) -> Any:
        def note(module: nn.Module, inputs: tuple[Any, ...]) -> None:
            before[place] = Input(inputs[0], module)
            listen(inputs[0], reached_input, place)

        return note

    def leave(place: int) -> Any:
        def check(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            x = inputs[0]
            seen[place] = x.ndim
            breach = breach_of_form(x, output)
            if not breach and finite and bad(output) and not bad(x):
                breach = f"returned {bad(output)} for finite input"
            if breach := breach or breach_of_graph(before.pop(place), x, output):
                raise ActivationError(f"{breach} at place {place}{'' if module.training else ', in evaluation'}")
            if inputs[0].requires_grad:
                listen(output, reached_output, place)

        return check

    handles = []
    for place, module in enumerate(activations):
        handles += [module.register_forward_pre_hook(enter(place)), module.register_forward_hook(leave(place))]
    try:
        yield seen
        for place in sorted(reached_output - reached_input):
            raise ActivationError(f"gave no gradient for its input in backward at place {place}")
    finally:
        for handle in handles:
            handle.remove()


class Input:
    """What is known of an activation's input before it is called."""

    def __init__(self, x: Tensor, module: nn.Module) -> None:
        """Note the input, and the tensors that the activation holds."""
        attributes = (value for value in vars(module).values() if isinstance(value, Tensor))
        tensors = [*module.parameters(), *module.buffers(), *attributes]
        self.stored = {tensor.data_ptr() for tensor in tensors if tensor.numel()} - {x.data_ptr()}
        watched = torch.is_grad_enabled() and x.requires_grad
        self.edge = torch.autograd.graph.get_gradient_edge(x) if watched else None
        self.version = None if x.is_inference() else x._version


def listen(tensor: Tensor, places: set[int], place: int) -> None:
    """Note a place once a gradient has reached a tensor; a gradient that no backward gave is None."""

    def note(gradient: Tensor | None) -> None:
        if gradient is not None:
            places.add(place)

    if torch.is_grad_enabled() and tensor.requires_grad:
        tensor.register_hook(note)


def breach_of_form(x: Tensor, output: Any) -> str:
    """Say what is wrong with an output's kind, shape, dtype or device."""
    if not isinstance(output, Tensor):
        return f"returned {type(output).__name__}, not a tensor,"
    if output.shape != x.shape:
        return f"returned shape {tuple(output.shape)} for input of shape {tuple(x.shape)}"
    for what in ("dtype", "device", "layout"):
        if getattr(output, what) != getattr(x, what):
            return f"returned {getattr(output, what)} for input of {getattr(x, what)}"
    return ""


def breach_of_graph(before: Input, x: Tensor, output: Tensor) -> str:
    """Say what is wrong with how an output hangs on its input."""
    if before.version is not None and x._version != before.version and output is not x:
        return "changed its input in place but returned another tensor (other layers need the input, so change a copy)"
    if output.numel() and output.data_ptr() in before.stored:
        return "returned a stored tensor (its next call may change it, so return a new tensor)"
    if before.edge is not None and not reaches(output, before.edge.node):
        return "passes no gradient to its input (detach, no_grad, or only comparisons: earlier layers cannot learn)"
    return ""


def reaches(output: Tensor, node: Any) -> bool:
    """Tell whether a tensor's graph holds a node, through which its gradient would flow."""
    if not output.requires_grad:
        return False
    waiting, seen = [torch.autograd.graph.get_gradient_edge(output).node], set()
    while waiting:
        at = waiting.pop()
        if at is node:
            return True
        if at not in seen:
            seen.add(at)
            waiting += [following for following, _ in at.next_functions if following is not None]
    return False


def untrained(network: nn.Module, activations: Sequence[nn.Module], optimizer: torch.optim.Optimizer) -> str:
    """Name a tensor that the optimizer should change and does not: it was made too late, or is no parameter."""
    moved = {id(p) for group in optimizer.param_groups for p in group["params"]}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad and id(parameter) not in moved:
            return (
                f"parameter {name!r} was created after the optimizer, so it is never trained: create it in __init__ "
                "and change it in place"
            )
    for place, activation in enumerate(activations):
        for module in activation.modules():
            for name, tensor in tensors_of(module):
                if tensor.is_leaf and tensor.requires_grad and id(tensor) not in moved:
                    return (
                        f"{type(module).__name__}.{name} at place {place} requires a gradient but is no parameter, so "
                        "it is never trained: use nn.Parameter, nn.ParameterList or a buffer"
                    )
    return ""


def tensors_of(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Go through the tensors that a module holds as plain attributes, or in a list or dict."""
    for name, value in vars(module).items():
        if not name.startswith("_"):  # torch's own tables of parameters and buffers
            items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
            yield from ((name, tensor) for tensor in (value, *items) if isinstance(tensor, Tensor))


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
