"""Entries and registries: names, aliases and tags of activations or tasks, and where each comes from."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeVar

from ..errors import UsageError, did_you_mean
from .settings import Setting, settings_of
from .spec import NAME, Spec

T = TypeVar("T", bound=Callable[..., Any])

RESERVED = ("all", "trainable", "fixed")
"""Words of ``--acts``, which no entry may take."""

PLACEMENT = ("channels", "channel_dim")
"""Arguments that the factory passes to an activation that declares them; not settings: the network knows them."""

WHERE = ("device", "dtype")
"""Likewise, as the layers of torch declare them; only without the type of a setting, which may have such a name."""


class RegistryError(UsageError):
    """A name is taken, or an entry cannot be read."""


@dataclass(frozen=True)
class Entry:
    """One registered activation or task, with the arguments of its decorator."""

    kind: str
    name: str
    target: Callable[..., Any] = field(repr=False)
    aliases: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    formula: str = ""
    paper: str = ""
    year: int | None = None
    version: int = 1
    exceptions: Mapping[str, str] = field(default_factory=dict)
    where: str = ""

    @cached_property
    def settings(self) -> Mapping[str, Setting]:
        """The entry's settings by name, read from its annotations."""
        return MappingProxyType(settings_of(self.target, skip=PLACEMENT))

    @cached_property
    def takes(self) -> frozenset[str]:
        """Which of ``channels``, ``channel_dim``, ``device`` and ``dtype`` the entry declares."""
        named = set(inspect.signature(self.target).parameters)
        return (frozenset(PLACEMENT) & named) | (frozenset(WHERE) & named - set(self.settings))

    @cached_property
    def required_channels(self) -> bool:
        """Whether the entry cannot be built without ``channels``."""
        argument = inspect.signature(self.target).parameters.get("channels")
        return argument is not None and argument.default is argument.empty

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return (inspect.getdoc(self.target) or "").partition("\n")[0]


class Registry:
    """Entries of one kind by name and alias.

    ``fill`` is called once, before the first look-up: it imports the modules whose decorators register entries.
    """

    def __init__(self, kind: str, fill: Callable[[Registry], None] = lambda registry: None) -> None:
        """Make an empty registry of a kind, ``"activation"`` or ``"task"``."""
        self.kind = kind
        self.entries: dict[str, Entry] = {}
        self.aliases: dict[str, Spec] = {}
        self.prepare: Callable[[Any, str], Any] = lambda target, name: target
        self.fill = fill
        self._populated = False

    def add(self, entry: Entry) -> None:
        """Add an entry.

        Raises:
            RegistryError: if its name or an alias is taken; the message names both places.
        """
        for name in (entry.name, *entry.aliases):
            if not NAME.match(name) or ":" in name or name in RESERVED:
                raise RegistryError(f"{name!r} ({entry.where}) is not a valid name (letters, digits and _)")
            owner = self.entries.get(name) or self.entries.get(self.aliases[name].name if name in self.aliases else "")
            if owner is not None:
                raise RegistryError(f"{self.kind} {name!r} of {entry.where} is already defined in {owner.where}")
        aliases = {a: Spec.parse(f"{entry.name}[{s}]" if s else entry.name) for a, s in entry.aliases.items()}
        if self.kind == "activation":
            _ = entry.settings  # an argument that no spec can give is refused here, not in the middle of a list
        self.entries[entry.name] = entry
        self.aliases |= aliases

    def forget(self, module: str) -> None:
        """Remove the entries of a module that is about to be loaded again."""
        gone = {name for name, entry in self.entries.items() if getattr(entry.target, "__module__", None) == module}
        self.entries = {name: entry for name, entry in self.entries.items() if name not in gone}
        self.aliases = {alias: spec for alias, spec in self.aliases.items() if spec.name not in gone}

    def populate(self) -> None:
        """Import what fills this registry, once."""
        if not self._populated:
            self._populated = True  # before the imports: their decorators may look names up
            try:
                self.fill(self)
            except BaseException:
                self._populated = False
                raise

    def __iter__(self) -> Iterator[Entry]:
        """Go through the entries in the order of their names."""
        self.populate()
        return iter([self.entries[name] for name in sorted(self.entries)])

    def names(self) -> list[str]:
        """All names and aliases, sorted."""
        self.populate()
        return sorted([*self.entries, *self.aliases])

    def find(self, name: str) -> tuple[Entry, Mapping[str, Any]]:
        """Look a name or alias up; returns the entry and the settings of the alias.

        Raises:
            UsageError: if there is none, with the nearest name.
        """
        self.populate()
        if name in self.entries:
            return self.entries[name], {}
        if name in self.aliases:
            spec = self.aliases[name]
            return self.entries[spec.name], spec.settings
        near = did_you_mean(name, self.names())
        plural = "activations" if self.kind == "activation" else "tasks"
        raise UsageError(f"unknown {self.kind} {name!r}{near} (python -m afbench list {plural})")

    def decorator(
        self,
        name: str,
        *,
        aliases: Sequence[str] | Mapping[str, str] = (),
        tags: Iterable[str] = (),
        **about: Any,
    ) -> Callable[[T], T]:
        """Return a class decorator that registers under a name; ``self.prepare`` may finish the class first."""
        if isinstance(aliases, str) or isinstance(tags, str):
            raise RegistryError(f"{self.kind} {name!r}: aliases and tags are sequences of words, not one text")

        def register(target: T) -> T:
            target = self.prepare(target, name)
            named = dict(aliases) if isinstance(aliases, Mapping) else dict.fromkeys(aliases, "")
            self.add(Entry(self.kind, name, target, named, tuple(tags), where=place_of(target), **about))
            return target

        return register


def place_of(target: Callable[..., Any]) -> str:
    """Return where a class or function is defined: ``path/to/file.py:12``, or its module's name."""
    try:
        path = inspect.getsourcefile(target)
        return f"{path}:{inspect.getsourcelines(target)[1]}"
    except (OSError, TypeError):
        module = sys.modules.get(target.__module__)
        return getattr(module, "__file__", None) or target.__module__
