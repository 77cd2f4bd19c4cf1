"""How layers of afbench are traced: each is one node under ``torch.fx``, and one error under TorchScript."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import torch.fx
from torch import Tensor, nn

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T", bound=Callable[..., Any])


def leaf(function: F) -> F:
    """Keep a module-level function whole under ``torch.fx``, and mark its calls as those of an activation.

    The ``forward`` of a layer makes one call of such a function, of ``(x, self.parameter, ..., settings)``: it can be
    traced by itself, whatever the function does with shapes and dtypes. The call is one node of the graph, and
    ``afbench.count_parameters`` knows the node's parameters as an activation's.

    >>> import afbench
    >>> [node.op for node in torch.fx.symbolic_trace(afbench.create("squareplus")).graph.nodes]
    ['placeholder', 'call_function', 'output']
    """
    # torch.fx.wrap wants to be called at the top level of a module: here, that of the function's own.
    code = compile(f"wrap({function.__name__!r})", function.__code__.co_filename, "exec")
    exec(code, function.__globals__, {"wrap": torch.fx.wrap})
    function.is_activation_call = True  # type: ignore[attr-defined]
    return function


def is_traced(x: object) -> bool:
    """Tell whether ``x`` is a stand-in of ``torch.fx``, which has no shape and no dtype to ask for.

    >>> is_traced(torch.ones(1))
    False
    """
    return isinstance(x, torch.fx.Proxy)


def finished(target: T, name: str) -> T:
    """Finish the class of an entry: the same answer of all to integers, ``torch.fx`` and TorchScript.

    In a traced network the layer stays a module of its own, as those of ``torch.nn`` do: its mode, its noise, its batch
    statistics and its penalty are still its own.
    """
    if not isinstance(target, type):
        return target
    formula: Callable[..., Tensor] = target.forward  # type: ignore[attr-defined]

    @functools.wraps(formula)
    def forward(self: nn.Module, x: Tensor) -> Tensor:
        if isinstance(x, torch.fx.Proxy):
            path = _path(x.tracer, self)
            if path:
                return x.tracer.create_proxy("call_module", path, (x,), {})
        elif not hasattr(x, "is_floating_point"):
            raise TypeError(f"{name} takes a tensor, not a {type(x).__name__}")
        elif not x.is_floating_point():
            raise TypeError(f"{name} takes floating-point inputs, not {x.dtype}")
        return formula(self, x)

    def refuse(self: nn.Module) -> nn.Module:
        raise NotImplementedError(f"torch.jit.script does not take {name}: use torch.export or torch.compile")

    target.forward = forward  # type: ignore[attr-defined]
    target.__prepare_scriptable__ = refuse  # type: ignore[attr-defined]  # torch.jit.script asks it first
    return target


def _path(tracer: Any, module: nn.Module) -> str:
    """Where the module stands in the network that is traced; nothing if it is the root, or not part of it."""
    try:
        return str(tracer.path_of_module(module))
    except (AttributeError, NameError):  # a tracer of graphs alone has no paths
        return ""
