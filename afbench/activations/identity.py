"""The identity: the control that shows what a network gains from an activation at all."""

from __future__ import annotations

from torch import Tensor, nn

from ..registry.entries import activation


@activation("identity", formula="x", tags=("linear",))
class Identity(nn.Module):
    """Identity: x.

    Fidelity:
        published: torch: the same
        ours: x

    >>> Identity()(Tensor([-1.0, 2.0]))
    tensor([-1.,  2.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` itself."""
        return x
