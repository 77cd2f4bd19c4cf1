"""``afbench list``: what is registered."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ..errors import UsageError
from ..factory import Choice, is_trainable
from ..registry import ACTIVATIONS, TASKS, Entry
from . import options

HELP = "list the registered activations or tasks"
EXAMPLES = ("afbench list activations --tag rational", "afbench list tasks --json")


def add(verb: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    verb.add_argument("kind", choices=["activations", "tasks"], help="which registry")
    verb.add_argument("--tag", help="only those with this tag (for activations also: trainable, fixed)")
    verb.add_argument("--json", action="store_true", help="print JSON")
    options.add_plugin(verb)


def call(arguments: argparse.Namespace) -> int:
    """Print a line per entry."""
    options.load_plugins(arguments.plugin)
    if arguments.kind == "activations":
        rows = [(entry, tags_of(entry)) for entry in ACTIVATIONS]
    else:
        rows = [(entry, entry.tags) for entry in TASKS]
    known = sorted({tag for _, tags in rows for tag in tags})
    if arguments.tag is not None:
        rows = [(entry, tags) for entry, tags in rows if arguments.tag in tags]
        if not rows:
            raise UsageError(f"no {arguments.kind} have the tag {arguments.tag!r} (tags: {', '.join(known) or 'none'})")
    if arguments.json:
        print(json.dumps([about(entry, tags) for entry, tags in rows], indent=1))
        return 0
    width = max(len(entry.name) for entry, _ in rows)
    for entry, tags in rows:
        text = entry.formula or entry.summary
        print(f"{entry.name:{width}}  {text}" + (f"  ({', '.join(tags)})" if tags else ""))
    return 0


def tags_of(entry: Entry) -> tuple[str, ...]:
    """Return an activation's tags, and whether it is trainable."""
    required = any(setting.required for setting in entry.settings.values())
    try:
        group = () if required else ("trainable" if is_trainable(Choice(entry, {})) else "fixed",)
    except UsageError:
        group = ()  # it cannot be built here; a list names it all the same
    return (*group, *entry.tags)


def about(entry: Entry, tags: tuple[str, ...]) -> dict[str, Any]:
    """Say what a machine may want to know of an entry."""
    return {
        "name": entry.name,
        "aliases": [*entry.aliases],
        "tags": [*tags],
        "formula": entry.formula,
        "paper": entry.paper,
        "year": entry.year,
        "summary": entry.summary,
        "settings": {name: setting.default for name, setting in entry.settings.items()}
        if entry.kind == "activation"
        else {},
        "exceptions": dict(entry.exceptions),
    }
