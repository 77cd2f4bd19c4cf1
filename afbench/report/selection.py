"""Which of the activations in the results are shown, and what they are called: ``--acts`` and ``--names``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from ..errors import UsageError, did_you_mean
from ..spec import Spec, split
from .members import spec_of

Learns = Mapping[str, bool | None]
"""The specs that results hold: whether the activation has trainable parameters, None if no record knows."""


def select(text: str, held: Learns, baseline: str = "") -> list[str]:
    """Choose among the activations that results hold, as ``--acts`` of ``run`` chooses among all.

    ``all``, ``trainable``, ``fixed``, ``tag:NAME``, globs (of names or whole specs), specs, by commas; ``-`` before one
    leaves out, a name without settings with all its settings. The baseline stays unless it is left out by name.
    Nothing of a user's is imported; a tag or an alias asks afbench's own entries.

    >>> select("p*,-pelu", {"relu": False, "pau": True, "pelu": True, "prelu": True}, "relu")
    ['pau', 'prelu', 'relu']

    Raises:
        UsageError: if a part fits nothing that is held, or nothing is left.
    """
    chosen: list[str] = []
    left_out: set[str] = set()
    parts = [part.strip() for part in split(text)]
    for position, part in enumerate(parts):
        if part.startswith("-"):
            chosen = list(held) if position == 0 else chosen
            name = part[1:].strip()
            gone = set(matching(name, held, every=True))
            left_out |= gone
            chosen = [spec for spec in chosen if spec not in gone]
        else:
            found = matching(part, held)
            left_out -= set(found)
            chosen += [spec for spec in found if spec not in chosen]
    if not chosen:
        raise UsageError(f"--acts {text!r} leaves no activation of the results ({listed(held)})")
    return chosen + [baseline] * (baseline in held and baseline not in chosen and baseline not in left_out)


def matching(part: str, held: Learns, every: bool = False) -> list[str]:
    """Return what one part fits; with ``every``, a name without settings fits the same name with any."""
    if part == "all":
        return list(held)
    if part in ("trainable", "fixed"):
        found = [spec for spec, learns in held.items() if learns is not None and learns == (part == "trainable")]
        if not found:
            raise UsageError(f"no activation in the results is {part} ({listed(held)})")
        return found
    if part.startswith("tag:"):
        found = [spec for spec in held if base(spec) in tagged(part[4:])]
        if not found:
            raise UsageError(f"no activation in the results has the tag {part[4:]!r} ({listed(held)})")
        return found
    if "[" not in part and any(sign in part for sign in "*?"):
        found = [spec for spec in held if fnmatchcase(base(spec), part) or fnmatchcase(spec, part)]
        if not found:
            raise UsageError(f"no activation in the results matches {part!r} ({listed(held)})")
        return found
    if every and (found := [spec for spec in held if base(spec) == part]):
        return found
    spec = canonical(part, held)
    if spec not in held and not (every and any(base(one) == spec for one in held)):
        raise UsageError(f"no activation {part!r} in the results{did_you_mean(spec, held)} ({listed(held)})")
    return [one for one in held if spec_of(one) == spec_of(spec) or (every and base(one) == spec)]


def base(spec: str) -> str:
    """Return a spec's name without its settings."""
    return spec_of(spec).partition("[")[0]


def canonical(text: str, held: Iterable[str]) -> str:
    """Print a spec as records do; only what is not held as it stands is looked up among the registered entries.

    An importable class's spec is taken as it stands, since only ``run`` imports classes.
    """
    held = list(held)
    if text.strip() in held:
        return text.strip()
    asked = Spec.parse(text)
    same = [spec for spec in held if base(spec) == asked.name and alike(asked, Spec.parse(spec_of(spec)))]
    spec = same[0] if same else str(asked)
    if same or ":" in spec:
        return spec
    from ..factory import choose  # here, since it imports torch

    try:
        return choose(text).spec
    except UsageError:
        return spec


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


def tagged(tag: str) -> set[str]:
    """Name the registered activations that have a tag.

    Raises:
        UsageError: if none has.
    """
    from ..registry import ACTIVATIONS  # here, since filling it imports torch

    found = {entry.name for entry in ACTIVATIONS if tag in entry.tags}
    if not found:
        known = sorted({tag for entry in ACTIVATIONS for tag in entry.tags})
        raise UsageError(f"no activation has the tag {tag!r} (tags: {', '.join(known)})")
    return found


def renamed(text: str, held: Iterable[str]) -> dict[str, str]:
    """Read display names: ``ditac=DiTAC (ours, new),pau="PAU, b=1"``; what holds a comma and a = needs double quotes.

    >>> renamed('ditac[cells=20]=DiTAC (ours),pau="PAU, learnt"', ["ditac[cells=20]", "pau"])
    {'ditac[cells=20]': 'DiTAC (ours)', 'pau': 'PAU, learnt'}

    Raises:
        UsageError: if a part is not SPEC=NAME, the results hold no such activation, or two would have one name.
    """
    held = list(dict.fromkeys(map(spec_of, held)))
    found: dict[str, str] = {}
    last = ""
    for part in apart(text):
        if last and "=" not in part:  # a comma within a name that has no quotes
            found[last] += f",{part.rstrip()}"
            continue
        end = part.find("]=") + 1 if "[" in part.partition("=")[0] else part.find("=")
        spec, name = part[:end].strip(), part[end + 1 :].strip()
        if end < 1 or not spec or not name:
            raise UsageError(f"--names takes SPEC=NAME by commas, such as 'ditac=DiTAC (ours),pau=PAU', not {part!r}")
        if len(name) > 1 and name[0] == name[-1] == '"':
            try:
                name = json.loads(name)
            except ValueError:
                name = name[1:-1]
        name = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
        known = canonical(spec, held)
        if known not in held:
            raise UsageError(f"--names: no activation {spec!r} in the results{did_you_mean(known, held)}")
        if known in found or not name:
            raise UsageError(f"--names gives {spec!r} {'two names' if known in found else 'no name'}")
        found[known] = name
        last = known
    names = [found.get(spec, spec) for spec in held]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"--names: two activations would be called {twice[0]!r}")
    return found


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
