"""``afbench list``: the registered activations, tasks and tags, with numbers of parameters."""

from __future__ import annotations

import argparse
import builtins
import json
import sys
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from ..errors import UsageError, did_you_mean
from . import options
from .folding import folded

if TYPE_CHECKING:
    from ..registry.entry import Entry
    from ..registry.per_place import Count

HELP = "list the registered activations, tasks or tags; all, or those that match"
EXAMPLES = (
    "afbench list activations",
    "afbench list activations '*ditac' tag:rational",
    "afbench list activations trainable --tag gated --json",
    "afbench list tasks --json",
    "afbench list tags",
)
GROUPS = ("trainable", "fixed")


def add(verb: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    verb.add_argument("kind", choices=["activations", "tasks", "tags"], help="what to list")
    verb.add_argument(
        "patterns",
        nargs="*",
        metavar="PATTERN",
        help="a name, a pattern such as '*ditac', tag:NAME, trainable, fixed, all, or a word of the description; "
        "separate several with spaces or commas; ,-NAME excludes",
    )
    verb.add_argument("--tag", help="only those with this tag (for activations also: trainable, fixed)")
    verb.add_argument("--json", action="store_true", help="print JSON")
    options.add_plugin(verb)


def call(arguments: argparse.Namespace) -> int:
    """Print a line per entry."""
    from ..registry.entries import ACTIVATIONS, TASKS

    options.load_plugins(arguments.plugin)
    if arguments.kind == "tags":
        return tags(arguments)
    own = arguments.kind == "activations"
    rows = [Row(entry) for entry in (ACTIVATIONS if own else TASKS)]
    if arguments.tag is not None:
        known = sorted({tag for row in rows for tag in row.tags})
        rows = [row for row in rows if arguments.tag in row.tags]
        if not rows:
            near = did_you_mean(arguments.tag, known) or f" (tags: {', '.join(known) or 'none'})"
            raise UsageError(f"no {arguments.kind} have the tag {arguments.tag!r}{near}")
    chosen = selected(rows, arguments.patterns, arguments.kind)
    if arguments.json:
        print(json.dumps([about(row) for row in chosen], indent=1))
        return 0
    wide = max(len(row.entry.name) for row in chosen)
    for row in chosen:
        notes = ", ".join([*filter(None, [parameters(row)]), *row.tags])
        text = f"{row.entry.name:{wide}}  {row.entry.formula or row.entry.summary}"
        line(text + (f"  ({notes})" if notes else ""), wide + 2)
    return 0


class Row:
    """An entry of the list, with the count of an activation's parameters where it can be built here."""

    def __init__(self, entry: Entry) -> None:
        """Count, and make the tags: ``trainable`` or ``fixed`` stands before an activation's own."""
        self.entry, self.tags, self.count = entry, entry.tags, counted(entry)
        if self.count:
            self.tags = ("trainable" if self.count.shown else "fixed", *entry.tags)


def counted(entry: Entry) -> Count | None:
    """Count an activation's parameters; None for a task, and for an activation that cannot be built."""
    if entry.kind != "activation" or any(setting.required for setting in entry.settings.values()):
        return None
    from ..registry.factory import Choice
    from ..registry.per_place import count

    try:
        return count(Choice(entry, {}))[0]
    except UsageError:
        return None


def parameters(row: Row) -> str:
    """Print the number of trainable parameters at a place: ``3 C parameters, 192 at C = 64``."""
    if not row.count or not row.count.shown:
        return ""
    shown = row.count.shown
    if row.count.constant:
        return f"{shown} parameter{'s' * (shown != 1)}"
    return (
        f"{row.count.formula} parameters, {shown} at C = 64" if row.count.formula else f"{shown} parameters at C = 64"
    )


def line(text: str, indent: int) -> None:
    """Print a line, folded on a terminal; a pipe gets one line an entry."""
    print(folded(text, indent) if sys.stdout.isatty() else text)


def tags(arguments: argparse.Namespace) -> int:
    """Print each tag with the names that have it."""
    from ..registry.entries import ACTIVATIONS, TASKS

    if arguments.patterns or arguments.tag is not None:
        raise UsageError("list tags takes no patterns; afbench list activations tag:NAME lists those with a tag")
    having: dict[str, dict[str, builtins.list[str]]] = {}
    for kind, registry in (("activations", ACTIVATIONS), ("tasks", TASKS)):
        for row in map(Row, registry):
            for tag in row.tags:
                having.setdefault(tag, {}).setdefault(kind, []).append(row.entry.name)
    if arguments.json:
        print(json.dumps([{"tag": tag, **having[tag]} for tag in sorted(having)], indent=1))
        return 0
    wide = max(map(len, having))
    for tag in sorted(having):
        text = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in having[tag].items())
        line(f"{tag:{wide}}  {text}", wide + 2)
    return 0


def selected(rows: builtins.list[Row], patterns: builtins.list[str], kind: str) -> builtins.list[Row]:
    """Keep the entries that any of the patterns matches, in the order of their names.

    Raises:
        UsageError: if a pattern matches nothing, or nothing is left.
    """
    from ..registry.spec import split

    parts = [part.strip() for pattern in patterns for part in split(pattern)]
    if not parts:
        if patterns:
            raise UsageError(f"no {kind} are selected by {','.join(patterns)!r}")
        return rows
    named = {row.entry.name for row in rows} if parts[0].startswith("-") else set()
    for part in parts:
        left_out = part.startswith("-")
        matching = {row.entry.name for row in matched(rows, part.removeprefix("-"), kind)}
        named = named - matching if left_out else named | matching
    chosen = [row for row in rows if row.entry.name in named]
    if not chosen:
        raise UsageError(f"no {kind} are selected by {','.join(patterns)!r}")
    return chosen


def matched(rows: builtins.list[Row], part: str, kind: str) -> builtins.list[Row]:
    """Return the matches of a pattern: a name or alias, a pattern of them, a tag, a group, or a word anywhere."""
    if "[" in part:
        raise UsageError(f"list takes names and patterns, not settings; afbench show {part!r} shows a spec")
    word = part.removeprefix("tag:")
    if part == "all":
        return rows
    if part.startswith("tag:") or part in GROUPS:
        matches = [row for row in rows if word in row.tags]
    else:
        matches = [row for row in rows if any(fnmatchcase(name, part) for name in names(row))]
        matches = matches or [row for row in rows if word.casefold() in description(row)]
    if matches:
        return matches
    known = {tag for row in rows for tag in row.tags}
    if part == word:
        known |= {name for row in rows for name in names(row)}
    near = did_you_mean(word.strip("*?"), known)
    what = f"have the tag {word!r}" if part != word else f"match {part!r}"
    raise UsageError(f"no {kind} {what}{near or f' (afbench list {kind}; afbench list tags)'}")


def names(row: Row) -> tuple[str, ...]:
    """Return an entry's name and its aliases."""
    return (row.entry.name, *row.entry.aliases)


def description(row: Row) -> str:
    """Return the text that is searched for a word."""
    entry = row.entry
    words = [*names(row), *row.tags, entry.formula, entry.paper, str(entry.year or ""), entry.summary]
    return " ".join(words).casefold()


def about(row: Row) -> dict[str, Any]:
    """Describe an entry for JSON."""
    from ..tasks.settings import task_settings

    entry, own = row.entry, row.entry.kind == "activation"
    target: Any = entry.target
    settings = entry.settings if own else task_settings(target)
    places = {"formula": row.count.formula, "at_64": row.count.shown} if row.count else None
    return {
        "name": entry.name,
        "aliases": [*entry.aliases],
        "tags": [*row.tags],
        "formula": entry.formula,
        "paper": entry.paper,
        "year": entry.year,
        "summary": entry.summary,
        **({"parameters": places} if own else {}),
        "settings": {name: setting.default for name, setting in settings.items()},
        "exceptions": dict(entry.exceptions),
    }
