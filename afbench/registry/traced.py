"""Activations in networks that were traced: which modules and parameters of a graph are theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch.fx
from torch import nn

from .entries import ACTIVATIONS


def kinds() -> tuple[type[nn.Module], ...]:
    """The classes whose modules are activations wherever they stand."""
    return (nn.PReLU, *(entry.target for entry in ACTIVATIONS if isinstance(entry.target, type)))


def stands_for_an_activation(module: nn.Module) -> bool:
    """Tell whether a module of ``torch.jit.trace`` or of an unflattened ``torch.export`` was an activation.

    TorchScript keeps the name of the class alone.

    >>> import afbench
    >>> program = torch.export.export(nn.Sequential(afbench.create("swish")), (torch.zeros(2),))
    >>> [stands_for_an_activation(module) for module in torch.export.unflatten(program).modules()]
    [False, True]
    """
    if isinstance(module, torch.jit.ScriptModule):
        return module.original_name in {kind.__name__ for kind in kinds()}
    # By its name: to import the class would import all of torch.export.
    unflattened = type(module).__name__ == "InterpreterModule" and hasattr(module, "type_name")
    return unflattened and module.type_name() in names()  # type: ignore[operator]


def names() -> set[str]:
    """The full names of those classes, as ``torch.export`` notes them."""
    return {f"{kind.__module__}.{kind.__qualname__}" for kind in kinds()}


def parameters_of_graph(module: nn.Module) -> list[nn.Parameter]:
    """List the parameters that a module's own graph, of ``torch.fx`` or ``torch.export``, has in activations.

    A node says which modules it came from; a graph that was pickled does not, but still calls the functions that are
    marked as activations'. Of a graph that tells neither, nothing is listed.

    >>> import afbench
    >>> graph = torch.fx.symbolic_trace(afbench.create("swish"))
    >>> [tuple(parameter.shape) for parameter in parameters_of_graph(graph)]
    [(1,)]
    """
    graph = module.__dict__.get("_graph")
    if not isinstance(graph, torch.fx.Graph):
        return []
    known = {*kinds(), *names()}
    own = dict(module.named_parameters())
    places: set[str] = set()
    called: set[str] = set()
    for node in graph.nodes:
        origin = node.meta.get("nn_module_stack") or {}
        places |= {path for path, kind in origin.values() if kind in known}
        if getattr(node.target, "is_activation_call", False):
            called.update(*(sources(argument) for argument in node.args[1:]))
    return [
        parameter
        for name, parameter in own.items()
        if name in called or any(not place or name.startswith(f"{place}.") for place in places)
    ]


def sources(argument: Any) -> Iterator[str]:
    """Name the parameters that an argument of a call is made from; none if it also depends on an input of the graph."""
    names_used: list[str] = []
    waiting, seen = [argument], set()
    while waiting:
        node = waiting.pop()
        if not isinstance(node, torch.fx.Node) or node in seen:
            continue
        if node.op in ("placeholder", "call_module"):
            return
        if node.op == "get_attr":
            names_used.append(str(node.target))
        seen.add(node)
        waiting += node.all_input_nodes
    yield from names_used
