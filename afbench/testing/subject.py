"""What a check runs on: an activation that it can build anew, and inputs for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UsageError
from ..registry.entries import ACTIVATIONS
from ..registry.entry import Entry, place_of
from ..registry.factory import Choice, choose
from ..registry.spec import Spec
from ..streams import forked, stream


@dataclass(frozen=True)
class Subject:
    """An activation under test, built with ``channels`` channels where it takes them."""

    choice: Choice
    channels: int = 4
    exceptions: Mapping[str, str] = field(default_factory=dict)
    """The checks that it declares it cannot pass, with the reasons."""

    @classmethod
    def of(
        cls,
        activation: str | Spec | type[nn.Module],
        channels: int = 4,
        exceptions: Mapping[str, str] | None = None,
    ) -> Subject:
        """Make the subject of a spec or a class; a class need not be registered.

        Raises:
            UsageError: if the spec names nothing, or its settings are wrong.
        """
        if isinstance(activation, str | Spec):
            choice = choose(activation)
        else:
            known = next((entry for entry in ACTIVATIONS if entry.target is activation), None)
            entry = known or Entry("activation", activation.__name__, activation, where=place_of(activation))
            choice = Choice(entry, {})
        return cls(choice, channels, {**choice.entry.exceptions, **(exceptions or {})})

    def build(self, channel_dim: int = 1, seed: int = 0) -> nn.Module:
        """Build an instance; the same seed gives the same parameters."""
        with forked(seed, "check"):
            return self.choice.build(self.channels, channel_dim)

    def build_without_channels(self) -> nn.Module | None:
        """Build an instance without channels; None if it is per channel."""
        try:
            with forked(0, "check"):
                return self.choice.build()
        except UsageError:
            return None

    def input(self, *shape: int, seed: int = 0, scale: float = 2.0) -> Tensor:
        """Draw a float64 input, N(0, scale^2); by default three samples of the subject's channels."""
        drawn = torch.randn(shape or (3, self.channels), generator=stream(seed, "check/input"), dtype=torch.float64)
        return drawn * scale


def call(module: nn.Module, x: Tensor, seed: int = 0) -> Tensor:
    """Run a module under a fixed seed: an activation that draws noise draws the same noise at every call."""
    with forked(seed, "check/noise"):
        output: Tensor = module(x)
    return output


def tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Go through parameters and buffers with their names."""
    yield from module.named_parameters()
    yield from module.named_buffers()


def expect(condition: object, message: str) -> None:
    """Raise AssertionError with the message unless the condition holds; ``assert`` would vanish under ``-O``."""
    if not condition:
        raise AssertionError(message)


def agree(got: Tensor, expected: Tensor, what: str, **tolerance: Any) -> None:
    """Raise AssertionError unless two tensors agree within ``rtol`` and ``atol``, by default those of their dtype."""

    def one_line(message: str) -> str:
        lines = [line.strip() for line in message.splitlines() if line.strip()]
        return f"{what}: {'; '.join(lines[1:] or lines)}"

    torch.testing.assert_close(got, expected, msg=one_line, **tolerance)


def nudge(module: nn.Module) -> None:
    """Move every trainable parameter off its start, as training does."""
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.requires_grad:
                parameter.mul_(1.1).add_(0.05)
