"""The statements of a module that count for an entry, read from its file without importing it."""

from __future__ import annotations

import ast
import hashlib
import importlib.machinery
import importlib.util
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

DESCRIBING = ("formula", "paper", "year", "tags", "exceptions", "aliases")
"""Arguments of an entry's decorator that describe it: no result depends on them."""

REACHING = {"__init_subclass__", "__subclasses__", "metaclass", "globals", "locals", "vars", "eval", "exec", "modules"}
"""Names by which code reaches definitions without naming them: the whole module counts then."""

IMPORTERS = {"import_module", "__import__"}

STATEMENTS = 2**14
"""Statements whose words, imports and normal forms are kept: entries share most of their modules."""

Names = frozenset[str] | None
"""The names of a module that count; None for all."""


def statements(module: str, names: Names) -> list[ast.stmt]:
    """Return the statements that count: what the module executes, the definitions of ``names``, and what these use.

    A definition is left out only if nothing that counts holds its name, be it in a text, and if it does nothing by
    itself but register an entry.
    """
    body = parsed(module)
    if names is None:
        return body
    kept = [s for s in body if not droppable(s) or s.name in names]  # type: ignore[attr-defined]
    if not names <= {name for statement in kept for name in bound(statement)}:
        return body  # a name that is made in some other way: everything may count
    while True:
        used = frozenset[str]().union(*map(words, kept))
        if used & REACHING:
            return body
        more = [s for s in body if s in kept or s.name in used]  # type: ignore[attr-defined]
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


@lru_cache(maxsize=STATEMENTS)
def words(statement: ast.stmt) -> frozenset[str]:
    """Collect all names, and the words of all texts, that a statement holds."""
    return frozenset(_words(statement))


def _words(statement: ast.stmt) -> Iterator[str]:
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
    """Read a module's statements, without those that run only when it is started as a script."""
    file = file_of(module)
    return parse(file.read_bytes()) if file is not None else []


@lru_cache(maxsize=256)
def parse(content: bytes) -> list[ast.stmt]:
    """Parse the content of a file; nobody changes the statements."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):  # a compiled module, or one that is being edited
        return [ast.Assign([], ast.Constant(hashlib.sha256(content).hexdigest()))]
    for node in ast.walk(tree):
        if isinstance(block := getattr(node, "body", None), list):
            node.body = [s for s in block if not is_text(s)]  # type: ignore[attr-defined]
    return [s for s in tree.body if not (isinstance(s, ast.If) and "__main__" in words(ast.Expr(s.test)))]


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
    for node in (node for statement in kept for node in importing(statement)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None
        elif isinstance(node, ast.Call) and IMPORTERS & words(ast.Expr(node.func)):
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value, None
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


@lru_cache(maxsize=STATEMENTS)
def importing(statement: ast.stmt) -> tuple[ast.AST, ...]:
    """Collect the imports in a statement, and the calls, which may import too."""
    return tuple(node for node in ast.walk(statement) if isinstance(node, (ast.Import, ast.ImportFrom, ast.Call)))


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
    """Tell whether a module is installed: not of the package of the module ``start``, nor in a folder of the user's."""
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


@lru_cache(maxsize=STATEMENTS)
def normal_form(statement: ast.stmt) -> str:
    """Print a statement as ``normal`` does, once."""
    return normal(statement)


def normal(node: object) -> str:
    """Print a syntax tree, the same in every Python, without positions, docstrings and descriptions of entries."""
    if isinstance(node, list):
        return f"[{','.join(map(normal, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = {name: value for name, value in ast.iter_fields(node) if name not in ("ctx", "kind", "type_comment")}
    if isinstance(node, ast.Call) and registers(node):
        fields["keywords"] = [keyword for keyword in node.keywords if keyword.arg not in DESCRIBING]
    printed = (f"{name}={normal(value)}" for name, value in sorted(fields.items()) if value is not None and value != [])
    return f"{type(node).__name__}({','.join(printed)})"
