"""The mathematics that must be fast or exact, apart from the activations that use it.

Every operator is ``afbench::name`` in torch, with a plain formula and, where the library was compiled, kernels.
"""

from .gated import acon_b, acon_c, pelu, prelu, swish
from .pade import rational

__all__ = ["acon_b", "acon_c", "pelu", "prelu", "rational", "swish"]
