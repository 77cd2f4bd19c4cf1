"""Finding entries: in afbench's own packages, other packages' entry points, plugin files, importable classes."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..errors import UsageError, text_of
from .entry import Entry, Registry, place_of

PLUGIN = "afbench_plugin_"
"""The start of the name of a plugin file's module; the file's own name follows."""

loading: list[str] = []
"""Files and modules that are being loaded: no run can start then."""

problems: list[str] = []
"""The entry points that failed to load, one line each; the command line prints them as warnings."""


def discover(package: str, registry: Registry, *others: Registry) -> None:
    """Fill a registry: from afbench's own package, then from the entry points that other packages offer.

    Args:
        package: ``activations`` or ``tasks``.
        registry: the registry to fill.
        others: registries that an entry point may change too; they are restored if it fails.
    """
    import_all(f"afbench.{package}")
    load_entry_points(f"afbench.{package}", registry, *others)


def import_all(package: str) -> None:
    """Import every module of a package, so that its decorators run: a new entry is one file and no other edit."""
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")


def load_entry_points(group: str, registry: Registry, *others: Registry) -> None:
    """Load other packages' entries. One that fails is noted in ``problems`` and stops nothing else."""
    from importlib.metadata import entry_points  # here: it takes a tenth of what --help may

    for point in entry_points(group=group):
        try:
            with taken_back(registry, *others):
                target = point.load()
                known = any(entry.target is target for entry in registry.entries.values())
                if isinstance(target, type) and not known:
                    registry.decorator(point.name)(target)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # other people's code may raise anything
            owner = point.dist.name if point.dist else "an unknown package"
            problems.append(f"entry point {point.name} = {point.value} of {owner} failed: {last_line(error)}")


def load_plugin(path: str | Path, *registries: Registry) -> None:
    """Run a Python file whose decorators register activations or tasks.

    Raises:
        UsageError: if it is missing or fails; its registrations are then undone.
    """
    path = Path(path)
    is_file = False
    with suppress(OSError):  # a name too long
        is_file = path.is_file()
    if not is_file:
        raise UsageError(f"plugin {path} not found: --plugin takes a Python file")
    where = str(path.resolve())
    name = f"{PLUGIN}{Path(where).stem}_{hashlib.sha256(os.fsencode(where)).hexdigest()[:8]}"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"plugin {path} cannot be read ({error.strerror})") from None
    if same_file("__main__", where):
        return  # the script itself, which has registered its entries
    before = sys.modules.get(name)
    if before is not None and vars(before).get("__afbench_content__") == content:
        return
    spec = importlib.util.spec_from_file_location(name, where)
    if spec is None or spec.loader is None:
        raise UsageError(f"plugin {path} is not a Python file (its name must end in .py)")
    for registry in registries:
        registry.populate()
    module = importlib.util.module_from_spec(spec)
    vars(module)["__afbench_content__"] = content
    sys.modules[name] = module
    try:
        with taken_back(*registries), busy(str(path)):
            for registry in registries:
                registry.forget(name)  # it was edited since: a notebook runs on while its files change
            exec(compile(content, where, "exec"), vars(module))
    except KeyboardInterrupt:
        del sys.modules[name]
        raise
    except BaseException as error:  # other people's code may raise anything
        del sys.modules[name]
        if before is not None:
            sys.modules[name] = before
        raise UsageError(f"plugin {path} failed: {last_line(error)}") from error


def same_file(module: str, where: str) -> bool:
    """Tell whether a module, if there is one of that name, was made from a file."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return isinstance(file, str) and os.path.realpath(file) == where


def load_module(name: str, attribute: str = "") -> Any:
    """Import a module whose decorators register entries; an error names the module, and the attribute if one is given.

    Raises:
        UsageError: if it fails.
    """
    try:
        with busy(name):
            return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise UsageError(f"cannot import {name + attribute!r}: {last_line(error)}") from error


@contextmanager
def busy(what: str) -> Iterator[None]:
    """List a file or module in ``loading`` within the block."""
    loading.append(what)
    try:
        yield
    finally:
        loading.remove(what)


def import_class(path: str) -> Entry:
    """Make an entry of an importable class, ``pkg.module:Class``; the current folder is on the path.

    Raises:
        UsageError: if there is no such module or class.
    """
    module_name, colon, attribute = path.partition(":")
    with suppress(OSError):  # the current folder may have been removed
        if "" not in sys.path and str(Path.cwd()) not in sys.path:
            sys.path.append(str(Path.cwd()))
    target = load_module(module_name, colon + attribute)
    try:
        for part in attribute.split("."):
            target = getattr(target, part)
    except AttributeError:
        raise UsageError(f"cannot import {path!r}: module {module_name!r} has no {attribute!r}") from None
    if not isinstance(target, Callable):  # type: ignore[arg-type]
        raise UsageError(f"{path!r} is not a class")
    version = getattr(target, "version", 1)
    where = place_of(target)
    entry = Entry("activation", path, target, version=version if isinstance(version, int) else 1, where=where)
    try:
        _ = entry.settings
    except UsageError as error:
        raise UsageError(f"{path!r} cannot be an activation: {error}") from error
    return entry


@contextmanager
def taken_back(*registries: Registry) -> Iterator[None]:
    """Undo all registrations within the block if it raises."""
    before = [(registry, dict(registry.entries), dict(registry.aliases)) for registry in registries]
    try:
        yield
    except BaseException:
        for registry, entries, aliases in before:
            registry.entries, registry.aliases = entries, aliases
        raise


def last_line(error: BaseException) -> str:
    """Describe an exception in one line, with the file and line where the user's code raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    text = " ".join(text_of(error).split()) or "no message"
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {text}"
    own = [f for f in frames if "importlib" not in f.filename and f.filename != __file__]
    place = f" ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else ""
    return f"{type(error).__name__}: {text}{place}"
