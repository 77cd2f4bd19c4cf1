"""The cost of every activation of ratios.py, one case a test: ``python -m pytest benchmarks --benchmark-only -n 0``.

Each case's extra_info holds its median over GELU's and over a copy's, measured in turns with it in this session.
``-k "s7 and forward"`` and the like choose among the cases; ``--benchmark-json FILE`` keeps all.
"""

from __future__ import annotations

import statistics

import pytest
import torch
from torch import nn

from benchmarks.ratios import CANDIDATES, SHAPES, layer, measure, steps


class Copy(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.clone()


@pytest.fixture
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("mode", ["forward", "both"])
@pytest.mark.parametrize("threads", [1, 2], indirect=True, ids=lambda n: f"{n}-threads")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("spec", [c.spec for c in CANDIDATES])
def test_cost(benchmark, spec, shape, threads, mode):
    torch.manual_seed(0)
    x = torch.randn(SHAPES[shape])
    rounds = 100 if shape == "small" else 8
    modules = {"own": layer(spec, SHAPES[shape]), "gelu": nn.GELU(), "copy": Copy()}
    work = {name: {mode: steps(module, x)[mode]} for name, module in modules.items()}
    taken = {name: statistics.median(modes[mode]) for name, modes in measure(work, rounds).items()}
    benchmark.extra_info |= {name: taken["own"] / taken[name] for name in ("gelu", "copy")}
    benchmark.group = f"{shape}, {threads} threads, {mode}"
    benchmark.pedantic(work["own"][mode], rounds=rounds, warmup_rounds=1)
