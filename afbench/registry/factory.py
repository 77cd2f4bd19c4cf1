"""From a spec to a module: look-up, typed settings, canonical form, and one new instance per place in a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from ..errors import UsageError
from ..streams import forked
from .discovery import import_class, last_line
from .entries import ACTIVATIONS
from .entry import WHERE, Entry
from .settings import Value, differing, resolve
from .spec import Spec

PROBE_CHANNELS = 8
Device = torch.device | str | int | None


@dataclass(frozen=True)
class Choice:
    """A checked spec: its entry, and the typed settings that differ from the entry's defaults."""

    entry: Entry
    settings: dict[str, Value]

    @property
    def spec(self) -> str:
        """The canonical text, which names this activation in records and tables."""
        return str(Spec(self.entry.name, self.settings))

    @property
    def resolved(self) -> dict[str, Value]:
        """Every setting, defaults included."""
        return {name: s.default for name, s in self.entry.settings.items()} | self.settings

    def build(
        self,
        channels: int | None = None,
        channel_dim: int = 1,
        *,
        device: Device = None,
        dtype: torch.dtype | None = None,
        inplace: bool = False,
    ) -> nn.Module:
        """Build one instance; a class that declares no ``device`` and ``dtype`` is moved there afterwards.

        Many networks pass ``inplace`` to their activations. It is ignored: no input is overwritten.

        Raises:
            UsageError: if an argument has a wrong type, the constructor raises, or ``channels`` is missing and needed.
        """
        if not isinstance(inplace, bool):
            raise UsageError(f"inplace must be true or false, not {inplace!r}")
        if dtype is not None and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
            raise UsageError(f"dtype must be a floating-point dtype, such as torch.float64, not {dtype!r}")
        for name, number in (("channels", channels), ("channel_dim", channel_dim)):
            if number is not None and (isinstance(number, (bool, str, float)) or not hasattr(number, "__index__")):
                raise UsageError(f"{name} must be an int, not {number!r}")
        if isinstance(device, str):
            try:
                torch.device(device)
            except RuntimeError as error:
                raise UsageError(f"device must be a torch device, such as 'cpu' or 'cuda:0', not {device!r}") from error
        places = {"channels": channels, "channel_dim": channel_dim, "device": device, "dtype": dtype}
        given = {name: places[name] for name in self.entry.takes if places[name] is not None}
        if self.entry.required_channels and channels is None:
            raise UsageError(f"{self.spec} is per channel: it needs channels=, the size of the channel dimension")
        try:
            module = self.entry.target(**given, **self.settings)
        except (ValueError, TypeError) as error:
            raise UsageError(f"{self.spec}: {' '.join(str(error).split())}") from error
        if not isinstance(module, nn.Module):
            raise UsageError(f"{self.spec} made a {type(module).__name__}, not a torch.nn.Module")
        if (device is not None or dtype is not None) and not self.entry.takes >= set(WHERE):
            module.to(device=device, dtype=dtype)
        module.__dict__["is_activation"] = True  # so that its parameters are known as an activation's, whoever wrote it
        return module


def choose(spec: str | Spec | Choice, further: Mapping[str, Value] | None = None) -> Choice:
    """Look a spec up and type its settings; aliases resolve to the entry they stand for.

    Args:
        spec: such as ``"ditac[cells=20]"``; a ``Choice`` is returned as it is, unless there are further settings.
        further: settings besides those of the spec.

    Raises:
        UsageError: for an unknown name or setting, a wrong type, a value out of range, or one that is set twice.
    """
    if isinstance(spec, Choice):
        if not further:
            return spec
        spec = Spec(spec.entry.name, spec.settings)
    if not isinstance(spec, (str, Spec)):
        raise UsageError(f"an activation is given as text, such as 'relu' or 'ditac[cells=20]', not as {spec!r}")
    spec = Spec.parse(spec) if isinstance(spec, str) else spec
    if further:
        twice = next((name for name in further if name in spec.settings), None)
        if twice is not None:
            both = f"{spec.settings[twice]} in {spec} and {further[twice]} as an argument"
            raise UsageError(f"activation {spec.name!r}: {twice} is set twice: {both}; set it once")
        spec = Spec(spec.name, {**spec.settings, **further})
    if ":" in spec.name:
        implied: Mapping[str, Value] = {}
        imported = import_class(spec.name)
        # Only afbench's own classes get their short names: a worker process has not imported the user's module.
        own = imported.target.__module__.startswith("afbench.")
        entry = next((known for known in ACTIVATIONS if own and known.target is imported.target), imported)
    else:
        entry, implied = ACTIVATIONS.find(spec.name)
    values = resolve(entry.settings, {**implied, **spec.settings}, f"activation {entry.name!r}")
    return Choice(entry, differing(entry.settings, values))


def create(
    spec: str | Spec,
    channels: int | None = None,
    channel_dim: int = 1,
    *,
    device: Device = None,
    dtype: torch.dtype | None = None,
    inplace: bool = False,
    **settings: Value,
) -> nn.Module:
    """Build an activation from its spec.

    Args:
        spec: such as ``"ditac"`` or ``"leaky_relu[slope=0.2]"``.
        channels: the size of the channel dimension; only per-channel activations need it.
        channel_dim: which dimension holds the channels.
        device: the device of its parameters, as for the layers of torch.
        dtype: their dtype.
        inplace: accepted, since many networks pass it to their activations, and ignored: no input is overwritten.
        settings: the spec's settings as arguments; a setting of the spec cannot be set again.

    Raises:
        UsageError: if the spec is wrong; the message says what would be right.

    >>> create("leaky_relu", slope=0.5)(torch.tensor([-1.0, 2.0]))
    tensor([-0.5000,  2.0000])
    """
    choice = choose(spec, settings)
    own = choice.entry.settings.keys() & {"device", "dtype", "inplace"}
    if own:  # somebody's class has a setting of that name
        given: dict[str, Any] = {"device": device, "dtype": dtype, "inplace": inplace or None}
        choice = choose(spec, settings | {name: given[name] for name in own if given[name] is not None})
        device, dtype, inplace = (None if name in own else value for name, value in given.items())  # type: ignore[assignment]
    return choice.build(channels, channel_dim, device=device, dtype=dtype, inplace=inplace or False)


def check(spec: str | Spec | Choice) -> Choice:
    """Check a spec before anything runs, by building it on the meta device."""
    choice = choose(spec)
    probe(choice)
    return choice


DRAWN = ("normal", "uniform", "bernoulli", "random", "exponential", "log_normal", "cauchy", "geometric")
FILLING = tuple(getattr(torch.Tensor, f"{name}_") for name in DRAWN)


class Undrawn(TorchFunctionMode):
    """Draws no random numbers: torch would import torch._dynamo to draw them on the meta device."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call ``torch.empty`` for ``torch.randn`` and ``torch.rand``; leave a tensor on meta that is to be filled."""
        kwargs = kwargs or {}
        if func in FILLING or getattr(func, "__module__", "") == nn.init.__name__:
            tensor = args[0] if args else kwargs["tensor"]
            if tensor.is_meta:
                return tensor
        if func in (torch.randn, torch.rand):
            func, kwargs = torch.empty, {name: value for name, value in kwargs.items() if name != "generator"}
        return func(*args, **kwargs)


def probe(choice: Choice, channels: int = PROBE_CHANNELS) -> nn.Module:
    """Build one instance on the meta device; if that fails, on the CPU, because a constructor may need numbers.

    Raises:
        UsageError: if it cannot be built.
    """
    try:
        with torch.device("meta"), Undrawn():
            return choice.build(channels)
    except (Exception, SystemExit):  # other people's code may raise anything
        pass
    try:
        with forked(0, "probe"):
            return choice.build(channels)
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(f"{choice.spec}: {last_line(error)}") from error


def is_trainable(choice: Choice) -> bool:
    """Tell whether an activation has trainable parameters."""
    return any(p.requires_grad for p in probe(choice).parameters())


def list_activations(tag: str | None = None) -> list[str]:
    """Name all registered activations, or those with a tag.

    >>> "relu" in list_activations()
    True
    """
    return [entry.name for entry in ACTIVATIONS if tag is None or tag in entry.tags]


class Factory:
    """Builds the activations of a task's network: ``act(channels=C, channel_dim=-1)``, a new one at each call.

    Each is built with a random stream of (seed, place), so that its random numbers do not shift those of others.
    """

    def __init__(self, choice: Choice, seed: int) -> None:
        """Make the factory of one network; places count from 0."""
        self.choice, self.seed = choice, seed
        self.built: list[nn.Module] = []
        self.places: list[tuple[int | None, int]] = []

    def __call__(self, channels: int | None = None, channel_dim: int = 1, **where: Any) -> nn.Module:
        """Build the activation of the next place; ``where`` is what `Choice.build` takes by name."""
        with forked(self.seed, f"activation/{len(self.built)}"):
            module = self.choice.build(channels, channel_dim, **where)
        self.built.append(module)
        self.places.append((channels, channel_dim))
        return module
