from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from afbench.activations.projection import Linear, project


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5), (4, 3, 5, 2), (2, 3, 2, 2, 2)])
def test_is_a_convolution_with_kernel_1(shape):
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(size=shape), rng.normal(size=(6, 3)), rng.normal(size=6)
    got = project(*(torch.from_numpy(v) for v in (x, weight, bias)), channel_dim=1).numpy()
    expected = np.einsum("dc,nc...->n...d", weight, x) + bias
    assert_allclose(got, expected, rtol=1e-12)
    image = torch.from_numpy(x)[..., None, None].flatten(2).unsqueeze(-1)
    conv = torch.nn.functional.conv2d(image, torch.from_numpy(weight)[..., None, None], torch.from_numpy(bias))
    assert_allclose(got.reshape(shape[0], -1, 6), conv[..., 0].movedim(1, -1).numpy(), rtol=1e-12)


def test_starts_as_a_linear_layer_does():
    """The same draws from the same generator, as torch.nn.Linear's, here and after reset_parameters."""
    torch.manual_seed(0)
    theirs = torch.nn.Linear(100, 20)
    torch.manual_seed(0)
    ours = Linear(100, 20)
    for _ in range(2):
        assert_allclose(ours.weight.detach().numpy(), theirs.weight.detach().numpy(), rtol=1e-6)
        assert_allclose(ours.bias.detach().numpy(), theirs.bias.detach().numpy(), rtol=1e-6)
        torch.manual_seed(0)
        ours.reset_parameters()


def test_wrong_channels_are_refused():
    with pytest.raises(ValueError, match="built for channels=3"):
        project(torch.zeros(2, 4), torch.zeros(6, 3), None, 1)
