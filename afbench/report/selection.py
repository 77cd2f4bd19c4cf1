"""Which activations of results are meant, and what they are called: ``--acts``, ``--baseline``, ``--names``.

Nothing of a user's is imported: what the results hold answers first, then afbench's own entries, which need torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..errors import UsageError, did_you_mean
from ..records.members import is_older, spec_of
from ..registry.spec import BASELINE, Spec, split

GROUPS = ("all", "trainable", "fixed")

Learns = Mapping[str, bool | None]
"""The activations that results hold: whether each has trainable parameters, None if no record says so."""


@dataclass(frozen=True)
class Selection:
    """What ``--acts`` selects.

    Attributes:
        specs: the selected activations, in the order given.
        explicit: those of them that were named one by one.
        excluded: what an exclusion left out and no later part brought back.
    """

    specs: tuple[str, ...]
    explicit: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()

    def shows(self, activation: str, baseline: str) -> bool:
        """Tell whether an activation is shown: if it is selected, or is the baseline and not excluded."""
        return activation in self.specs or (activation == baseline and activation not in self.excluded)


def select(parts: str | Iterable[str], held: Learns, where: str = "the results") -> Selection:
    """Select among the activations that results hold, as ``run --acts`` selects among all.

    Args:
        parts: ``all``, ``trainable``, ``fixed``, ``tag:NAME``, globs of names, specs; ``-`` before one excludes, a name
            without settings with all its settings. A list that starts with an exclusion starts from all.
        held: the activations that are there.
        where: what holds them, for errors.

    Raises:
        UsageError: if a part matches nothing, or nothing is left.

    >>> select("p*,-pelu", {"relu": False, "pau": True, "pelu": True, "prelu": True}).specs
    ('pau', 'prelu')
    """
    given = split(parts) if isinstance(parts, str) else [*parts]
    chosen: dict[str, bool] = {}
    excluded: set[str] = set()
    for position, part in enumerate(piece.strip() for piece in given):
        if part.startswith("-"):
            chosen = dict.fromkeys(held, False) if position == 0 else chosen
            gone = matching(part[1:].strip(), held, where, excluded=True)
            excluded |= {*gone}
            chosen = {label: named for label, named in chosen.items() if label not in gone}
        else:
            found, named = matching(part, held, where), is_spec(part)
            excluded -= {*found}
            chosen |= {label: chosen.get(label, False) or (named and not is_older(label)) for label in found}
    if not chosen:
        text = parts if isinstance(parts, str) else ",".join(given)
        raise UsageError(f"no activation of {where} is selected by {text!r} ({listed(held)})")
    explicit = frozenset(label for label, named in chosen.items() if named)
    return Selection(tuple(chosen), explicit, frozenset(excluded))


def is_spec(part: str) -> bool:
    """Tell whether a part of ``--acts`` names one activation."""
    return part not in GROUPS and not part.startswith("tag:") and ("[" in part or not any(s in part for s in "*?"))


def matching(part: str, held: Learns, where: str, excluded: bool = False) -> list[str]:
    """List what a part of ``--acts`` means; an excluded name without settings means that name with any settings."""
    if part in GROUPS:
        return [label for label in held if part == "all" or learns(label, held) == (part == "trainable")]
    if part.startswith("tag:"):
        known = {label: tags(label) for label in held}
        found = [label for label in held if part[4:] in known[label]]
        if not found:
            every = ", ".join(sorted({tag for its in known.values() for tag in its}))
            raise UsageError(f"no activation of {where} has the tag {part[4:]!r} (tags: {every or 'none'})")
        return found
    if not is_spec(part):
        found = [label for label in held if fnmatchcase(base(label), part)]
        if not found:
            raise UsageError(f"no activation of {where} matches {part!r} ({listed(held)})")
        return found
    if excluded:
        name = part if any(base(label) == part for label in held) else canonical(part, held)
        if found := [label for label in held if base(label) == name]:
            return found
    spec = one(part, held, where)
    return [label for label in held if spec_of(label) == spec]


def one(text: str, held: Iterable[str], where: str = "the results") -> str:
    """Return the canonical spec of an activation that is held.

    Raises:
        UsageError: if it is not, with the nearest.
    """
    specs = list(dict.fromkeys(map(spec_of, held)))
    spec = canonical(text, specs)
    if spec not in specs:
        variants = sorted(known for known in specs if base(known) == base(spec))
        near = f"; did you mean {variants[0]!r}?" if variants else did_you_mean(spec, specs)
        raise UsageError(f"no activation {spec!r} in {where}{near} ({listed(specs)})")
    return spec


def canonical(text: str, held: Iterable[str]) -> str:
    """Print a spec as records do; one of a plugin or a class, which only ``run`` imports, is taken as it stands.

    Raises:
        UsageError: if it is malformed, or afbench's own activation of that name has no such setting.
    """
    specs, text = list(map(spec_of, held)), text.strip()
    if text in specs or text == BASELINE:
        return text
    asked = Spec.parse(text)
    same = next((spec for spec in specs if base(spec) == asked.name and alike(asked, Spec.parse(spec))), None)
    if same or ":" in asked.name:
        return same or str(asked)
    from ..registry.entries import ACTIVATIONS
    from ..registry.factory import choose  # here, as below, since it imports torch

    return choose(asked).spec if asked.name in ACTIVATIONS.names() else str(asked)


def alike(one: Spec, other: Spec) -> bool:
    """Tell whether two specs set the same: ``a=-3`` is ``a=-3.0``, in whatever order."""
    return {key: plain(text) for key, text in one.settings.items()} == {
        key: plain(text) for key, text in other.settings.items()
    }


def plain(value: object) -> object:
    """Read a setting's text as a number where it is one."""
    try:
        return float(str(value))
    except ValueError:
        return str(value)


def base(label: str) -> str:
    """Return an activation's name without its settings."""
    return spec_of(label).partition("[")[0]


def learns(label: str, held: Learns) -> bool | None:
    """Tell whether an activation has trainable parameters: by its records, else by afbench's own entry."""
    if held[label] is not None or ":" in base(label):
        return held[label]
    from ..registry.factory import choose, is_trainable

    try:
        return is_trainable(choose(spec_of(label)))
    except UsageError:
        return None


def tags(label: str) -> tuple[str, ...]:
    """Return the tags of an activation that is registered here."""
    from ..registry.entries import ACTIVATIONS

    try:
        return () if ":" in base(label) else ACTIVATIONS.find(base(label))[0].tags
    except UsageError:
        return ()


def holdings(counts: Iterable[tuple[str, int | None]]) -> dict[str, bool | None]:
    """Tell which activations results hold, and whether each has trainable parameters.

    Args:
        counts: activations with their numbers of trainable parameters, None where a trial died before it counted them.
    """
    found: dict[str, bool | None] = {}
    for activation, count in counts:
        if found.get(activation) is None:
            found[activation] = None if count is None else count > 0
    return found


def renamed(
    given: str | Iterable[str] | Mapping[str, str], held: Iterable[str], where: str = "the results"
) -> dict[str, str]:
    """Read display names: ``ditac=DiTAC (ours, new),pau="PAU, b=1"``; a name with both , and = needs double quotes.

    Args:
        given: such a text, several, or names by specs.
        held: the activations that are there.
        where: what holds them, for errors.

    Returns:
        Names by canonical specs.

    Raises:
        UsageError: if a part is not SPEC=NAME, no such activation is held, or two would have one name.

    >>> renamed('ditac[cells=20]=DiTAC (ours),pau="PAU, learnt"', ["ditac[cells=20]", "pau"])
    {'ditac[cells=20]': 'DiTAC (ours)', 'pau': 'PAU, learnt'}
    """
    specs = list(dict.fromkeys(map(spec_of, held)))
    texts = [given] if isinstance(given, str) else given
    pairs = given.items() if isinstance(given, Mapping) else [pair for text in texts for pair in named(text)]
    found: dict[str, str] = {}
    for spec, name in pairs:
        try:
            known = one(spec, specs, where)
        except UsageError as error:
            raise UsageError(f"--names: {error}") from None
        name = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
        if known in found or not name:
            raise UsageError(f"--names gives {spec!r} {'two names' if known in found else 'no name'}")
        found[known] = name
    names = [found.get(spec, spec) for spec in specs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"--names: two activations would be called {twice[0]!r}")
    return found


def named(text: str) -> list[tuple[str, str]]:
    """Read ``SPEC=NAME`` by commas: specs as they stand, and names without their quotes."""
    pairs: list[tuple[str, str]] = []
    for part in apart(text):
        if pairs and "=" not in part:  # a comma within a name that has no quotes
            spec, name = pairs[-1]
            pairs[-1] = spec, f"{name},{part.rstrip()}"
            continue
        end = part.find("]=") + 1 if "[" in part.partition("=")[0] else part.find("=")
        spec, name = part[:end].strip(), part[end + 1 :].strip()
        if end < 1 or not spec or not name:
            raise UsageError(f"--names takes SPEC=NAME, not {part!r} (by commas: 'ditac=DiTAC (ours),pau=PAU')")
        pairs.append((spec, unquoted(name)))
    return pairs


def unquoted(name: str) -> str:
    """Take the double quotes off a name that has them."""
    if len(name) < 2 or not name[0] == name[-1] == '"':
        return name
    try:
        return str(json.loads(name))
    except ValueError:
        return name[1:-1]


def apart(text: str) -> list[str]:
    """Split at the commas outside the brackets of specs and outside double quotes.

    Raises:
        UsageError: if a bracket or a quote of a spec is not closed.
    """
    pieces, depth, quoted, named, start = [], 0, False, False, 0
    for place, sign in enumerate(text):
        if sign == '"' and (place == 0 or text[place - 1] != "\\"):
            quoted = not quoted
        elif not quoted:
            depth = 0 if named else max(0, depth + (sign == "[") - (sign == "]"))
            named = named or (sign == "=" and not depth)
            if sign == "," and not depth:
                pieces.append(text[start:place])
                start, named = place + 1, False
    if quoted or depth:
        raise UsageError(f"--names {text!r}: a {'quote' if quoted else 'bracket'} is not closed")
    return [piece for piece in (*pieces, text[start:]) if piece.strip()]


def listed(held: Iterable[str]) -> str:
    """Name what is held, at most ten of them."""
    names = sorted(held)
    return f"it holds: {', '.join(names[:10])}" + (f" and {len(names) - 10} more" if len(names) > 10 else "")
