"""Where the code of an entry comes from, and how a worker process, which shares no memory with this one, finds it."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .discovery import PLUGIN
from .entry import Entry


def is_own(target: Callable[..., Any]) -> bool:
    """Tell whether a class or function comes with afbench."""
    return f"{module_of(target)}.".startswith("afbench.")


def module_of(target: Callable[..., Any]) -> str:
    """Name the module that defines a class or function; a partial's is that of its function."""
    target = getattr(target, "func", target)
    return getattr(target, "__module__", None) or type(target).__module__


def loads(entries: Iterable[Entry], plugins: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the plugin files and the modules that a worker process must load to find the entries.

    Raises:
        UsageError: names every entry that no other process can import, such as those of a notebook.
    """
    files, modules, lost = dict.fromkeys(plugins), dict[str, None](), []
    for entry in entries:
        if is_own(entry.target):
            continue
        origin = imported_as(module_of(entry.target), entry.target)
        if origin is None:
            lost.append(entry)
        elif origin.endswith(".py"):
            files[origin] = None
        elif ":" not in entry.name:  # else its name says what to import
            modules[origin] = None
    if lost:
        raise UsageError(unreachable(lost))
    return tuple(files), tuple(modules)


def imported_as(name: str, target: Callable[..., Any]) -> str | None:
    """Return the file or the module that defines something, for another process to load; None if it has neither."""
    module = sys.modules.get(name)
    if name.startswith(PLUGIN):
        return getattr(module, "__file__", None)
    if name != "__main__":
        try:
            return name if importlib.util.find_spec(name) is not None else None
        except (ImportError, ValueError, AttributeError):
            return None
    started = getattr(module, "__spec__", None)
    if started is not None and getattr(started, "name", None):  # python -m pkg.module
        return str(started.name)
    script = getattr(module, "__file__", None)
    if script is None or Path(script).suffix != ".py" or not Path(script).is_file():
        return None
    written = [Path(code.co_filename) for code in codes(target)]
    return str(Path(script).resolve()) if Path(script).resolve() in [path.resolve() for path in written] else None


def codes(target: Callable[..., Any]) -> list[Any]:
    """List the code objects of a function, or of a class's own methods."""
    members = vars(target).values() if isinstance(target, type) else [target]
    return [inspect.unwrap(member).__code__ for member in members if inspect.isfunction(member)]


def unreachable(entries: Iterable[Entry]) -> str:
    """Name the entries that worker processes cannot import, and say what to do."""
    named = ", ".join(f"{entry.kind} {entry.name!r}" for entry in entries)
    return (
        f"{named}: defined in a notebook, an interactive session or by python -c, so worker processes cannot import "
        "it. Move it to a file and pass plugins=['FILE.py'] (--plugin FILE.py) or the spec MODULE:Class, or use "
        "engine='inline'"
    )
