"""What an engine needs apart from the work, and what it returns for an item without a result."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from ..errors import UsageError
from ..registry.discovery import load_module
from ..registry.entries import ACTIVATIONS, TASKS, load_plugins
from ..registry.entry import Entry
from ..registry.factory import Choice, Factory, choose
from ..registry.origin import is_own, loads
from ..streams import forked, stream
from ..tasks.base import Task, changed, create_task


@dataclass(frozen=True)
class Failure:
    """An item without a result: its process died, ran out of time, or could not send what came out."""

    kind: str
    """``lost``, ``timeout`` or ``error``."""
    message: str


class SlowStart(UserWarning):
    """Forking is not safe in this process, so that each trial pays for the imports; the warning appears once."""


@dataclass(frozen=True)
class Setup:
    """What a fresh process must do before it can work: find the user's own code, and import what the work needs.

    With ``task`` and ``activations`` it also checks that the process finds them: an activation that only the calling
    session knows is an error of the set-up, not a trial's result.
    """

    plugins: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    task: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    activations: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[Entry], plugins: Iterable[str], engine: str) -> Setup:
        """Return what a process must load to find entries. The inline engine loads nothing: this process has them.

        Raises:
            UsageError: names every entry that no other process can find.
        """
        if engine == "inline":
            return cls(path=tuple(sys.path))
        files, modules = loads(entries, plugins)
        return cls(files, tuple(sys.path), modules=modules)

    def for_trials(self, task: Task, choices: Iterable[Choice]) -> Setup:
        """Return a set-up that also rehearses a task with activations."""
        return replace(self, task=task.name, settings=changed(task), activations=tuple(c.spec for c in choices))

    def __call__(self) -> None:
        """Do it.

        Raises:
            UsageError: if a plugin fails, or if the task or an activation is not found in this process.
        """
        for folder in self.path:
            if folder not in sys.path:
                sys.path.append(folder)
        load_plugins(self.plugins)
        for module in self.modules:
            load_module(module)
        for registry in (ACTIVATIONS, TASKS):
            registry.populate()
        choices = [choice for spec in self.activations if (choice := self.look_up("activation", spec, choose))]
        task = self.look_up("task", self.task, lambda name: create_task(name, self.settings)) if self.task else None
        warm_up()
        if task is not None and is_own(type(task)):
            rehearse(task, [choice for choice in choices if is_own(choice.entry.target)])

    def look_up(self, kind: str, name: str, find: Any) -> Any:
        """Look up a task or an activation; the error says what to do if only the calling session knows it."""
        try:
            return find(name)
        except UsageError as error:
            raise UsageError(
                f"worker processes cannot find {kind} {name!r} ({error}). Move it to a file and "
                "pass plugins=['FILE.py'] (--plugin FILE.py) or the spec MODULE:Class, or use engine='inline'"
            ) from None


def warm_up() -> None:
    """Take one optimizer step: the first of a process takes seconds of imports, which must not count as a trial's time.

    There is no backward pass: on a machine with a GPU it starts threads, and then a process must not fork.
    """
    weight = torch.zeros(1, requires_grad=True)
    weight.grad = torch.zeros(1)
    torch.optim.SGD([weight], lr=0.1, momentum=0.9).step()
    torch.optim.Adam([weight], fused=True).step()


def rehearse(task: Task, choices: list[Choice]) -> None:
    """Load the task's data and run its network once with each activation, so that all caches are filled.

    Only code that comes with afbench runs here: an error of a user's code belongs to its trials.
    """
    with contextlib.suppress(Exception):  # a trial repeats it, and its record says what is wrong
        task.about()
        splits = task.data(stream(0, "data"))
        if task.device != "cpu":  # a process must not fork once it has used a GPU
            return
        with torch.no_grad(), forked(0, "noise"):
            inputs = splits.train[0][:2].to(getattr(torch, task.dtype))
            for choice in choices:
                with contextlib.suppress(Exception):
                    task.network(Factory(choice, 0)).to(inputs.dtype)(inputs)
