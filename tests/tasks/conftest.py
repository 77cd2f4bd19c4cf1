"""A small task, and a registry that is as it was after each test."""

from __future__ import annotations

from typing import Annotated, ClassVar

import pytest
import torch
from torch import nn

import afbench
from afbench.registry.entries import TASKS
from afbench.registry.settings import Range


@pytest.fixture(autouse=True)
def own_tasks():
    """Let a test register tasks, and take them back after."""
    TASKS.populate()
    before = dict(TASKS.entries), dict(TASKS.aliases)
    yield
    TASKS.entries, TASKS.aliases = before


@pytest.fixture
def halves():
    @afbench.task("halves", tags=("toy",), aliases={"wide_halves": "width=64"})
    class Halves(afbench.Task):
        """Two half planes, an MLP 2-8-2."""

        target = 100.0
        epochs: int = 20
        width: Annotated[int, Range(at_least=2)] = 8
        slant: float = 0
        budgets: ClassVar = {"smoke": {"epochs": 1, "width": 2}, "paper": {}}

        def data(self, rng: torch.Generator) -> afbench.Splits:
            points = [torch.randn(n, 2, generator=rng) for n in (64, 16, 16)]
            return afbench.Splits(*((x, (x[:, 0] > self.slant * x[:, 1]).long()) for x in points))

        def network(self, act):
            return nn.Sequential(
                nn.Linear(2, self.width), act(channels=self.width, channel_dim=-1), nn.Linear(self.width, 2)
            )

    return Halves
