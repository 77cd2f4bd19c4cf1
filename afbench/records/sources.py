"""The source of an entry, as a hash: results of code that does not come with afbench are stale once it changes.

What counts: the definition itself, what its file executes or defines for it, and the same of the modules of the same
folder or package that it imports. Comments, docstrings and layout do not count, nor do other entries of the file.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.machinery
import importlib.util
import inspect
import sys
import sysconfig
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..registry.entries import ACTIVATIONS
from ..registry.entry import Entry
from ..registry.origin import is_own, module_of
from .trial import KEY_LENGTH

DESCRIBING = ("formula", "paper", "year", "tags", "exceptions", "aliases")
"""What an entry's decorator says of it beside its name: no result depends on it."""

REACHING = {"__init_subclass__", "__subclasses__", "metaclass", "globals", "locals", "vars", "eval", "exec", "modules"}
"""Names by which code reaches definitions that it does not name: then all of its module counts."""

IMPORTERS = {"import_module", "__import__"}

Names = frozenset[str] | None
"""Which names of a module count; None for all."""

Modules = dict[str, Names]


def source_of(entries: Mapping[str, Entry]) -> str:
    """Print the sources of a record: ``activation=9f3c... task=1a2b...``, of those that do not come with afbench.

    Empty where all code is afbench's own: there the declared versions tell.
    """
    return " ".join(f"{kind}={hashed(entry.target)}" for kind, entry in entries.items() if is_users(entry.target))


def is_users(target: Callable[..., Any]) -> bool:
    """Tell whether code is a user's: neither afbench's nor torch's, whose version stands in every record."""
    return not is_own(target) and not f"{module_of(target)}.".startswith("torch.")


def hashed(target: Callable[..., Any]) -> str:
    """Hash the source of a class or function, with its bases and the user's modules that they use."""
    target = getattr(target, "func", target)
    bases = target.__mro__ if isinstance(target, type) else (target,)
    parts: list[str] = []
    wanted: dict[str, set[str] | None] = {}
    for base in bases:
        if is_own(base):
            parts += [f"{e.name} version {e.version}" for e in ACTIVATIONS.entries.values() if e.target is base]
        elif is_users(base) and not is_library(module_of(base), module_of(target)):
            wanted.setdefault(module_of(base), set())
            held = wanted[module_of(base)]
            if held is not None:
                held.add(base.__qualname__.partition(".")[0])
    for name, names in wanted.items():
        file = file_of(name)
        if file is None:
            parts += [part for base in bases if module_of(base) == name for part in live(base)]
        else:
            parts += closure(name, names, partial(_own, name))
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:KEY_LENGTH]


def _own(start: str, other: str) -> bool:
    return not is_library(other, start)


def closure(module: str, names: Iterable[str] | None, follows: Callable[[str], bool]) -> list[str]:
    """Return the normal forms of what counts of a module and of the modules that it imports, as far as one follows."""
    wanted: Modules = {module: None if names is None else frozenset(names)}
    while True:
        found: Modules = {}
        parts: list[str] = []
        for name, which in wanted.items():
            kept = statements(name, which)
            parts += [f"module {len(parts)}", *map(normal, kept)]
            for other, what in imports(name, kept):
                if follows(other):
                    found[other] = union(found.get(other, frozenset()), what)
        grown = wanted | {name: union(wanted.get(name, frozenset()), what) for name, what in found.items()}
        if grown == wanted:
            return parts
        wanted = grown


def union(some: Names, more: Names) -> Names:
    """Join two sets of names."""
    return None if some is None or more is None else some | more


def statements(module: str, names: Names) -> list[ast.stmt]:
    """Return the statements of a module that count: all that it executes, and the definitions that these or names use.

    A definition is left out only where nothing that counts says its name, be it as a text, and where it does nothing by
    itself but register an entry.
    """
    body = parsed(module)
    if names is None:
        return body
    kept = [one for one in body if not droppable(one) or one.name in names]  # type: ignore[attr-defined]
    if not names <= {name for one in kept for name in bound(one)}:
        return body  # a name that is made in some other way: everything may count
    while True:
        said = {word for one in kept for word in words(one)}
        if said & REACHING:
            return body
        more = [one for one in body if one in kept or one.name in said]  # type: ignore[attr-defined]
        if len(more) == len(kept):
            return kept
        kept = more


def droppable(statement: ast.stmt) -> bool:
    """Tell whether a statement only defines a class or function, or registers one."""
    if not isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    return all(registers(decorator) for decorator in statement.decorator_list)


def registers(decorator: ast.expr) -> bool:
    """Tell whether a decorator is ``afbench.activation(...)`` or ``afbench.task(...)``."""
    if not isinstance(decorator, ast.Call):
        return False
    called = decorator.func
    return (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) in ("activation", "task")


def bound(statement: ast.stmt) -> Iterator[str]:
    """Go through the names that a statement of a module may bind."""
    if isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]


def words(statement: ast.stmt) -> Iterator[str]:
    """Go through all names and texts that a statement holds."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from node.value.replace(".", " ").split()[:50]
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            yield from node.names
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg


def parsed(module: str) -> list[ast.stmt]:
    """Read a module's statements, without what only runs when it is started as a script."""
    file = file_of(module)
    if file is None:
        return []
    content = file.read_bytes() if file.is_file() else b""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):  # a compiled module, or one that is being edited
        return [ast.Assign([], ast.Constant(hashlib.sha256(content).hexdigest()))]
    for node in ast.walk(tree):
        if isinstance(held := getattr(node, "body", None), list):
            node.body = [one for one in held if not is_text(one)]  # type: ignore[attr-defined]
    body = tree.body
    return [one for one in body if not (isinstance(one, ast.If) and "__main__" in words(ast.Expr(one.test)))]


def is_text(statement: object) -> bool:
    """Tell whether a statement is a text alone, as a docstring is."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def imports(module: str, kept: Iterable[ast.stmt]) -> Iterator[tuple[str, Names]]:
    """Go through the modules that statements import, with the names that they take of each."""
    file = file_of(module)
    package = module if file is not None and file.stem == "__init__" else module.rpartition(".")[0]
    for node in (node for one in kept for node in ast.walk(one)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None
        elif isinstance(node, ast.Call) and IMPORTERS & {*words(ast.Expr(node.func))}:
            for held in node.args:
                if isinstance(held, ast.Constant) and isinstance(held.value, str):
                    yield held.value, None
        elif isinstance(node, ast.ImportFrom):
            try:
                start = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            except (ImportError, ValueError):
                continue
            for alias in node.names:
                inner = f"{start}.{alias.name}"
                if alias.name == "*":
                    yield start, None
                elif file_of(inner) is not None:
                    yield inner, None
                else:
                    yield start, frozenset([alias.name])


def file_of(module: str) -> Path | None:
    """Return the file of a module, loaded or not, without importing it."""
    loaded = sys.modules.get(module)
    name = getattr(loaded, "__file__", None) if loaded is not None else getattr(located(module), "origin", None)
    return Path(name) if isinstance(name, str) and Path(name).is_file() else None


def located(module: str) -> importlib.machinery.ModuleSpec | None:
    """Find a module on the path without importing it or the packages above it."""
    parent, _, _ = module.rpartition(".")
    folders = None
    if parent:
        above = sys.modules.get(parent) or located(parent)
        folders = getattr(above, "__path__", None) or getattr(above, "submodule_search_locations", None)
        if folders is None:
            return None
    try:
        return importlib.machinery.PathFinder.find_spec(module, folders)
    except (ImportError, ValueError, AttributeError, OSError):
        return None


def is_library(module: str, start: str) -> bool:
    """Tell whether a module is not the user's: neither in the package of the module ``start`` nor in an own folder."""
    top = module.partition(".")[0]
    if top in ("afbench", "torch"):
        return True
    if top == start.partition(".")[0]:
        return False
    file = file_of(module)
    if file is None:
        return True
    folders = [sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return bool({"site-packages", "dist-packages"} & {*file.parts}) or any(
        Path(folder) in file.parents for folder in folders
    )


def normal(node: object) -> str:
    """Print a syntax tree without positions, docstrings and what only describes an entry; the same in every Python."""
    if isinstance(node, list):
        return f"[{','.join(map(normal, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = {name: value for name, value in ast.iter_fields(node) if name not in ("ctx", "kind", "type_comment")}
    if isinstance(node, ast.Call) and registers(node):
        fields["keywords"] = [one for one in node.keywords if one.arg not in DESCRIBING]
    held = (f"{name}={normal(value)}" for name, value in sorted(fields.items()) if value is not None and value != [])
    return f"{type(node).__name__}({','.join(held)})"


def live(target: Any) -> list[str]:
    """Describe code that stands in no file, as a notebook's: its instructions, and those of what it uses there."""
    parts: list[str] = []
    seen: set[int] = set()

    def visit(held: Any) -> None:
        if id(held) in seen:
            return
        seen.add(id(held))
        if isinstance(held, type):
            parts.append(f"class {held.__name__}")
            for name, value in sorted(vars(held).items()):
                if not name.startswith("__") or callable(value):
                    visit(getattr(value, "__func__", getattr(value, "fget", value)))
        elif isinstance(held, types.FunctionType):
            instructions(held.__code__, held.__globals__)
            visit(held.__defaults__)
        elif isinstance(held, (bool, int, float, complex, str, bytes, tuple, list, dict, frozenset)) or held is None:
            text = repr(held)
            parts.append(text if " at 0x" not in text else type(held).__name__)

    def instructions(code: types.CodeType, world: Mapping[str, Any]) -> None:
        parts.append(f"{code.co_name} {code.co_code.hex()} {code.co_names}")
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                instructions(constant, world)
            else:
                parts.append(repr(constant))
        for name in code.co_names:
            held = world.get(name)
            if held is not None and (inspect.isfunction(held) or isinstance(held, type)):
                if module_of(held) == "__main__":
                    visit(held)
            elif not isinstance(held, types.ModuleType):
                visit(held)

    visit(target)
    return parts
