from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy import special
from torch.nn import functional as F

from afbench import create
from afbench.activations.glu import GLU
from afbench.registry.factory import choose

GATES = {
    "sigmoid": special.expit,
    "silu": lambda z: z * special.expit(z),
    "gelu": lambda z: z * special.ndtr(z),
}


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize(("shape", "channel_dim"), [((4, 3), 1), ((4, 3, 5, 2), 1), ((4, 5, 3), -1), ((3, 4), 0)])
def test_values(gate, shape, channel_dim):
    torch.manual_seed(0)
    module = GLU(3, channel_dim, gate).double()
    W, V, b, c = (p.detach().numpy() for p in (module.W, module.V, module.b, module.c))
    x = np.random.default_rng(0).normal(size=shape)
    last = np.moveaxis(x, channel_dim, -1)
    expected = (last @ W.T + b) * GATES[gate](last @ V.T + c)
    got = module(torch.from_numpy(x)).detach().numpy()
    assert_allclose(np.moveaxis(got, channel_dim, -1), expected, rtol=1e-11)


def test_torch_computes_the_same():
    torch.manual_seed(0)
    module, x = GLU(3, -1), torch.randn(5, 3)
    linear = torch.nn.Linear(3, 6)
    linear.load_state_dict(
        {"weight": torch.cat([module.W, module.V]).detach(), "bias": torch.cat([module.b, module.c]).detach()}
    )
    torch.testing.assert_close(module(x), F.glu(linear(x), -1))


@pytest.mark.parametrize("channels", [1, 3, 64])
def test_parameter_count(channels):
    for gate in GATES:
        module = create(f"glu[gate={gate}]", channels)
        assert sum(p.numel() for p in module.parameters()) == 2 * (channels**2 + channels)


def test_aliases():
    assert choose("swiglu").spec == "glu[gate=silu]" and choose("geglu").spec == "glu[gate=gelu]"


def test_needs_channels():
    with pytest.raises(ValueError, match="needs channels="):
        create("glu")
