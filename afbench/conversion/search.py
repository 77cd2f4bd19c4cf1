"""Find the activations in a published state dict: where a network has ours, or by the names of their tensors."""

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

TELLING = frozenset("p1 p2 numerator denominator weight_numerator weight_denominator thetas".split())
"""Names that say an activation was meant, should others be missing beside them; ``weight`` or ``beta`` do not."""


class Found(NamedTuple):
    """An activation in a state dict, and ours that shall load it."""

    prefix: str
    source: Source
    module: nn.Module
    spec: str


def in_network(network: nn.Module, state: Tensors, sources: list[Source]) -> list[Found]:
    """Look where a network has its activations; one whose tensors are ours already is left as it is."""
    places = {p: m for p, m in network.named_modules(remove_duplicate=False) if entry_of(m)}
    found, ready = [], 0
    for prefix, module in places.items():
        here, entry = within(state, prefix), entry_of(module)
        ours = {name: value.shape for name, value in module.state_dict().items()}
        if here and ours == {name: getattr(value, "shape", None) for name, value in here.items()}:
            ready += 1
        elif here:
            with located(prefix):
                one = _recognised(here, sources, entry)
            found.append(Found(prefix, one, module, repr_of(module, entry)))
    if not found and not ready:
        theirs = _listed(f"{prefix or '(root)'} ({one.entry})" for prefix, one in _search(state, sources))
        ours_at = _listed(f"{prefix or '(root)'} ({entry_of(module)})" for prefix, module in places.items())
        raise UsageError(f"nothing to convert: the state dict has {theirs}, the network {ours_at}; names must agree")
    return found


def by_names(target: str | Spec, state: Tensors, sources: list[Source]) -> list[Found]:
    """Search a state dict for one kind of activation, and build each."""
    choice = choose(target)
    entry = choice.entry.name
    if entry not in {one.entry for one in SOURCES}:
        names = ", ".join(sorted({one.entry for one in SOURCES}))
        raise UsageError(f"no published implementation of {entry} is known here; there are some of {names}")
    everything = list(_search(state, sources, entry))
    found = []
    for prefix, one in everything:
        if one.entry == entry:
            with located(prefix):
                here = within(state, prefix)
                _recognised(here, sources, entry)
                built, spec = _build(choice, target, one, here)
            found.append(Found(prefix, one, built, spec))
    if not found:
        theirs = _listed(f"{prefix or '(root)'} ({one.entry})" for prefix, one in everything)
        raise UsageError(f"no {entry} is in this state dict; it has {theirs}")
    return found


def _search(state: Tensors, sources: list[Source], entry: str = "") -> Iterator[tuple[str, Source]]:
    """Find activations by the names of their tensors.

    Raises:
        UsageError: if telling names stand without their others, of a source of ``entry``.
    """
    known = {name for one in sources for name in one.keys}
    parts = (key.rpartition(f".{name}") for key in state for name in known if f".{key}".endswith(f".{name}"))
    for prefix in dict.fromkeys(before for before, _, _ in parts):
        here = within(state, prefix)
        fitting = [one for one in sources if one.keys <= here.keys() and _meant(one, here, prefix, sources)]
        if fitting:
            yield prefix, max(fitting, key=lambda one: len(one.keys))
            continue
        for one in sources:
            if one.entry == entry and TELLING & one.keys & here.keys():
                with located(prefix):
                    raise UsageError(f"{_listed(one.keys & here.keys())} without {_listed(one.keys - here.keys())}")


def _meant(source: Source, here: Tensors, prefix: str, sources: list[Source]) -> bool:
    """Tell whether the tensor ``weight`` can only be PReLU's: alone, or so said."""
    if source.keys & TELLING:
        return True
    return set(here) == source.keys and here["weight"].dim() == 1 and (not prefix or len(sources) == 1)


def _recognised(here: Tensors, sources: list[Source], entry: str) -> Source:
    """Choose the source of the tensors of one activation.

    Raises:
        UsageError: if they are not a source's, all of them.
    """
    of_entry = [one for one in sources if one.entry == entry]
    fitting = [one for one in of_entry if one.keys <= here.keys()]
    if not fitting:
        wanted = " or ".join(_listed(one.keys) for one in of_entry)
        raise UsageError(f"{entry} needs the tensors {wanted}; here are {_listed(here)}")
    best = max(fitting, key=lambda one: len(one.keys))
    strange = [name for name in here if name not in best.keys | best.optional]
    if strange:
        raise UsageError(f"{_listed(strange)} is no tensor of {entry} in {best.where}")
    return best


def _build(choice: Choice, target: str | Spec, source: Source, here: Tensors) -> tuple[nn.Module, str]:
    """Build the activation that tensors call for, with the settings that the spec gives."""
    told = source.settings(here, choice.resolved)
    channels = told.pop("channels", None)
    given = (Spec.parse(target) if isinstance(target, str) else target).settings
    full = choose(Spec(choice.entry.name, {**told, **choice.settings, **given}))
    with forked(0, "convert"):  # its draws are overwritten, and shift nobody else's
        return full.build(channels), full.spec  # type: ignore[arg-type]


def entry_of(module: nn.Module) -> str:
    """Name the entry that a module is of, if there are published implementations of it; or nothing."""
    names = {one.entry for one in SOURCES}
    return next((e.name for e in ACTIVATIONS if e.name in names and isinstance(module, e.target)), "")  # type: ignore[arg-type]


def repr_of(module: nn.Module, entry: str) -> str:
    """Say what a module is, as it shows itself."""
    return f"{entry}[{module.extra_repr()}]"


def within(state: Tensors, prefix: str) -> dict[str, Tensor]:
    """Take the part of a state dict below a prefix, its names without it.

    >>> within({"act.p1": 1, "fc.weight": 2}, "act")
    {'p1': 1}
    """
    start = f"{prefix}." if prefix else ""
    return {key[len(start) :]: value for key, value in state.items() if key.startswith(start)}


def join(prefix: str, name: str) -> str:
    """Put a prefix before a name."""
    return f"{prefix}.{name}" if prefix else name


def _listed(words: Iterable[str]) -> str:
    words = sorted(words)
    return ", ".join(words[:4]) + (f" and {len(words) - 4} more" if len(words) > 4 else "") if words else "none"


@contextmanager
def located(prefix: str) -> Iterator[None]:
    """Say in an error where the activation is."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{prefix or 'the state dict'}: {error}") from None
