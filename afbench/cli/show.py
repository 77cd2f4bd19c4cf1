"""``afbench show``: one activation or task, in full."""

from __future__ import annotations

import argparse
import inspect
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError, did_you_mean
from . import options
from .folding import folded, refilled

if TYPE_CHECKING:
    from ..registry.entry import Entry
    from ..registry.factory import Choice
    from ..registry.settings import Setting, Value

HELP = "show an activation or a task: formula, settings with types and defaults, source, parameter count"
EXAMPLES = ("afbench show ditac", "afbench show 'ditac[cells=20]' --json", "afbench show gmm")


def add(verb: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    verb.add_argument("name", help="an activation's spec or a task's name")
    verb.add_argument("--json", action="store_true", help="print JSON")
    options.add_plugin(verb)


def call(arguments: argparse.Namespace) -> int:
    """Print the description, folded to the width of the terminal."""
    from ..registry.entries import TASKS
    from ..registry.factory import check

    options.load_plugins(arguments.plugin)
    name = arguments.name
    about = activation(check(name)) if not is_task(name) else task(TASKS.find(name)[0])
    if arguments.json:
        print(json.dumps(about, indent=1))
        return 0
    print_facts({key: value for key, value in about.items() if key not in ("settings", "about")})
    print_settings(about["settings"])
    print()
    print(refilled(about["about"]))
    return 0


def print_facts(facts: Mapping[str, Any]) -> None:
    """Print one line a fact, or one line for each part of a fact."""
    wide = max(len(key) for key in facts)
    for key, value in facts.items():
        parts = [value] if isinstance(value, str) else [*value]
        if key == "tags":
            parts = [", ".join(parts)]
        for number, part in enumerate(filter(None, parts)):
            text = f"{key if number == 0 else '':{wide}}  {part}"
            print(text if key == "file" else folded(text, wide + 2))  # a path stays in one piece


def print_settings(settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Print one line a setting: its value, its type, and its default if that differs."""
    from ..registry.spec import show as shown

    if not settings:
        return
    print("settings")
    wide = max(map(len, settings))
    values = {
        key: "required" if s["required"] and s["value"] is None else shown(s["value"]) for key, s in settings.items()
    }
    column = min(12, max(map(len, values.values())))
    for key, s in settings.items():
        default = "" if s["required"] or s["value"] == s["default"] else f" (default {shown(s['default'])})"
        text = f"  {key:{wide}} = {values[key]:{column}}  {s['type']}{default}"
        print(folded(text, wide + column + 7))


def is_task(name: str) -> bool:
    """Tell whether a name is a task's; the error for an unknown name suggests the nearest of both registries.

    Raises:
        UsageError: if neither registry has it, or a task is given settings.
    """
    from ..registry import discovery
    from ..registry.entries import ACTIVATIONS, TASKS

    head, bracket, _ = name.partition("[")
    if bracket and head in TASKS.names() and head not in ACTIVATIONS.names():
        raise UsageError(f"{head} is a task: give show only its name; give settings to run with --set KEY=VALUE")
    if bracket or ":" in name or name in ACTIVATIONS.names():
        return False
    if name in TASKS.names():
        return True
    known = [*ACTIVATIONS.names(), *TASKS.names()]
    more = f"; {len(discovery.problems)} entry points failed to load" if discovery.problems else ""
    raise UsageError(
        f"unknown activation or task {name!r}{did_you_mean(name, known)} (python -m afbench list activations){more}"
    )


def activation(choice: Choice) -> dict[str, Any]:
    """Describe an activation with its settings."""
    from ..registry.per_place import count

    entry = choice.entry
    total, named = count(choice)
    parts = ", ".join(f"{name} {part.formula or part.shown}" for name, part in named.items()) if len(named) > 1 else ""
    return {
        "spec": choice.spec,
        **facts(entry),
        "kernels": kernels_of(entry),
        "parameters": f"{total} per place" + (f" ({parts})" if parts else "") if named else "none",
        "settings": table(entry.settings, choice.resolved),
        "about": inspect.getdoc(entry.target) or "",
    }


def kernels_of(entry: Entry) -> str:
    """Name the path that computes it here, if its module uses ``afbench.kernels``; else return an empty text."""
    from .. import kernels
    from ..kernels import library

    classes = getattr(entry.target, "__mro__", (entry.target,))
    used = [v for base in classes for v in vars(sys.modules[base.__module__]).values() if inspect.ismodule(v)]
    if not any(module.__name__.startswith(kernels.__name__) for module in used):
        return ""
    path = library.path()
    return path if path == "plain" else f"{path} for float32 and bfloat16 on the CPU, else plain"


def task(entry: Entry) -> dict[str, Any]:
    """Describe a task."""
    from ..registry.spec import show as shown
    from ..statistics.metric import written
    from ..tasks.settings import task_settings

    target: Any = entry.target
    settings = task_settings(target)
    budgets = [
        f"{name}: {', '.join(f'{key}={shown(value)}' for key, value in changes.items()) or 'as the default'}"
        for name, changes in target.budgets.items()
    ]
    return {
        "task": entry.name,
        **facts(entry),
        "metric": f"{written(target.metric)} ({target.unit}), "
        f"{'higher' if target.higher_is_better else 'lower'} is better",
        "target": "" if target.target is None else f"{target.target:g} {target.unit}",
        "budgets": budgets,
        "plots": ", ".join(target.plots),
        "settings": table(settings, {name: setting.default for name, setting in settings.items()}),
        "about": inspect.getdoc(entry.target) or "",
    }


def facts(entry: Entry) -> dict[str, Any]:
    """Return the facts that every entry has."""
    from ..registry.spec import Spec

    aliases = {name: Spec.parse(f"{entry.name}[{settings}]") for name, settings in entry.aliases.items() if settings}
    return {
        "formula": entry.formula,
        "paper": f"{entry.paper} ({entry.year})" if entry.paper and entry.year else entry.paper,
        "aliases": [f"{name} = {aliases[name]}" if name in aliases else name for name in entry.aliases],
        "tags": [*entry.tags],
        "exceptions": [f"{name}: {why}" for name, why in entry.exceptions.items()],
        "version": str(entry.version),
        "file": entry.where.removeprefix(f"{Path.cwd()}{os.sep}"),
    }


def table(settings: Mapping[str, Setting], values: Mapping[str, Value]) -> dict[str, dict[str, Any]]:
    """Return each setting's type in words, its default and its value."""
    return {
        name: {
            "type": s.describe(),
            "default": s.default,
            "value": values.get(name, s.default),
            "required": s.required,
        }
        for name, s in settings.items()
    }
