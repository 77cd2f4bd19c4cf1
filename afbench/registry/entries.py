"""The registries of activations and of tasks, and how activations and plugins get into them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ..errors import UsageError
from .discovery import discover, load_plugin
from .entry import Registry

T = TypeVar("T", bound=Callable[..., Any])

ACTIVATIONS: Registry = Registry("activation", lambda registry: discover("activations", registry, ACTIVATIONS, TASKS))
TASKS: Registry = Registry("task", lambda registry: discover("tasks", registry, ACTIVATIONS, TASKS))


def load_plugins(paths: Iterable[str | Path]) -> tuple[str, ...]:
    """Load Python files whose decorators register activations or tasks, each once; returns their full paths.

    Raises:
        UsageError: names each file that is missing or fails.
    """
    files, failures = [], []
    for path in paths:
        try:
            load_plugin(path, ACTIVATIONS, TASKS)
        except UsageError as error:
            failures.append(str(error))
        files.append(str(Path(path).resolve()))
    if failures:
        raise UsageError("; ".join(failures))
    return tuple(files)


def activation(
    name: str,
    *,
    aliases: Sequence[str] | Mapping[str, str] = (),
    tags: Iterable[str] = (),
    formula: str = "",
    paper: str = "",
    year: int | None = None,
    version: int = 1,
    exceptions: Mapping[str, str] | None = None,
) -> Callable[[T], T]:
    """Register an ``nn.Module`` class as an activation.

    Args:
        name: its short name.
        aliases: further names; a mapping gives each the settings it stands for.
        tags: words to select it by, ``--acts tag:periodic``.
        formula: one line, in code form.
        paper: where it comes from, such as ``arXiv:2407.07564``.
        year: the year of that source.
        version: raised when its results change.
        exceptions: parts of the contract that it cannot hold, each with the reason: ``{"vmap": "batch statistics"}``.

    Raises:
        RegistryError: if the name or an alias is taken.

    >>> import torch, afbench
    >>> @afbench.activation("cube", formula="x^3", tags=("odd",))
    ... class Cube(torch.nn.Module):
    ...     def forward(self, x):
    ...         return x**3
    >>> afbench.create("cube")(torch.tensor([-2.0, 2.0]))
    tensor([-8.,  8.])
    """
    return ACTIVATIONS.decorator(
        name,
        aliases=aliases,
        tags=tags,
        formula=formula,
        paper=paper,
        year=year,
        version=version,
        exceptions=dict(exceptions or {}),
    )
