"""``afbench show``: one activation or task, in full."""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from collections.abc import Mapping
from typing import Any

from .. import kernels
from ..discovery import problems
from ..errors import UsageError, did_you_mean
from ..factory import Choice, check, probe
from ..kernels import library
from ..metric import written
from ..parameters import count_parameters
from ..registry import ACTIVATIONS, TASKS, Entry
from ..settings import Setting, Value
from ..spec import Spec
from ..spec import show as shown
from ..tasks.base import settings_of
from . import options

HELP = "show an activation or a task: formula, settings with types and defaults, source, parameter count"
EXAMPLES = ("afbench show ditac", "afbench show 'ditac[cells=20]' --json", "afbench show gmm")
CHANNELS = (1, 64)


def add(verb: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    verb.add_argument("name", help="an activation's spec or a task's name")
    verb.add_argument("--json", action="store_true", help="print JSON")
    options.add_plugin(verb)


def call(arguments: argparse.Namespace) -> int:
    """Print what is known."""
    options.load_plugins(arguments.plugin)
    name = arguments.name
    held = activation(check(name)) if not is_task(name) else task(TASKS.find(name)[0])
    if arguments.json:
        print(json.dumps(held, indent=1))
        return 0
    width = max(len(key) for key in held)
    for key, value in held.items():
        if key in ("settings", "about") or not value:
            continue
        print(f"{key:{width}}  {value if isinstance(value, str) else line(value)}")
    settings = held["settings"]
    if settings:
        print("settings")
        wide = max(len(key) for key in settings)
        for key, one in settings.items():
            start = shown(one["value"]) if one["value"] is not None or not one["required"] else "required"
            print(f"  {key:{wide}} = {start:10} {one['type']}")
    print()
    print(held["about"])
    return 0


def is_task(name: str) -> bool:
    """Tell whether a name is a task's; a name that is nobody's gets the nearest of both registries.

    Raises:
        UsageError: if neither registry has it.
    """
    if "[" in name or ":" in name or name in ACTIVATIONS.names():
        return False
    if name in TASKS.names():
        return True
    known = [*ACTIVATIONS.names(), *TASKS.names()]
    more = f"; {len(problems)} entry points failed to load" if problems else ""
    raise UsageError(
        f"unknown activation or task {name!r}{did_you_mean(name, known)} (python -m afbench list activations){more}"
    )


def activation(choice: Choice) -> dict[str, Any]:
    """Describe an activation with its settings."""
    entry = choice.entry
    counts = {}
    for channels in CHANNELS:
        counts[channels] = count_parameters(probe(choice, channels)).activation
    alike = len(set(counts.values())) == 1
    return {
        "spec": choice.spec,
        **facts(entry),
        "kernels": kernels_of(entry),
        "parameters": str(counts[1]) if alike else ", ".join(f"{n} for {c} channels" for c, n in counts.items()),
        "settings": table(entry.settings, choice.resolved),
        "about": inspect.getdoc(entry.target) or "",
    }


def kernels_of(entry: Entry) -> str:
    """Say which path computes it here, if it has a compiled one: what its module takes from ``afbench.kernels``."""
    names = vars(sys.modules[entry.target.__module__]).values()
    modules = [value.__name__ for value in names if inspect.ismodule(value)]
    return library.path() if any(name.startswith(kernels.__name__) for name in modules) else ""


def task(entry: Entry) -> dict[str, Any]:
    """Describe a task."""
    target: Any = entry.target
    settings = settings_of(target)
    return {
        "task": entry.name,
        **facts(entry),
        "metric": f"{written(target.metric)} ({target.unit}), "
        f"{'higher' if target.higher_is_better else 'lower'} is better",
        "settings": table(settings, {name: setting.default for name, setting in settings.items()}),
        "about": inspect.getdoc(entry.target) or "",
    }


def facts(entry: Entry) -> dict[str, Any]:
    """Return what any entry says of itself."""
    stands_for = [shown_alias(entry, alias) for alias in entry.aliases]
    return {
        "formula": entry.formula,
        "paper": f"{entry.paper} ({entry.year})" if entry.paper and entry.year else entry.paper,
        "aliases": stands_for,
        "tags": [*entry.tags],
        "exceptions": [f"{name}: {why}" for name, why in entry.exceptions.items()],
        "version": str(entry.version),
        "file": entry.where,
    }


def shown_alias(entry: Entry, alias: str) -> str:
    """Say an alias, and what it sets."""
    settings = entry.aliases[alias]
    return f"{alias} = {Spec.parse(f'{entry.name}[{settings}]')}" if settings else alias


def table(settings: Mapping[str, Setting], values: Mapping[str, Value]) -> dict[str, dict[str, Any]]:
    """Return each setting's type in words, its default and its value here."""
    return {
        name: {
            "type": s.describe(),
            "default": s.default,
            "value": values.get(name, s.default),
            "required": s.required,
        }
        for name, s in settings.items()
    }


def line(values: Any) -> str:
    """Print a list in a line."""
    return ", ".join(map(str, values))
