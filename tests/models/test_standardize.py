"""Bytes into standardised values: against NumPy in float64, in the network's dtype, without parameters."""

import numpy as np
import pytest
import torch

from afbench.models import Standardize

MEAN, DEVIATION = [0.49, 0.1, 0.9], [0.25, 0.3, 0.01]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_values_and_dtype(dtype):
    images = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 6), np.uint8)
    expected = (images / 255 - np.reshape(MEAN, (3, 1, 1))) / np.reshape(DEVIATION, (3, 1, 1))
    y = Standardize(MEAN, DEVIATION).to(dtype)(torch.from_numpy(images))
    assert y.dtype == dtype
    # The constants are kept in float32; the terms are of the size of mean / deviation, up to 90.
    accuracy = max(torch.finfo(dtype).eps, torch.finfo(torch.float32).eps)
    assert np.abs(y.double().numpy() - expected).max() < 4 * 90 * accuracy


def test_it_has_no_parameters_and_no_state():
    layer = Standardize(MEAN, DEVIATION)
    assert not list(layer.parameters())
    assert not layer.state_dict()
