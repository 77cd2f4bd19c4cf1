"""Public names of a package that are imported when they are first asked for (PEP 562).

``afbench --help`` must answer at once, and torch alone takes seconds to import.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any


def public(package: str, names: Mapping[str, Iterable[str]]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and ``__dir__`` of a package.

    Args:
        package: its ``__name__``.
        names: the public names that each of its submodules holds.

    Submodules are imported on request as well; ``dir()`` shows what is public, and dunders.

    >>> getattr_, dir_ = public("afbench", {"registry.spec": ["Spec"]})
    >>> getattr_("Spec").__module__
    'afbench.registry.spec'
    """
    home = {name: module for module, held in names.items() for name in held}

    def getattr_(name: str) -> Any:
        if name in home:
            found = getattr(importlib.import_module(f"{package}.{home[name]}"), name)
            vars(sys.modules[package])[name] = found
            return found
        if not name.startswith("_"):
            module = f"{package}.{name}"
            try:
                return importlib.import_module(module)
            except ModuleNotFoundError as error:
                if error.name != module:  # it is there, and something that it needs is not
                    raise
        raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package])

    def dir_() -> list[str]:
        held = vars(sys.modules[package])
        return sorted({*held["__all__"], *(name for name in held if name.startswith("__"))})

    return getattr_, dir_
