"""Read published checkpoints: rename and reshape the activations' tensors, and leave all others untouched."""

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
from .search import Match, by_names, in_network, join, located, within

NAMES = sorted({source.name for source in SOURCES})


@dataclass(frozen=True)
class Place:
    """A converted activation."""

    prefix: str
    """Its name in the state dict, such as ``layer1.0.act``; empty for the state dict of one activation."""
    spec: str
    """The spec of afbench's activation."""
    source: str
    """The published implementation."""
    keys: tuple[str, ...]
    """Its keys in the published state dict."""

    def __str__(self) -> str:
        """Describe it in a line."""
        return f"{self.prefix or '(root)'}: {self.spec}, from {self.source}"


class Converted(OrderedDict[str, Any]):
    """A state dict for ``load_state_dict`` with a report of the conversion; it pickles as a plain state dict."""

    def __init__(self, items: Iterable[tuple[str, Any]] = ()) -> None:
        """Start without a converted activation."""
        super().__init__(items)
        self.places: tuple[Place, ...] = ()
        self.activations: dict[str, nn.Module] = {}
        self.untouched = 0

    @property
    def report(self) -> str:
        """The converted activations, one in a line, and the number of other tensors."""
        count = f"{len(self.places)} activation{'s' * (len(self.places) != 1)}"
        head = f"{count} converted, {self.untouched} other tensors untouched"
        return "\n".join([head, *(f"  {place}" for place in self.places)])

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the report: ``torch.load`` accepts no other classes."""
        return OrderedDict, (list(self.items()),)


def convert(
    target: nn.Module | str | Spec,
    state_dict: Mapping[str, Any],
    source: str | None = None,
    *,
    basis: str | ArrayLike = "qr",
) -> Converted:
    """Convert a published state dict for afbench's activations; they compute the same functions, up to rounding.

    It reads the tensors of ``acon.py`` and yolov5 (AconC, MetaAconC), ``rational_activations`` (Rational), ``pau``
    (PADEACTIVATION), DiTAC's ``cpab_act.py`` and ``torch.nn.PReLU``. docs/convert.md lists the results.

    Args:
        target: a network with afbench's activations, or a single one: the tensors are looked up under the same names.
            Or a spec, such as ``"acon_c"`` or ``"pau[version=b]"``: this activation is searched at any depth, and
            the settings that the tensors show (channels, degree, cells) are read from them. The tensors do not show
            PAU's version and DiTAC's a and b: set these in the spec or the network.
        state_dict: of one activation or of a whole network. It is not changed.
        source: ``"acon.py"``, ``"yolov5"``, ``"rational_activations"``, ``"pau"``, ``"DiTAC"`` or ``"torch"`` to read
            only the tensors of this source; None reads all.
        basis: the basis of DiTAC's theta: ``"qr"`` (the default of the published code), ``"svd"``, ``"rref"``,
            ``"sparse"``, or the matrix itself.

    Returns:
        A new state dict with ``report``, ``places`` and, for a spec, ``activations``: the module of each place with
        its weights. All other tensors are the same objects under the same names.

    Raises:
        UsageError: if no activation is found, or if a tensor of an activation is unknown, missing, or has another
            shape than in the target.

    >>> import torch
    >>> published = {name: torch.ones(1, 16, 1, 1) for name in ("p1", "p2", "beta")}
    >>> convert("acon_c", published).activations[""]
    AconC(channels=16, channel_dim=1)
    """
    if source is not None and source not in NAMES:
        raise UsageError(f"source must be one of {', '.join(NAMES)}, not {source!r}")
    _check(target, state_dict)
    sources = [candidate for candidate in SOURCES if source in (None, candidate.name)]
    matrix = basis if isinstance(basis, str) else np.asarray(basis, dtype=np.float64)
    if isinstance(target, nn.Module):
        matches = in_network(target, state_dict, sources)
    else:
        matches = by_names(target, state_dict, sources)
    result = Converted()
    new_by_key: dict[str, dict[str, Tensor]] = {}
    for match in matches:
        prefix = match.prefix
        with located(prefix):
            published = within(state_dict, prefix)
            new = _converted(match, published, matrix)
        keys = tuple(join(prefix, name) for name in published)
        new_by_key |= {key: {} for key in keys} | {keys[0]: {join(prefix, name): new[name] for name in new}}
        result.places += (Place(prefix, match.spec, match.source.name, keys),)
        if not isinstance(target, nn.Module):
            match.module.load_state_dict(new)
            result.activations[prefix] = match.module
    for key, value in state_dict.items():
        result.update(new_by_key.get(key, {key: value}))
    result.untouched = len(state_dict) - len(new_by_key)
    if hasattr(state_dict, "_metadata"):
        result._metadata = state_dict._metadata  # type: ignore[attr-defined]
    return result


def _check(target: object, state: object) -> None:
    if isinstance(target, Mapping):
        raise UsageError("convert takes the network or the spec first and the state dict second")
    if not isinstance(state, Mapping):
        raise UsageError(f"convert takes a state dict (a mapping of names to tensors), not a {type(state).__name__}")
    if not any(isinstance(value, Tensor) for value in state.values()):
        nested = [key for key, value in state.items() if isinstance(value, (Mapping, nn.Module))]
        hint = f"; the key {nested[0]!r} may hold one" if nested else ""
        raise UsageError(f"this state dict holds no tensors{hint}")


def _converted(match: Match, published: Tensors, basis: Any) -> dict[str, Tensor]:
    """Convert the tensors of one activation, and compare their names and shapes with the module's."""
    new = match.source.convert(published, match.module, basis)
    own = match.module.state_dict()
    for name in own.keys() - new.keys():
        if not name.endswith("num_batches_tracked"):
            raise UsageError(f"{match.source.name} has no tensor for {name} of {match.spec}")
        new[name] = own[name]
    for name, value in new.items():
        if name not in own:
            raise UsageError(f"{match.spec} has no tensor for {match.source.name}'s {name}")
        if value.shape != own[name].shape:
            shapes = f"{tuple(value.shape)}, but {match.spec} needs {tuple(own[name].shape)}"
            raise UsageError(f"{name} has the shape {shapes}")
    return new
