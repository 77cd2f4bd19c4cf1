"""Find the activations in a published state dict: at the places of a network's, or by the names of their tensors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from torch import Tensor, nn

from ..errors import UsageError
from ..registry.entries import ACTIVATIONS
from ..registry.factory import Choice, choose
from ..registry.spec import Spec
from ..streams import forked
from .published import SOURCES, Source, Tensors

CHARACTERISTIC = frozenset("p1 p2 numerator denominator weight_numerator weight_denominator thetas".split())
"""Names that only activations have: an incomplete activation with one of them is an error. ``weight`` is none."""
ENTRIES = sorted({source.entry for source in SOURCES})
"""afbench's activations with a published implementation."""


class Match(NamedTuple):
    """An activation in a state dict, and afbench's module for it."""

    prefix: str
    source: Source
    module: nn.Module
    spec: str


def in_network(network: nn.Module, state: Tensors, sources: list[Source]) -> list[Match]:
    """Match the activations of a network; those whose tensors have afbench's names and shapes already are skipped."""
    modules = {p: m for p, m in network.named_modules(remove_duplicate=False) if entry_of(m)}
    matches, converted = [], 0
    for prefix, module in modules.items():
        tensors, entry = within(state, prefix), entry_of(module)
        shapes = {name: value.shape for name, value in module.state_dict().items()}
        if tensors and shapes == {name: getattr(value, "shape", None) for name, value in tensors.items()}:
            converted += 1
        elif tensors:
            with located(prefix):
                source = _recognised(tensors, sources, entry)
            matches.append(Match(prefix, source, module, f"{entry}[{module.extra_repr()}]"))
    if not matches and not converted:
        published = _listed(_placed(prefix, source.entry) for prefix, source in _search(state, sources))
        own = _listed(_placed(prefix, entry_of(module)) for prefix, module in modules.items())
        raise UsageError(
            f"nothing to convert: the state dict has {published}, the network has {own}; their names must agree"
        )
    return matches


def by_names(target: str | Spec, state: Tensors, sources: list[Source]) -> list[Match]:
    """Search a state dict for one kind of activation, and build a module for each."""
    choice = choose(target)
    entry = choice.entry.name
    if entry not in ENTRIES:
        raise UsageError(f"afbench knows no published implementation of {entry}, only of {', '.join(ENTRIES)}")
    activations = list(_search(state, sources, entry))
    matches = []
    for prefix, source in activations:
        if source.entry == entry:
            with located(prefix):
                tensors = within(state, prefix)
                _recognised(tensors, sources, entry)
                module, spec = _build(choice, target, source, tensors)
            matches.append(Match(prefix, source, module, spec))
    if not matches:
        published = _listed(_placed(prefix, source.entry) for prefix, source in activations)
        raise UsageError(f"no {entry} is in this state dict; it has {published}")
    return matches


def _search(state: Tensors, sources: list[Source], entry: str = "") -> Iterator[tuple[str, Source]]:
    """Find activations by the names of their tensors.

    Raises:
        UsageError: if only some tensors of a source of ``entry`` are present, with a characteristic name among them.
    """
    names = {name for source in sources for name in source.keys}
    parts = (key.rpartition(f".{name}") for key in state for name in names if f".{key}".endswith(f".{name}"))
    for prefix in dict.fromkeys(before for before, _, _ in parts):
        tensors = within(state, prefix)
        fitting = [s for s in sources if s.keys <= tensors.keys() and _certain(s, tensors, prefix, sources)]
        if fitting:
            yield prefix, max(fitting, key=lambda source: len(source.keys))
            continue
        for source in sources:
            present = source.keys & tensors.keys()
            if source.entry == entry and CHARACTERISTIC & present:
                with located(prefix):
                    raise UsageError(f"{_listed(present)} without {_listed(source.keys - present)}")


def _certain(source: Source, tensors: Tensors, prefix: str, sources: list[Source]) -> bool:
    """Tell whether the tensors are surely an activation's: ``weight`` is PReLU's only if alone, or chosen by source."""
    if source.keys & CHARACTERISTIC:
        return True
    return set(tensors) == source.keys and tensors["weight"].dim() == 1 and (not prefix or len(sources) == 1)


def _recognised(tensors: Tensors, sources: list[Source], entry: str) -> Source:
    """Choose the source of the tensors of one activation.

    Raises:
        UsageError: if tensors are missing, or not the source's.
    """
    of_entry = [source for source in sources if source.entry == entry]
    fitting = [source for source in of_entry if source.keys <= tensors.keys()]
    if not fitting:
        expected = " or ".join(_listed(source.keys) for source in of_entry)
        raise UsageError(f"{entry} needs the tensors {expected}, but the state dict has {_listed(tensors)}")
    best = max(fitting, key=lambda source: len(source.keys))
    unknown = [name for name in tensors if name not in best.keys | best.optional]
    if unknown:
        raise UsageError(f"{_listed(unknown)} is no tensor of {entry} in {best.where}")
    return best


def _build(choice: Choice, target: str | Spec, source: Source, tensors: Tensors) -> tuple[nn.Module, str]:
    """Build the activation for some tensors, with the settings of the spec."""
    read = source.settings(tensors, choice.resolved)
    channels = read.pop("channels", None)
    stated = (Spec.parse(target) if isinstance(target, str) else target).settings
    full = choose(Spec(choice.entry.name, {**read, **choice.settings, **stated}))
    with forked(0, "convert"):  # the start is overwritten; the fork keeps the global generator as it is
        return full.build(channels), full.spec  # type: ignore[arg-type]


def entry_of(module: nn.Module) -> str:
    """Name the entry of a module if it has a published implementation; else return an empty string."""
    return next((e.name for e in ACTIVATIONS if e.name in ENTRIES and isinstance(module, e.target)), "")  # type: ignore[arg-type]


def within(state: Tensors, prefix: str) -> dict[str, Tensor]:
    """Return the part of a state dict below a prefix, with the prefix removed from its names.

    >>> within({"act.p1": 1, "fc.weight": 2}, "act")
    {'p1': 1}
    """
    start = f"{prefix}." if prefix else ""
    return {key[len(start) :]: value for key, value in state.items() if key.startswith(start)}


def join(prefix: str, name: str) -> str:
    """Put a prefix before a name."""
    return f"{prefix}.{name}" if prefix else name


def _placed(prefix: str, entry: str) -> str:
    return f"{prefix or '(root)'} ({entry})"


def _listed(words: Iterable[str]) -> str:
    words = sorted(words)
    return ", ".join(words[:4]) + (f" and {len(words) - 4} more" if len(words) > 4 else "") if words else "none"


@contextmanager
def located(prefix: str) -> Iterator[None]:
    """Add the place of the activation to an error."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{prefix or 'the state dict'}: {error}") from None
