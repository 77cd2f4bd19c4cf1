"""The activations that ``--acts`` of ``run`` and ``cost`` selects from the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from fnmatch import fnmatchcase

from ..errors import UsageError
from .entries import ACTIVATIONS
from .factory import Choice, choose, is_trainable
from .spec import split

SHOWN = 10
"""Most wrong activations that an error names."""

Guard = Callable[[], AbstractContextManager[None]]


def select(patterns: str | Iterable[str], guard: Guard = nullcontext) -> list[Choice]:
    """Choose activations: ``all``, ``trainable``, ``fixed``, ``tag:NAME``, globs, specs; ``-`` before one excludes.

    Args:
        patterns: the parts, or a text with commas between them.
        guard: surrounds the building of activations, which tells whether they are trainable: it may undo what the
            constructors of others change in this process.

    Returns:
        Each activation once, in the order named; groups in the order of their names.

    Raises:
        UsageError: if a part matches nothing, or nothing is left.
    """
    parts = split(patterns) if isinstance(patterns, str) else list(patterns)
    chosen: dict[str, Choice] = {}
    wrong: list[str] = []
    for position, part in enumerate(p.strip() for p in parts):
        try:
            matching = choices_of(part[1:].strip() if part.startswith("-") else part, guard)
        except UsageError as error:
            wrong.append(str(error))
            continue
        if part.startswith("-"):
            if position == 0:
                chosen = {choice.spec: choice for choice in choices_of("all", guard)}
            names = {choice.entry.name for choice in matching if not choice.settings}
            specs = {choice.spec for choice in matching}
            chosen = {s: c for s, c in chosen.items() if s not in specs and c.entry.name not in names}
        else:
            chosen |= {choice.spec: choice for choice in matching if choice.spec not in chosen}
    refuse(wrong)
    if not chosen:
        given = patterns if isinstance(patterns, str) else ",".join(patterns)
        raise UsageError(f"no activation is selected by {given!r} (python -m afbench list activations)")
    return list(chosen.values())


def choices_of(part: str, guard: Guard) -> list[Choice]:
    """List what one part of a selection matches."""
    everything = [Choice(entry, {}) for entry in ACTIVATIONS if not any(s.required for s in entry.settings.values())]
    if part == "all":
        return everything
    if part in ("trainable", "fixed"):
        with guard():
            return [choice for choice in everything if is_trainable(choice) == (part == "trainable")]
    if part.startswith("tag:"):
        tagged = [choice for choice in everything if part[4:] in choice.entry.tags]
        tags = sorted({tag for entry in ACTIVATIONS for tag in entry.tags})
        if not tagged:
            raise UsageError(f"no activation has the tag {part[4:]!r} (tags: {', '.join(tags)})")
        return tagged
    if "[" not in part and any(sign in part for sign in "*?"):
        matching = [choice for choice in everything if fnmatchcase(choice.entry.name, part)]
        if not matching:
            raise UsageError(f"no activation matches {part!r} (python -m afbench list activations)")
        return matching
    return [choose(part)]


def refuse(wrong: Sequence[str]) -> None:
    """Raise ``UsageError`` if anything is wrong, with one message for all."""
    if wrong:
        more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise UsageError("; ".join(wrong[:SHOWN]) + more)
