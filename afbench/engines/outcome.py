"""What goes into an engine beside the work, and what comes out where the work itself left nothing."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import torch

from ..discovery import load_module, load_plugin
from ..registry import ACTIVATIONS, TASKS


@dataclass(frozen=True)
class Failure:
    """An item whose process died or ran out of time."""

    kind: str
    """``lost`` or ``timeout``."""
    message: str


@dataclass(frozen=True)
class Setup:
    """What a fresh process must do before it can work: find what the user's own code registers."""

    plugins: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()

    def __call__(self) -> None:
        """Do it."""
        for folder in self.path:
            if folder not in sys.path:
                sys.path.append(folder)
        for plugin in self.plugins:
            load_plugin(plugin, ACTIVATIONS, TASKS)
        for module in self.modules:
            load_module(module)
        warm_up()


def warm_up() -> None:
    """Take one optimizer step: a process's first costs about a second of imports, which are no trial's time."""
    weight = torch.zeros(1, requires_grad=True)
    weight.sum().backward()
    torch.optim.Adam([weight], fused=True).step()
