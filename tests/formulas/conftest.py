"""What the tests of the formulas share: every entry in many settings, and the oracles, NumPy and SciPy written apart.

An oracle file holds, by the entry's name, ``VALUES``: functions of the input as [samples, positions, channels], the
parameters and buffers by name, the resolved settings, and whether it trains; ``COUNTS``: how many parameters, of the
channels and the settings; and ``NOISY``: whether it draws in training.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from afbench.kernels.field import vertex_basis
from afbench.registry.entries import ACTIVATIONS
from afbench.registry.factory import choose
from afbench.registry.spec import Spec
from afbench.testing import Subject

FOLDER = Path(__file__).parent / "oracles"
DEGREES = ("2:2", "3:2", "7:6")
BASES = ("chebyshev1", "chebyshev2", "laguerre", "legendre", "hermite_prob", "hermite_phys")
FURTHER = [
    *(f"pau[degree={degree},version={version}]" for degree in DEGREES for version in "abcdn"),
    *(f"pau[version={version},zero_centred=true]" for version in "bcdn"),
    *(f"opau[basis={basis},degree={degree}]" for degree in DEGREES for basis in BASES),
    *(f"opau[basis={basis},safe=false]" for basis in BASES[1:]),
    *(f"opau[basis={basis},zero_centred=true]" for basis in BASES[1:]),
    *(f"opau[basis={b},zero_centred={case}]" for b in BASES[1:] if b != "laguerre" for case in ("case1", "case2")),
    *(f"opau[degree={degree},safe=false,zero_centred=true]" for degree in DEGREES),
    *(f"{name}[cells=4,zero_boundary=false]" for name in ("ditac", "ge_ditac", "leaky_ditac", "inf_ditac")),
    *(f"{name}[a=-3,b=3,init_smooth=3,lambda_var=1]" for name in ("ditac", "leaky_ditac", "inf_ditac")),
    "ditac[a=0.5,b=1]",
    "ge_ditac[b=0.6]",
    "inf_ditac[cells=2,zero_boundary=false]",
    "meta_acon[norm=none,r=1]",
    "maxout[pieces=5]",
    "pelu[a=0.4,b=1.7,per=channel]",
    "se[r=1]",
    "smooth_relu[k=3]",
    "smooth_relu[k=3,step=algebraic]",
    "smooth_relu[k=3,step=arctan]",
    "smooth_relu[k=3,step=erf]",
    "smooth_relu[k=3,step=softsign]",
    "smooth_relu[k=3,step=tanh]",
]
"""Settings that only make sense together, and numbers that the sources give."""


def others(setting):
    """Values that a setting may have beside its default: each choice, the other truth, a smaller number."""
    if setting.choices:
        return [choice for choice in setting.choices if choice != setting.default]
    if setting.type is bool:
        return [not setting.default]
    if setting.type is int:
        return [max(1, setting.default // 2)]
    if setting.type is float:
        return [setting.default * 0.7 + 0.01]
    return []  # text: which there is, FURTHER says


def variants(entry):
    yield entry.name
    for setting in entry.settings.values():
        for value in others(setting):
            yield str(Spec(entry.name, {setting.name: value}))


def specs_by_entry():
    """Every entry's name, with its variants."""
    found = {
        entry.name: list(variants(entry))
        for entry in ACTIVATIONS
        if not any(s.required for s in entry.settings.values())
    }
    for spec in FURTHER:
        name = Spec.parse(spec).name
        found[name].append(spec)
    return {name: list(dict.fromkeys(specs)) for name, specs in found.items()}


def pytest_generate_tests(metafunc):
    """Give ``variant``, one spec after the other, or ``specs``, all of an entry."""
    if "variant" in metafunc.fixturenames:
        metafunc.parametrize("variant", [spec for specs in specs_by_entry().values() for spec in specs])
    if "specs" in metafunc.fixturenames:
        found = specs_by_entry()
        metafunc.parametrize("specs", found.values(), ids=found)


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"oracles_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ORACLES = {path.stem: load(path) for path in sorted(FOLDER.glob("*.py"))}


def look_up(table: str, name: str) -> Any:
    """Find what the oracles say of an entry; fails if none says anything."""
    found = [getattr(module, table)[name] for module in ORACLES.values() if name in getattr(module, table)]
    if len(found) != 1:
        pytest.fail(f"{len(found)} formulas for {name!r} in {table} of {FOLDER}: write one, from its paper alone")
    return found[0]


@dataclass
class Case:
    """An activation with its parameters moved, in float64, and what its paper says it is."""

    module: torch.nn.Module
    name: str
    settings: dict[str, Any]

    @property
    def noisy(self):
        """Whether it draws in training, where no formula says what."""
        said = [module.NOISY[self.name] for module in ORACLES.values() if self.name in module.NOISY]
        return any(draws(self.settings) for draws in said)

    @property
    def state(self):
        """Copies of parameters and buffers by name."""
        tensors = [*self.module.named_parameters(), *self.module.named_buffers()]
        constants = {}
        if "cells" in self.settings:  # the velocities at the vertices, which oracles check by themselves
            constants["vertices"] = vertex_basis(self.settings["cells"], self.settings["zero_boundary"])
        return {name: tensor.detach().numpy().copy() for name, tensor in tensors} | constants

    def truth(self, x, channel_dim=1, state=None):
        """Evaluate the formula on an array with the channels anywhere."""
        last = np.moveaxis(x, channel_dim, -1)
        flat = last.reshape(len(last), -1, last.shape[-1])
        state = self.state if state is None else state
        y = look_up("VALUES", self.name)(flat, state, self.settings, self.module.training)
        return np.moveaxis(np.broadcast_to(y, flat.shape).reshape(last.shape), -1, channel_dim)


def move(module, rng):
    """Move parameters and running statistics off their starts, and clear of 0, where sizes |b| have a kink."""
    named = [*module.named_parameters(), *((n, b) for n, b in module.named_buffers() if "running" in n)]
    with torch.no_grad():
        for _, tensor in named:
            step = rng.uniform(0.03, 0.08, tensor.shape) * np.where(tensor.numpy() < 0, -1, 1)
            tensor.add_(torch.from_numpy(step))


@pytest.fixture(scope="session")
def case():
    """Build a spec with moved parameters: ``case("pau", channels=3)``; ``moved=False`` leaves them as they start."""

    def build(spec, channels=3, channel_dim=1, seed=0, moved=True):
        subject = Subject.of(spec, channels)
        module = subject.build(channel_dim, seed).double()
        if moved:
            move(module, np.random.default_rng(seed + 1))
        return Case(module, subject.choice.entry.name, subject.choice.resolved)

    return build


@pytest.fixture(scope="session")
def oracles():
    """All oracle files by name, for what they hold besides formulas."""
    return ORACLES


@pytest.fixture(scope="session")
def counted():
    """How many parameters a spec has for so many channels, by its paper."""

    def count(spec, channels):
        choice = choose(spec)
        return look_up("COUNTS", choice.entry.name)(channels, choice.resolved)

    return count
