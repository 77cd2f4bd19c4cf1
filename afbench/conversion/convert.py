"""Read published checkpoints: the activations in a state dict, renamed and reshaped to ours; all else untouched."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor, nn

from ..errors import UsageError
from ..registry.spec import Spec
from .published import SOURCES, Tensors
from .search import Found, by_names, in_network, join, located, within

NAMES = sorted({source.name for source in SOURCES})


@dataclass(frozen=True)
class Place:
    """One activation that was converted."""

    prefix: str
    """Where it is, such as ``layer1.0.act``; empty if the state dict is one activation's."""
    spec: str
    """What it is as one of ours."""
    source: str
    """Whose tensors they were."""
    keys: tuple[str, ...]
    """Its keys in the state dict that was given."""

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.prefix or '(root)'}: {self.spec}, from {self.source}"


class Converted(OrderedDict[str, Any]):
    """A state dict for ``load_state_dict``, with what was converted in it; it is pickled as a plain state dict."""

    def __init__(self, items: Iterable[tuple[str, Any]] = ()) -> None:
        """Start with nothing converted."""
        super().__init__(items)
        self.places: tuple[Place, ...] = ()
        self.activations: dict[str, nn.Module] = {}
        self.untouched = 0

    @property
    def report(self) -> str:
        """What was converted, one activation a line, and how many tensors were left as they were."""
        count = f"{len(self.places)} activation{'s' * (len(self.places) != 1)}"
        head = f"{count} converted, {self.untouched} other tensors untouched"
        return "\n".join([head, *(f"  {place}" for place in self.places)])

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the report: ``torch.load`` admits no classes of others."""
        return OrderedDict, (list(self.items()),)


def convert(
    target: nn.Module | str | Spec,
    state_dict: Mapping[str, Any],
    source: str | None = None,
    *,
    basis: str | ArrayLike = "qr",
) -> Converted:
    """Turn a published state dict into one that afbench's activations load: the same functions, to rounding.

    Reads the tensors of ``acon.py`` and yolov5 (AconC, MetaAconC), ``rational_activations`` (Rational), ``pau``
    (PADEACTIVATION), DiTAC's ``cpab_act.py`` and ``torch.nn.PReLU``; docs/convert.md says what each becomes.

    Args:
        target: a network with afbench's activations in it, or one of them: they are looked for where it has them. Or
            a spec, such as ``"acon_c"`` or ``"pau[version=b]"``: that activation is searched for at any depth, and
            the settings that tensors tell (channels, degree, cells) are taken from them. What they do not tell, PAU's
            version and DiTAC's a and b, must stand in the spec or be the network's.
        state_dict: of one activation or of a whole network. It is not changed.
        source: one of ``"acon.py"``, ``"yolov5"``, ``"rational_activations"``, ``"pau"``, ``"DiTAC"``, ``"torch"``
            to read its tensors alone; None reads all.
        basis: what DiTAC's theta is written in: ``"qr"``, that code's default, ``"svd"``, ``"rref"``, ``"sparse"``,
            or the matrix itself.

    Returns:
        A new state dict with ``report``, ``places`` and, for a spec, ``activations``: a module for each place, with
        its weights. Tensors of no activation are the same objects under the same names.

    Raises:
        UsageError: if nothing is found, or an activation has a tensor that its source does not have, lacks one that
            it has, or has one of another shape than the target's.

    >>> import torch
    >>> published = {name: torch.ones(1, 16, 1, 1) for name in ("p1", "p2", "beta")}
    >>> convert("acon_c", published).activations[""]
    AconC(channels=16, channel_dim=1)
    """
    if source is not None and source not in NAMES:
        raise UsageError(f"source must be one of {', '.join(NAMES)}, not {source!r}")
    _check(target, state_dict)
    sources = [one for one in SOURCES if source in (None, one.name)]
    matrix = basis if isinstance(basis, str) else np.asarray(basis, dtype=np.float64)
    if isinstance(target, nn.Module):
        found = in_network(target, state_dict, sources)
    else:
        found = by_names(target, state_dict, sources)
    result = Converted()
    replaced: dict[str, dict[str, Tensor]] = {}
    for one in found:
        with located(one.prefix):
            here = within(state_dict, one.prefix)
            new = _converted(one, here, matrix)
        keys = tuple(join(one.prefix, name) for name in here)
        replaced |= {key: {} for key in keys} | {keys[0]: {join(one.prefix, name): new[name] for name in new}}
        result.places += (Place(one.prefix, one.spec, one.source.name, keys),)
        if not isinstance(target, nn.Module):
            one.module.load_state_dict(new)
            result.activations[one.prefix] = one.module
    for key, value in state_dict.items():
        result.update(replaced[key] if key in replaced else {key: value})
    result.untouched = len(state_dict) - len(replaced)
    if hasattr(state_dict, "_metadata"):
        result._metadata = state_dict._metadata  # type: ignore[attr-defined]
    return result


def _check(target: object, state: object) -> None:
    if isinstance(target, Mapping):
        raise UsageError("convert takes the network or the spec first, the state dict second")
    if not isinstance(state, Mapping):
        raise UsageError(f"convert takes a state dict, names and their tensors, not a {type(state).__name__}")
    if not any(isinstance(value, Tensor) for value in state.values()):
        inside = [key for key, value in state.items() if isinstance(value, (Mapping, nn.Module))]
        raise UsageError(f"no tensor is in this state dict{f'; one may be in its {inside[0]!r}' if inside else ''}")


def _converted(found: Found, here: Tensors, basis: Any) -> dict[str, Tensor]:
    """Convert the tensors of one activation and hold their shapes against the module's."""
    new = found.source.convert(here, found.module, basis)
    ours = {name: tuple(value.shape) for name, value in found.module.state_dict().items()}
    for name in ours.keys() - new.keys():
        if not name.endswith("num_batches_tracked"):
            raise UsageError(f"{found.source.name} has no tensor for {name} of {found.spec}")
        new[name] = found.module.state_dict()[name]
    for name, value in new.items():
        if name not in ours:
            raise UsageError(f"{found.spec} has no place for {found.source.name}'s {name}")
        if tuple(value.shape) != ours[name]:
            raise UsageError(f"{name} comes with the shape {tuple(value.shape)}, {found.spec} has {ours[name]}")
    return new
