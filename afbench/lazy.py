"""What a package offers, known before it is imported: public names (PEP 562), and modules that define a name.

``afbench --help`` must answer at once, but importing torch alone takes seconds.
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
