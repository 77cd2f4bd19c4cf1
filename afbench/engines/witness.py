"""The witness of the inline engine: what an item changed in this process that other items would compute with."""

from __future__ import annotations

import builtins
import contextlib
import decimal
import gc
import inspect
import locale
import math
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from ..errors import UsageError
from ..registry.entries import ACTIVATIONS, TASKS
from ..registry.factory import Choice, probe
from ..registry.selecting import refuse
from . import ambient

PATIENCE = 0.5
"""Seconds that a thread has to end after its item."""
MISSING = object()
PASSING = {"__doc__", "__warningregistry__", "__annotations__", "__abstractmethods__", "_abc_impl"}
"""Attributes that Python itself sets."""


class Witness:
    """Knows how this process was, lists what an item changed, and puts it back.

    It compares torch's ambient state, the attributes of torch's modules and classes and of afbench's own, the entries
    of the registries, modes and hooks that were left entered, and threads. What changes no number (the working
    folder, environment variables, signal handlers, warning filters ...) is put back silently.
    """

    def __init__(self) -> None:
        """Note how this process is, with the ambient state pinned."""
        self.state = ambient.state()
        self.spaces = {id(space): (space, dict(vars(space))) for space in spaces()}
        self.entries = [(registry, dict(registry.entries), dict(registry.aliases)) for registry in (ACTIVATIONS, TASKS)]
        self.modules = dict(sys.modules)
        self.threads = set(threading.enumerate())
        self.stacks = {name: list(read()) for name, (read, _) in STACKS.items()}
        self.python = {name: read() for name, (read, _) in PYTHON.items()}

    def changes(self) -> list[str]:
        """List what was changed, and put it back."""
        for name, (read, write) in PYTHON.items():
            with contextlib.suppress(Exception):
                if read() != self.python[name]:
                    write(self.python[name])
        altered = list(self.altered())
        ambient.restore(self.state)
        return [*altered, *self.left_entered(), *self.patched(), *self.entered()]

    def running(self) -> list[str]:
        """Name the threads that an item left running: nobody can end them."""
        left = [thread for thread in threading.enumerate() if thread not in self.threads]
        for thread in left:
            thread.join(PATIENCE)
        return [thread.name for thread in left if thread.is_alive()]

    def altered(self) -> Iterator[str]:
        """Compare the ambient state."""
        after = ambient.state()
        for name, was in self.state.items():
            is_ = after[name]
            if is_ == was:
                continue
            plain = isinstance(was, (bool, str, torch.dtype, torch.device))
            values = f" from {was} to {is_}".replace("torch.", "") if plain else ""
            yield f"changed {'' if name.startswith('numpy') else 'torch' + chr(39) + 's '}{name}{values}"

    def patched(self) -> Iterator[str]:
        """Compare the attributes of modules and classes, and the modules themselves."""
        for space, before in self.spaces.values():
            current = vars(space)
            for name in before.keys() | current.keys() if isinstance(space, type) else before.keys():
                was, is_ = before.get(name, MISSING), current.get(name, MISSING)
                if was is is_ or name in PASSING or (was is MISSING and not hides(space, name)):
                    continue
                if hooked_by_torch(is_):
                    before[name] = is_
                    continue
                with contextlib.suppress(AttributeError, TypeError):
                    delattr(space, name) if was is MISSING else setattr(space, name, was)
                yield f"replaced {named(space)}.{name}"
        for name, module in self.modules.items():
            if sys.modules.get(name) is not module:
                sys.modules[name] = module
                yield f"replaced the module {name}"

    def entered(self) -> Iterator[str]:
        """Compare the registries; new entries may come, for a spec may be imported late."""
        for registry, entries, aliases in self.entries:
            pairs: Any = ((registry.entries, entries), (registry.aliases, aliases))
            for current, before in pairs:
                for name, entry in before.items():
                    if current.get(name) is not entry:
                        current[name] = entry
                        yield f"replaced the registered {registry.kind} {name!r}"

    def left_entered(self) -> Iterator[str]:
        """Compare the stacks of modes and hooks."""
        for name, (read, leave) in STACKS.items():
            before = self.stacks[name]
            left = False
            for _ in range(100):
                if len(read()) <= len(before):
                    break
                leave()
                left = True
            if left:
                yield f"left {name} entered"


@contextlib.contextmanager
def put_back() -> Iterator[None]:
    """Pin the ambient state within the block, and undo what the code of others that runs in it changes here."""
    with ambient.pinned():
        witness = Witness()
        try:
            yield
        finally:
            witness.changes()


def check_choices(choices: Iterable[Choice]) -> None:
    """Build each activation once on the meta device, and put back what its constructor changes in this process.

    Raises:
        UsageError: names all that cannot be built, not the first alone.
    """
    wrong = []
    with put_back():
        for choice in choices:
            try:
                probe(choice)
            except UsageError as error:
                wrong.append(str(error))
    refuse(wrong)


def spaces() -> Iterator[Any]:
    """List the modules and classes whose attributes trials compute with."""
    libraries = [torch, nn, nn.functional, nn.init, nn.modules.module, torch.optim, torch.autograd, torch.linalg]
    yield from (*libraries, torch.special, torch.random, torch.overrides, np, math, builtins)
    yield from filter(None, [private("_C._nn")])  # what torch.nn.functional calls
    classes = {torch.Tensor, nn.Module, nn.Parameter, torch.autograd.Function, torch.Generator}
    for library in (nn, torch.optim):
        classes |= {value for value in vars(library).values() if isinstance(value, type)}
    for name, module in list(sys.modules.items()):
        if name.startswith("afbench.") and module is not None:
            yield module
            classes |= {v for v in vars(module).values() if isinstance(v, type) and v.__module__ == name}
    for entry in TASKS:
        classes |= set(inspect.getmro(entry.target)) if isinstance(entry.target, type) else set()
    yield from classes - {object, Witness}


def hides(space: type, name: str) -> bool:
    """Tell whether an attribute that was added to a class hides one that it inherits."""
    return any(name in vars(base) for base in space.__mro__[1:])


def hooked_by_torch(value: Any) -> bool:
    """Tell whether torch itself wrapped an optimizer's step, as it does when the first of its class is made."""
    wrapper = torch.optim.Optimizer.profile_hook_step(lambda: None)
    return getattr(value, "__code__", None) is wrapper.__code__


def named(space: Any) -> str:
    """Name a module or class as users write it."""
    name = getattr(space, "__qualname__", "") if isinstance(space, type) else ""
    owner = str(space.__module__ if name else space.__name__)
    owner = "torch.nn" if owner.startswith("torch.nn.modules") else owner
    owner = "torch" if owner in ("torch._tensor", "torch._C") else owner
    return f"{owner}.{name}" if name else owner


def private(path: str) -> Any:
    """Return something without a public name in torch, by its path; None where this torch lacks it.

    >>> private("_C._no_such_thing") is None
    True
    """
    value: Any = torch
    for name in path.split("."):
        value = getattr(value, name, None)
    return value


def stack_of(path: str) -> Callable[[], Any]:
    """Return the function that reads one of torch's private stacks; ``list`` where this torch lacks it."""
    return private(path) or list


def leave_mode(read: Callable[[], Any]) -> Callable[[], None]:
    """Return a function that leaves the innermost mode of a stack."""
    return lambda: read()[-1].__exit__(None, None, None)


POP_SAVED_HOOKS = "_C._autograd._pop_saved_tensors_default_hooks"


def saved_hooks() -> list[Any]:
    """List the hooks on saved tensors: the innermost, if there is any."""
    read = private("_C._autograd._top_saved_tensors_default_hooks")
    top = read(True) if read and private(POP_SAVED_HOOKS) else None
    return [top] if top is not None else []


def leave_saved_hooks() -> None:
    """Leave the innermost hooks on saved tensors."""
    private(POP_SAVED_HOOKS)()


_functions = stack_of("overrides._get_current_function_mode_stack")
_dispatches = stack_of("utils._python_dispatch._get_current_dispatch_mode_stack")

STACKS: dict[str, tuple[Callable[[], Any], Callable[[], None]]] = {
    "a torch function mode": (_functions, leave_mode(_functions)),
    "a torch dispatch mode": (_dispatches, leave_mode(_dispatches)),
    "hooks on saved tensors": (saved_hooks, leave_saved_hooks),
}
"""Stacks that an item must leave as they were: how each is read, and how its innermost mode is left."""


def set_environment(values: dict[str, str]) -> None:
    """Set all environment variables."""
    for name in set(os.environ) - set(values):
        del os.environ[name]
    os.environ.update(values)


def set_signals(handlers: dict[int, Any]) -> None:
    """Set the handlers of signals; only the main thread can."""
    for number, handler in handlers.items():
        if handler is not None and signal.getsignal(number) != handler:
            signal.signal(number, handler)


def set_filters(filters: list[Any]) -> None:
    """Set the filters of warnings."""
    current: Any = warnings.filters
    current[:] = filters


def umask() -> int:
    """Read the mask of the rights of new files; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


PYTHON: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "working folder": (os.getcwd, os.chdir),
    "environment": (lambda: dict(os.environ), set_environment),
    "path": (lambda: list(sys.path), lambda value: sys.path.__setitem__(slice(None), value)),
    "rights of new files": (umask, os.umask),
    "decimals": (lambda: decimal.getcontext().copy(), decimal.setcontext),
    "recursion limit": (sys.getrecursionlimit, sys.setrecursionlimit),
    "collector": (gc.isenabled, lambda value: gc.enable() if value else gc.disable()),
    "locale": (lambda: locale.setlocale(locale.LC_ALL), lambda value: locale.setlocale(locale.LC_ALL, value)),
    "signals": (lambda: {n: signal.getsignal(n) for n in signal.valid_signals()}, set_signals),
    "warnings": (lambda: list(warnings.filters), set_filters),
}
"""State that changes no number: how it is read and set."""
