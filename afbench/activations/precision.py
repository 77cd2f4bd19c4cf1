"""The dtype that formulas without parameters are computed in."""

from __future__ import annotations

import torch
from torch import Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """Cast 16-bit inputs to float32; float32 and float64 stay.

    PyTorch rounds after each operation: a formula of five operations in bfloat16 would lose two of its eight bits.

    >>> at_least_float32(torch.ones(2, dtype=torch.float16)).dtype
    torch.float32
    """
    return x.to(torch.promote_types(x.dtype, torch.float32))
