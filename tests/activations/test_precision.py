import pytest
import torch

from afbench.activations.precision import at_least_float32


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_dtype_to_compute_in(given, wanted):
    assert at_least_float32(torch.ones(1, dtype=given)).dtype == wanted
