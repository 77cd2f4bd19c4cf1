"""What a package offers, known before it is imported: public names (PEP 562), and modules that define a name.

``afbench --help`` must answer at once, and torch alone takes seconds to import.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
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


def defining(package: str, name: str) -> list[str]:
    """List the modules of a package that define a name at their top level; none is imported.

    So a new engine or kind of plot is one file, and ``--help`` names it.

    Args:
        package: its path below afbench, such as ``report.plots``.
        name: what the modules define; ``{}`` stands for a module's own name.

    >>> defining("engines", "{}")
    ['inline', 'process']
    """
    folder = Path(__file__).parent.joinpath(*package.split("."))
    modules = [module.name for module in pkgutil.iter_modules([str(folder)]) if not module.ispkg]
    sources = {module: (folder / f"{module}.py").read_text(encoding="utf-8") for module in modules}
    return [m for m, source in sources.items() if re.search(rf"^(def )?{name.format(m)}\b", source, re.MULTILINE)]
