"""Public names of a package that are imported when they are first asked for (PEP 562).

``afbench --help`` must answer at once, but importing torch alone takes seconds.
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
        names: the public names of each of its submodules.

    Submodules are also imported on request. ``dir()`` shows the public names and dunders.

    >>> getattr_, dir_ = public("afbench", {"registry.spec": ["Spec"]})
    >>> getattr_("Spec").__module__
    'afbench.registry.spec'
    """
    module_of = {name: module for module, public_names in names.items() for name in public_names}

    def getattr_(name: str) -> Any:
        if name in module_of:
            value = getattr(importlib.import_module(f"{package}.{module_of[name]}"), name)
            vars(sys.modules[package])[name] = value
            return value
        if not name.startswith("_"):
            module = f"{package}.{name}"
            try:
                return importlib.import_module(module)
            except ModuleNotFoundError as error:
                if error.name != module:  # the module exists, but something that it imports does not
                    raise
        raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package])

    def dir_() -> list[str]:
        namespace = vars(sys.modules[package])
        return sorted({*namespace["__all__"], *(name for name in namespace if name.startswith("__"))})

    return getattr_, dir_
