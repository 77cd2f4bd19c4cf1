"""Which of a results folder's activations are meant, as ``--acts`` and ``--names`` say it; no class is imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ...errors import UsageError, did_you_mean
from ...registry import ACTIVATIONS
from ...spec import BASELINE, Spec, split
from ...trial import Record

GROUPS = ("all", "trainable", "fixed")


@dataclass(frozen=True)
class Selection:
    """The specs that are meant, in the order given, and those of them that were named one by one."""

    specs: tuple[str, ...]
    explicit: frozenset[str]


def select(parts: str | Iterable[str], held: Mapping[str, bool | None], where: str = "the folder") -> Selection:
    """Choose among the activations that a folder holds, as ``run --acts`` chooses among all.

    Args:
        parts: ``all``, ``trainable``, ``fixed``, ``tag:NAME``, globs, specs; ``-`` before one excludes.
        held: the canonical specs that are there, and whether each has parameters that learn (None: not known).
        where: what holds them, for errors.

    Raises:
        UsageError: if a part matches nothing, or nothing is left.

    >>> select("trainable,-pau", {"relu": False, "pau": True, "ditac": True, "pau[version=b]": True}).specs
    ('ditac',)
    """
    given = split(parts) if isinstance(parts, str) else [*parts]
    chosen: dict[str, bool] = {}
    for position, part in enumerate(piece.strip() for piece in given):
        if part.startswith("-"):
            if position == 0:
                chosen = dict.fromkeys(held, False)
            gone = matching(part[1:].strip(), held, where, excluded=True)
            chosen = {spec: named for spec, named in chosen.items() if spec not in gone}
        else:
            found, named = matching(part, held, where), is_spec(part)
            chosen |= {spec: named or chosen.get(spec, False) for spec in found}
    if not chosen:
        text = parts if isinstance(parts, str) else ",".join(given)
        raise UsageError(f"no activation of {where} is selected by {text!r} (it holds: {', '.join(sorted(held))})")
    return Selection(tuple(chosen), frozenset(spec for spec, named in chosen.items() if named))


def is_spec(part: str) -> bool:
    """Tell whether a part of ``--acts`` names one activation."""
    return part not in GROUPS and not part.startswith("tag:") and ("[" in part or not any(s in part for s in "*?"))


def matching(part: str, held: Mapping[str, bool | None], where: str, excluded: bool = False) -> list[str]:
    """List what a part of ``--acts`` means; a bare name that is excluded takes its variants with it."""
    if part in GROUPS:
        return [spec for spec in held if part == "all" or learns(spec, held) == (part == "trainable")]
    if part.startswith("tag:"):
        known = {spec: tags(spec) for spec in held}
        found = [spec for spec in held if part[4:] in known[spec]]
        if not found:
            every = ", ".join(sorted({tag for its in known.values() for tag in its}))
            raise UsageError(f"no activation of {where} has the tag {part[4:]!r} (tags: {every})")
        return found
    if not is_spec(part):
        found = [spec for spec in held if fnmatchcase(base(spec), part)]
        if not found:
            raise UsageError(f"no activation of {where} matches {part!r} (it holds: {', '.join(sorted(held))})")
        return found
    if excluded and "[" not in part:
        name = base(canonical(part, held))
        if found := [spec for spec in held if base(spec) == name]:
            return found
    return [one(part, held, where)]


def one(text: str, held: Iterable[str], where: str) -> str:
    """Return the canonical spec of an activation that is held.

    Raises:
        UsageError: if it is not, with the nearest.
    """
    spec, held = canonical(text, held), sorted(held)
    if spec not in held:
        variants = [known for known in held if base(known) == base(spec)]
        near = f"; did you mean {variants[0]!r}?" if variants else did_you_mean(spec, held)
        raise UsageError(f"no activation {spec!r} in {where}{near} (it holds: {', '.join(held)})")
    return spec


def canonical(text: str, held: Iterable[str]) -> str:
    """Print a spec as records do; one of a plugin or a class that is not loaded is taken as it stands."""
    plain = str(Spec.parse(text))
    if plain in held or plain == BASELINE or ":" in plain:
        return plain
    from ...factory import choose  # here, as below: what the records say themselves needs no torch

    try:
        return choose(text).spec
    except UsageError:
        if base(plain) in ACTIVATIONS.names():
            raise
        return plain


def base(spec: str) -> str:
    """Return a spec's name without its settings."""
    return spec.partition("[")[0]


def learns(spec: str, held: Mapping[str, bool | None]) -> bool | None:
    """Tell whether an activation has parameters that learn, by its records, else by afbench's own entry."""
    if held[spec] is not None or ":" in spec:
        return held[spec]
    from ...factory import choose, is_trainable

    try:
        return is_trainable(choose(spec))
    except UsageError:
        return None


def tags(spec: str) -> Sequence[str]:
    """Return the tags of an activation that is registered here."""
    try:
        return () if ":" in spec else ACTIVATIONS.find(base(spec))[0].tags
    except UsageError:
        return ()


def holdings(records: Iterable[Record]) -> dict[str, bool | None]:
    """List the activations of records, and whether each had parameters that learn; None if every trial died before."""
    found: dict[str, bool | None] = {}
    for record in records:
        count = record.parameters.get("activation")
        if found.get(record.trial.activation) is None:
            found[record.trial.activation] = None if count is None else count > 0
    return found


def display_names(given: str | Iterable[str]) -> dict[str, str]:
    """Read what ``--names`` gives: ``spec=Name`` by commas; a comma within brackets or within a name is none.

    >>> display_names("ditac=DiTAC (ours, new),pau[version=b]=PAU")
    {'ditac': 'DiTAC (ours, new)', 'pau[version=b]': 'PAU'}

    Raises:
        UsageError: if a piece is not of this form, or an activation or a name is given twice.
    """
    found: dict[str, str] = {}
    for text in [given] if isinstance(given, str) else given:
        last = ""
        for piece in split(text):
            spec, name = halves(piece)
            if name is None and last:
                found[last] += f",{piece}"
                continue
            if not spec or not (name or "").strip() or not piece.isprintable():
                raise UsageError(f"--names takes SPEC=NAME, not {piece.strip()!r} (--names 'ditac=DiTAC (ours)')")
            if spec in found:
                raise UsageError(f"--names gives {spec!r} twice")
            found[last := spec] = (name or "").strip()
    for name in found.values():
        if [*found.values()].count(name) > 1:
            raise UsageError(f"--names calls two activations {name!r}")
    return found


def halves(piece: str) -> tuple[str, str | None]:
    """Split ``spec=Name`` at the first = outside brackets; the second half is None if there is none."""
    depth = 0
    for position, letter in enumerate(piece):
        depth += (letter == "[") - (letter == "]")
        if letter == "=" and not depth:
            return piece[:position].strip(), piece[position + 1 :]
    return piece.strip(), None
