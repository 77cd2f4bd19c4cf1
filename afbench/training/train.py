"""The one training loop: named streams, validation for choices, test once, divergence found at its step."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..engines.ambient import pinned_threads, seeded
from ..errors import ActivationError, AfbenchError, Diverged
from ..registry.factory import Choice, Factory
from ..registry.parameters import Parameters, count_parameters, has_penalty, param_groups, penalty
from ..streams import forked, stream
from ..tasks.base import Arrays, Batch, Splits, Task
from . import sampling, watch

CHUNK = 4096
"""How many samples are evaluated at a time."""


@dataclass
class Trained:
    """What a training left: the network, what was measured, and arrays for plots."""

    network: nn.Module
    metrics: dict[str, float]
    parameters: Parameters
    arrays: Arrays = field(default_factory=dict)


def train(task: Task, choice: Choice, seed: int) -> Trained:
    """Train a task's network with an activation.

    Raises:
        Diverged: if the loss, a parameter or a metric is not finite.
        ActivationError: if the activation breaks its contract on the first batch.
    """
    with pinned_threads(task.threads), seeded(seed):
        splits = to_device(task.data(stream(seed, "data")), task)
        network, factory = build(task, choice, seed)
        start = [copy.deepcopy(module) for module in factory.built]
        with forked(seed, "noise"):
            curve, ndims, extras = fit(task, network, factory, splits, seed)
            metrics = evaluate(task, network, factory.built, splits.test) | extras
        if not all(math.isfinite(value) for value in metrics.values()):
            raise Diverged(f"the test metrics are not finite after {task.epochs} epochs: {metrics}")
        arrays = {f"curve/{name}": np.asarray(values) for name, values in curve.items()}
        with torch.no_grad(), forked(seed, "picture"):
            arrays |= sampling.sample(factory, start, ndims)
            arrays |= {
                f"picture/{name}": plain_array(value) for name, value in task.picture(network.eval(), splits).items()
            }
            arrays |= sampling.inputs(network, factory.built, splits.validation[0])  # last: it may draw random numbers
        return Trained(network, metrics, count_parameters(network), arrays)


def build(task: Task, choice: Choice, seed: int) -> tuple[nn.Module, Factory]:
    """Build a task's network on its device; weights come from their own stream, activations each from theirs."""
    factory = Factory(choice, seed)
    with forked(seed, "weights"):
        network = task.network(factory)
    return network.to(device=task.device, dtype=getattr(torch, task.dtype)), factory


def fit(
    task: Task, network: nn.Module, factory: Factory, splits: Splits, seed: int
) -> tuple[dict[str, list[float]], dict[int, int], dict[str, float]]:
    """Run the epochs; returns the curve, the dimensions seen at each place, and the best of what was observed."""
    optimizer = make_optimizer(task, network)
    order, observed = stream(seed, "order"), stream(seed, "observe")
    curve: dict[str, list[float]] = {"epoch": [], "loss": [], "validation": []}
    extras: dict[str, float] = {}
    best, kept, ndims, step = -math.inf, None, None, 0
    sign = 1.0 if task.higher_is_better else -1.0
    for epoch in range(1, task.epochs + 1):
        schedule(task, optimizer, epoch)
        network.train()
        losses = []
        for batch in task.batches(splits, order):
            step += 1
            if ndims is None:
                with watch.contract(factory.built) as ndims:
                    loss = descend(task, network, optimizer, batch)
                check_optimizer(network, factory, optimizer)
            else:
                loss = descend(task, network, optimizer, batch)
            if not math.isfinite(loss):
                why = watch.culprit(network, factory.built, batch[0])
                raise Diverged(f"diverged at step {step} (loss {loss}{'; the activation ' + why if why else ''})")
            losses.append(loss)
        if not all(bool(torch.isfinite(p).all()) for p in network.parameters()):
            raise Diverged(f"diverged by step {step} (a parameter is not finite)")
        with watch.contract(factory.built, finite=False) if epoch == 1 else nullcontext():
            score = evaluate(task, network, factory.built, splits.validation)[task.metric]
        for name, values in (("epoch", epoch), ("loss", sum(losses) / len(losses)), ("validation", score)):
            curve[name].append(values)
        for name, value in plain_numbers(task.observe(network, epoch, observed), "observe").items():
            extras[name] = max(value, extras.get(name, -math.inf))
        if task.checkpoint == "best" and sign * score > best:
            best, kept = sign * score, copy.deepcopy(network.state_dict())
    check_optimizer(network, factory, optimizer)
    if kept is not None:
        network.load_state_dict(kept)
    return curve, ndims or {}, extras


def check_optimizer(network: nn.Module, factory: Factory, optimizer: torch.optim.Optimizer) -> None:
    """Check that the optimizer knows every parameter.

    Raises:
        ActivationError: names a parameter that it does not know.
    """
    if why := watch.untrained(network, factory.built, optimizer):
        raise ActivationError(why)


def descend(task: Task, network: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch) -> float:
    """Take one step on a batch; returns the task's loss, without the activations' penalties."""
    inputs, targets = batch
    optimizer.zero_grad(set_to_none=True)
    loss = task.loss(network(inputs), targets)
    value = loss.item()
    if math.isfinite(value):  # otherwise the weights stay as they are, for the culprit to be found with
        (loss + penalty(network) if has_penalty(network) else loss).backward()
        optimizer.step()
    return value


def make_optimizer(task: Task, network: nn.Module) -> torch.optim.Optimizer:
    """Make the task's optimizer; activation parameters decay only where the task asks for it."""
    groups = param_groups(network, task.weight_decay, activation_weight_decay=task.activation_weight_decay)
    if task.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=task.lr, momentum=task.momentum)
    # The fused form: 1.15-1.3 times faster on these small networks than the default.
    return torch.optim.Adam(groups, lr=task.lr, fused=True)


def schedule(task: Task, optimizer: torch.optim.Optimizer, epoch: int) -> None:
    """Set the epoch's learning rate: constant, or half a cosine from lr to nearly 0."""
    fraction = (epoch - 1) / task.epochs
    factor = 0.5 * (1 + math.cos(math.pi * fraction)) if task.schedule == "cosine" else 1.0
    for group in optimizer.param_groups:
        group["lr"] = task.lr * factor


@torch.no_grad()
def evaluate(task: Task, network: nn.Module, activations: Sequence[nn.Module], split: Batch) -> dict[str, float]:
    """Measure the network on a split, in evaluation mode.

    Raises:
        Diverged: if an output is not finite: an accuracy would not show it.
    """
    network.eval()
    inputs, targets = split
    chunks = inputs.split(CHUNK)
    output = torch.cat([network(chunk) for chunk in chunks])
    if not bool(torch.isfinite(output).all()):
        why = next(filter(None, (watch.culprit(network, activations, chunk) for chunk in chunks)), "")
        raise Diverged(f"the output is not finite in evaluation{'; the activation ' + why if why else ''}")
    return plain_numbers(task.metrics(output, targets), "metrics")


def plain_numbers(measured: Mapping[str, Any], method: str) -> dict[str, float]:
    """Take what a task measured as plain numbers.

    Raises:
        AfbenchError: for anything else.
    """
    if not isinstance(measured, Mapping):
        raise AfbenchError(f"the task's {method}() must return a dict of numbers, not {type(measured).__name__}")
    numbers: dict[str, float] = {}
    for name, value in measured.items():
        try:
            numbers[str(name)] = float(value) if not isinstance(value, (str, bytes)) else float("")
        except (TypeError, ValueError, RuntimeError):
            raise AfbenchError(
                f"the task's {method}() gave {type(value).__name__} for {name!r}, not a number"
            ) from None
    return numbers


def plain_array(value: Any) -> np.ndarray[Any, Any]:
    """Take an array of a picture. Objects are refused: to read them would run code.

    Raises:
        AfbenchError: if it holds anything but numbers or text.
    """
    array = np.asarray(value)
    if array.dtype.kind not in "biufcU":
        raise AfbenchError(
            f"the task's picture() returned an array of {array.dtype}; only numbers and text are allowed"
        )
    return array


def to_device(splits: Splits, task: Task) -> Splits:
    """Put the splits on the task's device; floating tensors take its dtype."""
    dtype = getattr(torch, task.dtype)

    def place(values: Tensor) -> Tensor:
        return values.to(task.device, dtype if values.is_floating_point() else None)

    return Splits(*((place(inputs), place(targets)) for inputs, targets in splits))
