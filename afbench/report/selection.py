"""The activations that ``--acts`` and ``--baseline`` select from results, and their display names (``--names``).

No code of a user is imported: the results are looked up first, then afbench's own entries, which need torch.
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
"""The activations in results: whether each has trainable parameters; None if no record tells."""


@dataclass(frozen=True)
class Selection:
    """The selection of ``--acts``.

    Attributes:
        specs: the selected activations, in the order given.
        explicit: those that were named one by one.
        excluded: those that an exclusion removed and no later part added again.
    """

    specs: tuple[str, ...]
    explicit: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()

    def shows(self, activation: str, baseline: str) -> bool:
        """Tell whether an activation is shown: if it is selected, or is the baseline and not excluded."""
        return activation in self.specs or (activation == baseline and activation not in self.excluded)


def select(parts: str | Iterable[str], available: Learns, where: str = "the results") -> Selection:
    """Select among the activations that results hold, as ``run --acts`` selects among all.

    Args:
        parts: ``all``, ``trainable``, ``fixed``, ``tag:NAME``, globs of names, specs; ``-`` before one excludes, a name
            without settings with all its settings. A list that starts with an exclusion starts from all.
        available: the activations in the results.
        where: the name of the results in errors.

    Raises:
        UsageError: if a part matches nothing, or nothing is left.

    >>> select("p*,-pelu", {"relu": False, "pau": True, "pelu": True, "prelu": True}).specs
    ('pau', 'prelu')
    """
    texts = split(parts) if isinstance(parts, str) else [*parts]
    selected: dict[str, bool] = {}  # whether each was named by its spec
    excluded: set[str] = set()
    for position, part in enumerate(text.strip() for text in texts):
        if part.startswith("-"):
            selected = dict.fromkeys(available, False) if position == 0 else selected
            matches = matching(part[1:].strip(), available, where, excluded=True)
            excluded |= {*matches}
            selected = {label: by_spec for label, by_spec in selected.items() if label not in matches}
        else:
            matches, by_spec = matching(part, available, where), is_spec(part)
            excluded -= {*matches}
            selected |= {label: selected.get(label, False) or (by_spec and not is_older(label)) for label in matches}
    if not selected:
        text = parts if isinstance(parts, str) else ",".join(texts)
        raise UsageError(f"no activation of {where} is selected by {text!r} ({listed(available)})")
    explicit = frozenset(label for label, by_spec in selected.items() if by_spec)
    return Selection(tuple(selected), explicit, frozenset(excluded))


def is_spec(part: str) -> bool:
    """Tell whether a part of ``--acts`` names one activation."""
    return part not in GROUPS and not part.startswith("tag:") and ("[" in part or not any(s in part for s in "*?"))


def matching(part: str, available: Learns, where: str, excluded: bool = False) -> list[str]:
    """List the matches of a part of ``--acts``; an excluded name without settings matches it with any settings."""
    if part in GROUPS:
        return [label for label in available if part == "all" or learns(label, available) == (part == "trainable")]
    if part.startswith("tag:"):
        tags_by_label = {label: tags(label) for label in available}
        matches = [label for label in available if part[4:] in tags_by_label[label]]
        if not matches:
            every = ", ".join(sorted({tag for tags in tags_by_label.values() for tag in tags}))
            raise UsageError(f"no activation of {where} has the tag {part[4:]!r} (tags: {every or 'none'})")
        return matches
    if not is_spec(part):
        matches = [label for label in available if fnmatchcase(base(label), part)]
        if not matches:
            raise UsageError(f"no activation of {where} matches {part!r} ({listed(available)})")
        return matches
    if excluded:
        name = part if any(base(label) == part for label in available) else canonical(part, available)
        if matches := [label for label in available if base(label) == name]:
            return matches
    spec = spec_among(part, available, where)
    return [label for label in available if spec_of(label) == spec]


def spec_among(text: str, available: Iterable[str], where: str = "the results") -> str:
    """Return the canonical spec of an activation in results.

    Raises:
        UsageError: if it is not in them; the message names the nearest.
    """
    specs = list(dict.fromkeys(map(spec_of, available)))
    spec = canonical(text, specs)
    if spec not in specs:
        variants = sorted(other for other in specs if base(other) == base(spec))
        near = f"; did you mean {variants[0]!r}?" if variants else did_you_mean(spec, specs)
        raise UsageError(f"no activation {spec!r} in {where}{near} ({listed(specs)})")
    return spec


def canonical(text: str, available: Iterable[str]) -> str:
    """Print a spec as records do; a spec of a plugin or a class, which only ``run`` imports, stays as it is.

    Raises:
        UsageError: if it is malformed, or afbench's own activation of that name has no such setting.
    """
    specs, text = list(map(spec_of, available)), text.strip()
    if text in specs or text == BASELINE:
        return text
    asked = Spec.parse(text)
    same = next((spec for spec in specs if base(spec) == asked.name and alike(asked, Spec.parse(spec))), None)
    if same or ":" in asked.name:
        return same or str(asked)
    from ..registry.entries import ACTIVATIONS
    from ..registry.factory import choose  # not at the top: it imports torch

    return choose(asked).spec if asked.name in ACTIVATIONS.names() else str(asked)


def alike(a: Spec, b: Spec) -> bool:
    """Tell whether two specs have equal settings, in any order: ``a=-3`` equals ``a=-3.0``."""
    first, second = ({key: plain(text) for key, text in spec.settings.items()} for spec in (a, b))
    return first == second


def plain(value: object) -> object:
    """Return a setting as a number if it is one, else as text."""
    try:
        return float(str(value))
    except ValueError:
        return str(value)


def base(label: str) -> str:
    """Return an activation's name without its settings."""
    return spec_of(label).partition("[")[0]


def learns(label: str, available: Learns) -> bool | None:
    """Tell whether an activation has trainable parameters, by its records or else by afbench's own entry."""
    if available[label] is not None or ":" in base(label):
        return available[label]
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
    """Return the activations in results, and whether each has trainable parameters.

    Args:
        counts: activations with their numbers of trainable parameters; None if a trial failed before it counted them.
    """
    trainable: dict[str, bool | None] = {}
    for activation, count in counts:
        if trainable.get(activation) is None:
            trainable[activation] = None if count is None else count > 0
    return trainable


def renamed(
    given: str | Iterable[str] | Mapping[str, str], available: Iterable[str], where: str = "the results"
) -> dict[str, str]:
    """Read display names: ``ditac=DiTAC (ours, new),pau="PAU, b=1"``; a name with both , and = needs double quotes.

    Args:
        given: such a text, several, or names by specs.
        available: the activations in the results.
        where: the name of the results in errors.

    Returns:
        Names by canonical specs.

    Raises:
        UsageError: if a part is not SPEC=NAME, the results lack its activation, or two would have one name.

    >>> renamed('ditac[cells=20]=DiTAC (ours),pau="PAU, learned"', ["ditac[cells=20]", "pau"])
    {'ditac[cells=20]': 'DiTAC (ours)', 'pau': 'PAU, learned'}
    """
    specs = list(dict.fromkeys(map(spec_of, available)))
    texts = [given] if isinstance(given, str) else given
    pairs = given.items() if isinstance(given, Mapping) else [pair for text in texts for pair in named(text)]
    names: dict[str, str] = {}
    for text, name in pairs:
        try:
            spec = spec_among(text, specs, where)
        except UsageError as error:
            raise UsageError(f"--names: {error}") from None
        name = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
        if spec in names or not name:
            raise UsageError(f"--names gives {text!r} {'two names' if spec in names else 'no name'}")
        names[spec] = name
    printed = [names.get(spec, spec) for spec in specs]
    twice = sorted({name for name in printed if printed.count(name) > 1})
    if twice:
        raise UsageError(f"--names: two activations would be called {twice[0]!r}")
    return names


def named(text: str) -> list[tuple[str, str]]:
    """Read ``SPEC=NAME`` separated by commas: specs unchanged, names without their quotes."""
    pairs: list[tuple[str, str]] = []
    for part in apart(text):
        if pairs and "=" not in part:  # a comma within a name that has no quotes
            spec, name = pairs[-1]
            pairs[-1] = spec, f"{name},{part.rstrip()}"
            continue
        end = part.find("]=") + 1 if "[" in part.partition("=")[0] else part.find("=")
        spec, name = part[:end].strip(), part[end + 1 :].strip()
        if end < 1 or not spec or not name:
            raise UsageError(f"--names takes SPEC=NAME, not {part!r} (example: 'ditac=DiTAC (ours),pau=PAU')")
        pairs.append((spec, unquoted(name)))
    return pairs


def unquoted(name: str) -> str:
    """Remove the double quotes around a name, if there are any."""
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
        raise UsageError(f"--names {text!r}: a closing {'quote' if quoted else 'bracket'} is missing")
    return [piece for piece in (*pieces, text[start:]) if piece.strip()]


def listed(available: Iterable[str]) -> str:
    """Name at most ten of the activations that results hold."""
    names = sorted(available)
    return f"it holds: {', '.join(names[:10])}" + (f" and {len(names) - 10} more" if len(names) > 10 else "")
