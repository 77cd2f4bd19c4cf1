"""Empty inputs of layers whose parameters see the whole input: gradients of zeros, as those of torch's own layers."""

from __future__ import annotations

import pytest
import torch

from afbench import create


@pytest.mark.parametrize("shape", [(0, 4), (2, 4, 0), (0, 4, 3, 3)], ids=str)
@pytest.mark.parametrize("spec", ["se", "meta_acon", "meta_acon[norm=none]", "meta_acon[per=layer]", "acon_c", "glu"])
def test_gradients_are_zeros(spec, shape):
    layer = create(spec, 4)  # in training
    x = torch.zeros(shape, requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert y.shape == x.grad.shape == x.shape
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None and not parameter.grad.any(), name


def test_the_running_averages_stay():
    layer = create("meta_acon", 4)
    layer(torch.zeros(2, 4, 0))
    assert not layer.norm1.running_mean.any() and layer.norm1.num_batches_tracked == 0
