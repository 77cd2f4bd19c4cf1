from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from afbench import create, list_activations
from afbench.activations.maxout import Maxout


@pytest.mark.parametrize("pieces", [1, 2, 5])
@pytest.mark.parametrize(("shape", "channel_dim"), [((4, 3), 1), ((4, 3, 5, 2), 1), ((4, 5, 3), -1), ((3, 4), 0)])
def test_values(pieces, shape, channel_dim):
    torch.manual_seed(0)
    module = Maxout(3, channel_dim, pieces).double()
    x = np.random.default_rng(0).normal(size=shape)
    W, b = module.W.detach().numpy(), module.b.detach().numpy()
    last = np.moveaxis(x, channel_dim, -1)
    expected = np.max([last @ W[j].T + b[j] for j in range(pieces)], axis=0)
    got = module(torch.from_numpy(x)).detach().numpy()
    assert_allclose(np.moveaxis(got, channel_dim, -1), expected, rtol=1e-12)


@pytest.mark.parametrize("channels", [1, 3, 64])
@pytest.mark.parametrize("pieces", [2, 3])
def test_parameter_count(channels, pieces):
    module = create(f"maxout[pieces={pieces}]", channels)
    assert sum(p.numel() for p in module.parameters()) == pieces * (channels**2 + channels)


def test_can_be_relu_and_the_absolute_value():
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    module = create("maxout", 3)
    with torch.no_grad():
        module.b.zero_()
        module.W[0] = torch.eye(3)
        module.W[1] = 0
        torch.testing.assert_close(module(x), x.relu())
        module.W[1] = -torch.eye(3)
        torch.testing.assert_close(module(x), x.abs())


def test_is_convex():
    torch.manual_seed(0)
    module, x, y = create("maxout[pieces=4]", 3), torch.randn(50, 3), torch.randn(50, 3)
    assert (module((x + y) / 2) <= (module(x) + module(y)) / 2 + 1e-6).all()


def test_is_tagged_as_a_layer():
    assert {"maxout", "glu", "se"} <= set(list_activations("layer"))
    with pytest.raises(ValueError, match="needs channels="):
        create("maxout")
    with pytest.raises(ValueError, match="at least 1"):
        create("maxout[pieces=0]", 3)
