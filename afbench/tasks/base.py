"""The task contract: data + network + loss + metric (with direction) + training recipe."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Protocol, dataclass_transform

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import UsageError
from ..registry.entries import TASKS
from ..registry.settings import Range, Value, differing, resolve
from ..statistics.metric import declare
from .settings import spend, task_settings

Batch = tuple[Tensor, Tensor]
Arrays = dict[str, np.ndarray[Any, Any]]
Positive = Range(above=0, below=float("inf"))
AtLeastOne = Range(at_least=1, at_most=1_000_000)


class Splits(NamedTuple):
    """Inputs and targets for training, for choices during training, and for the one test at the end.

    >>> pair = (torch.zeros(4, 2), torch.zeros(4, dtype=torch.long))
    >>> Splits(train=pair, validation=pair, test=pair).train[0].shape
    torch.Size([4, 2])
    """

    train: Batch
    validation: Batch
    test: Batch


class MakeActivation(Protocol):
    """The factory that a network calls once for each activation: ``act(channels=C, channel_dim=-1)``."""

    def __call__(self, channels: int | None = None, channel_dim: int = 1) -> nn.Module:
        """Build a new activation."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """The base class of tasks: a classification task by default. Annotated fields are its settings.

    A subclass defines ``data`` and ``network``; everything else has a default. Class attributes without annotations
    declare what reports need: metric, unit, direction, target, bounds of each metric, plots.

    >>> create_task("gmm", {"epochs": 3}).epochs
    3
    """

    name: ClassVar[str] = ""
    version: ClassVar[int] = 1
    metric: ClassVar[str] = "accuracy"
    unit: ClassVar[str] = "%"
    higher_is_better: ClassVar[bool] = True
    target: ClassVar[float | None] = None
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {"accuracy": (0.0, 100.0)}
    plots: ClassVar[tuple[str, ...]] = ("curve", "shape")
    budgets: ClassVar[Mapping[str, Mapping[str, Value]]] = {"smoke": {"epochs": 2}}
    """The settings of ``--budget NAME``; a task with a published length adds ``"paper"``."""

    epochs: Annotated[int, AtLeastOne] = 30
    batch_size: Annotated[int, AtLeastOne] = 128
    optimizer: Literal["adam", "sgd"] = "adam"
    lr: Annotated[float, Positive] = 1e-3
    momentum: Annotated[float, Range(at_least=0, below=1)] = 0.9
    weight_decay: Annotated[float, Range(at_least=0, below=float("inf"))] = 0.0
    activation_weight_decay: Annotated[float, Range(at_least=0, below=float("inf"))] = 0.0
    schedule: Literal["constant", "cosine"] = "constant"
    checkpoint: Literal["last", "best"] = "last"
    threads: Annotated[int, Range(at_least=1, at_most=1024)] = 1
    device: str = "cpu"
    dtype: Literal["float32", "float64", "bfloat16"] = "float32"

    def prepare(self) -> None:
        """Raise ``Unavailable`` if the task lacks something, such as its data; called before a run writes anything."""
        return None

    def data(self, rng: torch.Generator) -> Splits:
        """Make the splits of one trial; all randomness comes from ``rng``."""
        raise UsageError(f"task {self.name!r} defines no data(rng)")

    def network(self, act: MakeActivation) -> nn.Module:
        """Build the network; it calls ``act`` once for each of its activations."""
        raise UsageError(f"task {self.name!r} defines no network(act)")

    def batches(self, splits: Splits, rng: torch.Generator) -> Iterator[Batch]:
        """Yield the batches of one epoch, in a new order; override it to generate data during training."""
        inputs, targets = splits.train
        order = torch.randperm(len(inputs), generator=rng).to(inputs.device)
        for start in range(0, len(inputs), self.batch_size):
            index = order[start : start + self.batch_size]
            yield inputs[index], targets[index]

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the loss to minimise: a mean over the batch."""
        return F.cross_entropy(output, target)

    def metrics(self, output: Tensor, target: Tensor) -> dict[str, float]:
        """Return the metrics of a whole split by name; one of the names is ``metric``."""
        return {"accuracy": 100.0 * (output.argmax(1) == target).double().mean().item()}

    def observe(self, model: nn.Module, epoch: int, rng: torch.Generator) -> dict[str, float]:
        """Return extra metrics after an epoch, from a random stream of their own; the record keeps the largest values.

        This is for published figures that look at the test distribution. Their names say so; they decide nothing.
        """
        return {}

    def picture(self, model: nn.Module, splits: Splits) -> Arrays:
        """Return the arrays for the task's own plots; about 100 kB at most."""
        return {}

    def references(self) -> dict[str, float]:
        """Return reference values of the metric by name, such as the Bayes-optimal accuracy."""
        return {}

    @property
    def headline(self) -> str:
        """A description in one line: the first of the docstring."""
        return (self.__doc__ or "").strip().partition("\n")[0].rstrip(".")

    def about(self) -> dict[str, Any]:
        """Return everything that a report needs, so that reports import no task."""
        return {
            "headline": self.headline,
            "metric": self.metric,
            "unit": self.unit,
            "higher_is_better": self.higher_is_better,
            "target": self.target,
            "bounds": declare(self.bounds),
            "references": self.references(),
            "plots": list(self.plots),
        }

    @property
    def settings(self) -> dict[str, Value]:
        """Every setting with its value."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


class Regression:
    """A mixin for regression tasks: mean squared error as the loss, and R2 in percent over the whole split.

    >>> class Line(Regression, Task): ...
    """

    metric: ClassVar[str] = "r2"
    unit: ClassVar[str] = "%"
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {"r2": (-math.inf, 100.0), "mse": (0.0, math.inf)}

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Mean squared error."""
        return F.mse_loss(output, target)

    def metrics(self, output: Tensor, target: Tensor) -> dict[str, float]:
        """R2 = 100 (1 - sum (y - f)^2 / sum (y - mean y)^2), and the mean squared error."""
        output, target = output.double(), target.double()
        residual = ((target - output) ** 2).mean().item()
        variance = ((target - target.mean()) ** 2).mean().item()
        return {"r2": 100.0 * (1.0 - residual / variance), "mse": residual}


def create_task(name: str, given: Mapping[str, object] | None = None, budget: str = "default") -> Task:
    """Build a task and check its settings. Given settings override those of the budget.

    Raises:
        UsageError: for an unknown task, setting or budget, a wrong type, or a value outside its range.
    """
    entry, implied = TASKS.find(name)
    settings = task_settings(entry.target)  # type: ignore[arg-type]
    planned = spend(entry.target, settings, budget)  # type: ignore[arg-type]
    values = resolve(settings, {**planned, **implied, **(given or {})}, f"task {name!r}")
    try:
        return entry.target(**values)  # type: ignore[no-any-return]
    except ValueError as error:
        raise UsageError(f"task {name!r}: {error}") from error


def changed(task: Task) -> dict[str, Value]:
    """Return the settings that differ from the task's defaults; they are part of a trial's key."""
    return differing(task_settings(type(task)), task.settings)


def list_tasks(tag: str | None = None) -> list[str]:
    """Return the names of all registered tasks, or of those with a tag.

    >>> list_tasks(tag="regression")
    ['regression_1d', 'regression_2d']
    """
    return [entry.name for entry in TASKS if tag is None or tag in entry.tags]


@dataclass_transform(kw_only_default=True, frozen_default=True)
def task(name: str, **about: Any) -> Callable[[type], Any]:
    """Register a subclass of ``Task``; its annotated fields become its settings.

    Args:
        name: the short name.
        about: ``aliases``, ``tags``, ``paper``, ``year``, as for an activation.

    Raises:
        RegistryError: if the name is taken.

    >>> @task("two_points")
    ... class TwoPoints(Task):
    ...     epochs: int = 3
    ...     def data(self, rng):
    ...         return Splits(*[(torch.tensor([[0.0], [1.0]]), torch.tensor([0, 1]))] * 3)
    ...     def network(self, act):
    ...         return nn.Sequential(nn.Linear(1, 4), act(channels=4), nn.Linear(4, 2))
    >>> create_task("two_points").settings["epochs"]
    3
    """
    if "version" in about:
        raise UsageError(f"task {name!r}: write its version as a class attribute, version = {about['version']}")
    return TASKS.decorator(name, **about)


def _finish(target: type, name: str) -> type:
    if not issubclass(target, Task):
        raise UsageError(f"task {name!r}: {target.__name__} must be a subclass of afbench.Task")
    bases = [base for base in target.__mro__[1:] if dataclasses.is_dataclass(base)]
    inherited = {field.name for base in bases for field in dataclasses.fields(base)}
    for field in inherited & vars(target).keys() - target.__dict__.get("__annotations__", {}).keys():
        raise UsageError(f"task {name!r}: {field} needs a type annotation; without one it would have no effect")
    check_bounds(target, name)
    documentation = target.__doc__ or ""
    finished = dataclasses.dataclass(frozen=True, kw_only=True)(target)
    finished.__doc__ = documentation  # dataclass fills a missing docstring with all fields, and lists would show it
    finished.name = name
    task_settings(finished)
    return finished


def check_bounds(target: type[Task], name: str) -> None:
    """Check that a task's bounds are a pair of numbers for each metric, the lower one first.

    Raises:
        UsageError: if they are not.
    """
    try:
        sound = all(low < high for low, high in target.bounds.values())
    except (AttributeError, TypeError, ValueError):
        sound = False
    if not sound:
        raise UsageError(
            f"task {name!r}: bounds must map each metric to (low, high), such as {{'accuracy': (0.0, 100.0)}}"
        )


TASKS.prepare = _finish
