"""A network's activation parameters: their penalty, their optimiser groups, their number.

A module is an activation if its class is registered (or derives from one that is), if it is ``torch.nn.PReLU``, or if
it carries ``is_activation = True``, on the class or on the instance, as all that ``afbench.create`` builds does.
All parameters inside it are the activation's. Compiled, wrapped, averaged, copied, pruned and parametrised networks
hold the same modules; what is left of them in a traced network is known by `traced`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .traced import kinds, parameters_of_graph, stands_for_an_activation


@dataclass(frozen=True)
class Parameters:
    """How many parameters a network has, counted three ways; a shared one counts once."""

    activation: int
    """Trainable ones of activations."""
    trainable: int
    """Trainable ones of the whole network."""
    total: int
    """All, frozen ones too."""


def penalty(model: nn.Module) -> Tensor:
    """Sum ``penalty()`` over the submodules whose class defines it; a scalar to be added to the loss.

    The sum is a zero on the model's device if there is none. A module that stands in several places counts once.

    >>> penalty(nn.Linear(2, 2))
    tensor(0.)
    """
    # Asked of the class: a compiled module answers for the attributes of the module it wraps, which would count twice.
    having = [module for module in model.modules() if callable(getattr(type(module), "penalty", None))]
    terms: list[Tensor] = [module.penalty() for module in having]  # type: ignore[operator]
    if terms:
        return torch.stack([torch.as_tensor(term).reshape(()) for term in terms]).sum()
    first = next(model.parameters(), torch.empty(()))
    return torch.zeros((), dtype=first.dtype, device=first.device)


def has_penalty(model: nn.Module) -> bool:
    """Tell whether a network has any penalty: to add a zero to the loss took 3 % of a small network's step.

    >>> has_penalty(nn.Linear(2, 2))
    False
    """
    return any(callable(getattr(type(module), "penalty", None)) for module in model.modules())


def activations_of(model: nn.Module) -> list[nn.Module]:
    """List the activations in a network, outermost first; an activation inside another is among them.

    >>> from afbench import create
    >>> [type(a).__name__ for a in activations_of(nn.Sequential(nn.Linear(1, 1), create("swish"), create("relu")))]
    ['Swish', 'ReLU']
    """
    known = kinds()
    return [
        module
        for module in model.modules()
        if isinstance(module, known) or _is_flagged(module) or stands_for_an_activation(module)
    ]


def _is_flagged(module: nn.Module) -> bool:
    # Not by getattr, for the same reason: a compiled module would answer for what it wraps.
    return vars(module).get("is_activation", getattr(type(module), "is_activation", False)) is True


def activation_parameters(model: nn.Module) -> list[nn.Parameter]:
    """List the parameters of a network's activations, each once, frozen ones too."""
    by_id = {id(p): p for module in activations_of(model) for p in module.parameters()}
    by_id |= {id(p): p for module in model.modules() for p in parameters_of_graph(module)}
    return list(by_id.values())


def param_groups(
    model: nn.Module,
    weight_decay: float,
    *,
    activation_weight_decay: float = 0.0,
    activation_lr: float | None = None,
) -> list[dict[str, Any]]:
    """Split a network's parameters into two groups for the optimiser: the network's and its activations'.

    Weight decay pulls a learned shape towards zero, which is not a neutral shape, so activation parameters get none by
    default.

    Args:
        model: the network.
        weight_decay: that of the network's other parameters.
        activation_weight_decay: that of the activations' parameters.
        activation_lr: the learning rate of the activations' parameters; None for that of the optimiser.

    Returns:
        The groups ``"network"`` and ``"activations"`` (the key ``name``), without those that would be empty.

    >>> from afbench import create
    >>> groups = param_groups(nn.Sequential(nn.Linear(1, 1), create("swish")), weight_decay=0.1)
    >>> [(group["name"], len(group["params"]), group["weight_decay"]) for group in groups]
    [('network', 2, 0.1), ('activations', 1, 0.0)]
    """
    own = activation_parameters(model)
    taken = {id(p) for p in own}
    rest = [p for p in model.parameters() if id(p) not in taken]
    network: dict[str, Any] = {"name": "network", "params": rest, "weight_decay": weight_decay}
    shapes: dict[str, Any] = {"name": "activations", "params": own, "weight_decay": activation_weight_decay}
    if activation_lr is not None:
        shapes["lr"] = activation_lr
    return [group for group in (network, shapes) if group["params"]]


def count_parameters(model: nn.Module) -> Parameters:
    """Count the parameters of activations, all trainable ones, and all.

    >>> from afbench import create
    >>> count_parameters(nn.Sequential(nn.Linear(2, 2), create("swish")))
    Parameters(activation=1, trainable=7, total=7)
    """
    everything = list(model.parameters())
    return Parameters(
        activation=sum(p.numel() for p in activation_parameters(model) if p.requires_grad),
        trainable=sum(p.numel() for p in everything if p.requires_grad),
        total=sum(p.numel() for p in everything),
    )
