"""The tensors of an activation in public implementations, and how they become afbench's.

Only names and formulas are used, read in the public file that each source names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..errors import UsageError
from ..registry.settings import Value

Tensors = Mapping[str, Tensor]
Matrix = NDArray[np.float64]
Settings = Mapping[str, Value]


@dataclass(frozen=True)
class Source:
    """A public implementation of an activation."""

    name: str
    entry: str
    """afbench's activation with the same function."""
    where: str
    keys: frozenset[str]
    """Its tensors that are always present."""
    settings: Callable[[Tensors, Settings], dict[str, Value]]
    """Reads the settings, including ``channels``, from its tensors and the settings of the spec."""
    convert: Callable[[Tensors, nn.Module, Any], dict[str, Tensor]]
    """Returns afbench's tensors, from its tensors, afbench's module, and the basis of DiTAC's theta."""
    optional: frozenset[str] = frozenset()


def misshapen(name: str, tensor: Tensor, expected: str) -> UsageError:
    """Make the error for a tensor of a wrong shape."""
    return UsageError(f"{name} has the shape {tuple(tensor.shape)}; it should be {expected}")


def squeezed(name: str, tensor: Tensor, pattern: str) -> Tensor:
    """Drop the dimensions that are 1 in the pattern: ``1C11`` is ``[1, C, 1, 1]``.

    >>> squeezed("p1", torch.zeros(1, 3, 1, 1), "1C11").shape
    torch.Size([3])
    """
    fits = tensor.dim() == len(pattern) and all(p != "1" or n == 1 for p, n in zip(pattern, tensor.shape, strict=True))
    if not fits:
        raise misshapen(name, tensor, "[" + ", ".join(pattern) + "]")
    return tensor.reshape([n for p, n in zip(pattern, tensor.shape, strict=True) if p != "1"])


def _acon_settings(tensors: Tensors, given: Settings) -> dict[str, Value]:
    return {"channels": len(squeezed("p1", tensors["p1"], "1C11"))}


def _acon(tensors: Tensors, module: nn.Module, basis: object) -> dict[str, Tensor]:
    return {name: squeezed(name, tensors[name], "1C11") for name in ("p1", "p2", "beta")}


def _meta_acon_settings(tensors: Tensors, given: Settings) -> dict[str, Value]:
    hidden, channels = squeezed("fc1.weight", tensors["fc1.weight"], "HC11").shape
    fitting = [r for r in range(1, channels + 1) if max(r, channels // r) == hidden]
    r = hidden if hidden >= channels // hidden else next(iter(fitting), 0)
    if not r:
        raise misshapen("fc1.weight", tensors["fc1.weight"], "[max(r, C // r), C, 1, 1] for some r")
    norm = "batch" if "bn1.weight" in tensors else "none"
    return {"channels": channels, "norm": norm, **({} if max(16, channels // 16) == hidden else {"r": r})}


def _meta_acon(tensors: Tensors, module: nn.Module, basis: object) -> dict[str, Tensor]:
    renamed = {name: squeezed(name, tensors[name], "1C11") for name in ("p1", "p2")}
    for name, tensor in tensors.items():
        if name.endswith(".weight") and name.startswith("fc"):
            renamed[name] = squeezed(name, tensor, "HC11")
        elif name not in renamed:
            renamed[name.replace("bn", "norm")] = tensor
    return renamed


def _rational_settings(names: tuple[str, str]) -> Callable[[Tensors, Settings], dict[str, Value]]:
    def settings(tensors: Tensors, given: Settings) -> dict[str, Value]:
        a, b = (squeezed(name, tensors[name], "N") for name in names)
        # The version comes from the spec: the tensors do not show it. Only C has a constant in the denominator.
        return {"degree": f"{len(a) - 1}:{len(b) - (given['version'] == 'c')}"}

    return settings


def _rational(names: tuple[str, str]) -> Callable[[Tensors, nn.Module, Any], dict[str, Tensor]]:
    def convert(tensors: Tensors, module: Any, basis: object) -> dict[str, Tensor]:
        a, b = (squeezed(name, tensors[name], "N") for name in names)
        if module.zero_centred:
            if len(a) and a[0] != 0:
                raise UsageError(f"{names[0]} has a_0 = {a[0]:g}, but pau[zero_centred=true] needs a_0 = 0")
            a = a[1:]
        if module.a.dim() == 2:  # per channel: the same function in each
            a, b = (tensor.expand(len(module.a), -1).clone() for tensor in (a, b))
        return {"a": a, "b": b}

    return convert


def _ditac_settings(tensors: Tensors, given: Settings) -> dict[str, Value]:
    return {"cells": squeezed("thetas", tensors["thetas"], "1D").shape[0] + 1}


def _ditac(tensors: Tensors, module: Any, basis: str | Matrix) -> dict[str, Tensor]:
    from .cpab import in_our_basis  # it needs scipy

    theta = squeezed("thetas", tensors["thetas"], "1D")
    if not module.zero_boundary or len(theta) != module.cells - 1:
        raise UsageError(
            f"thetas has {len(theta)} entries, which needs zero_boundary=true and cells={len(theta) + 1}, "
            f"not zero_boundary={str(module.zero_boundary).lower()} and cells={module.cells}"
        )
    penalty = (module.lambda_smooth, module.lambda_var)
    precision = tensors.get("precision_mat")
    known = None if precision is None else precision.detach().double().cpu().numpy()
    converted = in_our_basis(theta.detach().double().cpu().numpy(), basis, known, *penalty)
    return {"theta": torch.tensor(converted).to(theta)}


def _prelu_settings(tensors: Tensors, given: Settings) -> dict[str, Value]:
    size = len(squeezed("weight", tensors["weight"], "C"))
    return {} if size == 1 else {"per": "channel", "channels": size}


def _prelu(tensors: Tensors, module: nn.Module, basis: object) -> dict[str, Tensor]:
    return {"a": squeezed("weight", tensors["weight"], "C")}


def _of(source: str, entry: str, where: str, keys: str, settings: Any, convert: Any, optional: str = "") -> Source:
    return Source(source, entry, where, frozenset(keys.split()), settings, convert, frozenset(optional.split()))


_MAPS = "p1 p2 fc1.weight fc1.bias fc2.weight fc2.bias"
_NORMS = " ".join(f"{n}.{t}" for n in ("bn1", "bn2") for t in ("weight", "bias", "running_mean", "running_var"))
_COUNTS = "bn1.num_batches_tracked bn2.num_batches_tracked"
SOURCES = (
    _of("acon.py", "acon_c", "nmaac/acon: acon.py", "p1 p2 beta", _acon_settings, _acon),
    _of("acon.py", "meta_acon", "nmaac/acon: acon.py", f"{_MAPS} {_NORMS}", _meta_acon_settings, _meta_acon, _COUNTS),
    # Without batch norms; its AconC has the names and shapes of acon.py.
    _of("yolov5", "meta_acon", "ultralytics/yolov5: utils/activations.py", _MAPS, _meta_acon_settings, _meta_acon),
    _of(
        "rational_activations",
        "pau",
        "ml-research/rational_activations: rational/torch/rationals.py",
        "numerator denominator",
        _rational_settings(("numerator", "denominator")),
        _rational(("numerator", "denominator")),
    ),
    _of(
        "pau",
        "pau",
        "ml-research/pau: pau/cuda/python_imp/Pade.py",
        "weight_numerator weight_denominator",
        _rational_settings(("weight_numerator", "weight_denominator")),
        _rational(("weight_numerator", "weight_denominator")),
    ),
    _of("DiTAC", "ditac", "BGU-CS-VIL/DiTAC: ditac/cpab_act.py", "thetas", _ditac_settings, _ditac, "precision_mat"),
    _of("torch", "prelu", "torch.nn.PReLU", "weight", _prelu_settings, _prelu),
)
"""The implementations that ``convert`` reads. If two fit, it takes the one with more tensors."""
