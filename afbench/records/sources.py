"""The source of an entry as a hash: records of a user's code are stale once the code changes.

The hash covers the definition, all that its file executes or defines for it, and the same of the modules of the same
folder or package that it imports. Comments, docstrings, layout and other entries of the file do not count.
"""

from __future__ import annotations

import hashlib
import inspect
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..registry.entries import ACTIVATIONS
from ..registry.entry import Entry
from ..registry.origin import is_own, module_of
from .statements import Names, file_of, imports, is_library, normal_form, statements
from .trial import KEY_LENGTH

Modules = dict[str, Names]
"""Modules, each with those of its names that count."""


def source_of(entries: Mapping[str, Entry]) -> str:
    """Return the sources of a record's entries, for users' code alone: ``activation=9f3c... task=1a2b...``.

    Empty where all code is afbench's own, which has declared versions.
    """
    return " ".join(f"{kind}={hashed(entry.target)}" for kind, entry in entries.items() if is_users(entry.target))


def is_users(target: Callable[..., Any]) -> bool:
    """Tell whether code is a user's: neither afbench's nor torch's, whose version is in every record."""
    return not is_own(target) and not f"{module_of(target)}.".startswith("torch.")


def hashed(target: Callable[..., Any]) -> str:
    """Hash the source of a class or function, with its bases and the user's modules that they use."""
    target = getattr(target, "func", target)
    bases = target.__mro__ if isinstance(target, type) else (target,)
    parts: list[str] = []
    names_by_module: dict[str, set[str]] = {}
    for base in bases:
        if is_own(base):
            parts += [f"{e.name} version {e.version}" for e in ACTIVATIONS.entries.values() if e.target is base]
        elif is_users(base) and not is_library(module_of(base), module_of(target)):
            names_by_module.setdefault(module_of(base), set()).add(base.__qualname__.partition(".")[0])
    for module, names in names_by_module.items():
        if file_of(module) is None:
            parts += [part for base in bases if module_of(base) == module for part in live(base)]
        else:
            parts += closure(module, names, lambda other, start=module: not is_library(other, start))  # type: ignore[misc]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:KEY_LENGTH]


def closure(module: str, names: Iterable[str] | None, follows: Callable[[str], bool]) -> list[str]:
    """Return the normal forms of the statements that count, of a module and of those it imports that ``follows``."""
    wanted: Modules = {module: None if names is None else frozenset(names)}
    while True:
        imported: Modules = {}
        parts: list[str] = []
        for name, counting in wanted.items():
            kept = statements(name, counting)
            parts += [f"module {len(parts)}", *map(normal_form, kept)]
            for other, used in imports(name, kept):
                if follows(other):
                    imported[other] = union(imported.get(other, frozenset()), used)
        grown = wanted | {name: union(wanted.get(name, frozenset()), used) for name, used in imported.items()}
        if grown == wanted:
            return parts
        wanted = grown


def union(some: Names, more: Names) -> Names:
    """Join two sets of names."""
    return None if some is None or more is None else some | more


def live(target: Any) -> list[str]:
    """Describe code without a file, such as a notebook's: its instructions, and those of what it uses there."""
    parts: list[str] = []
    seen: set[int] = set()

    def visit(value: Any) -> None:
        if id(value) in seen:
            return
        seen.add(id(value))
        if isinstance(value, type):
            parts.append(f"class {value.__name__}")
            for name, member in sorted(vars(value).items()):
                if not name.startswith("__") or callable(member):
                    visit(getattr(member, "__func__", getattr(member, "fget", member)))
        elif isinstance(value, types.FunctionType):
            instructions(value.__code__, value.__globals__)
            visit(value.__defaults__)
        elif isinstance(value, (bool, int, float, complex, str, bytes, tuple, list, dict, frozenset)) or value is None:
            text = repr(value)
            parts.append(text if " at 0x" not in text else type(value).__name__)

    def instructions(code: types.CodeType, scope: Mapping[str, Any]) -> None:
        parts.append(f"{code.co_name} {code.co_code.hex()} {code.co_names}")
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                instructions(constant, scope)
            else:
                parts.append(repr(constant))
        for name in code.co_names:
            value = scope.get(name)
            if value is not None and (inspect.isfunction(value) or isinstance(value, type)):
                if module_of(value) == "__main__":
                    visit(value)
            elif not isinstance(value, types.ModuleType):
                visit(value)

    visit(target)
    return parts
