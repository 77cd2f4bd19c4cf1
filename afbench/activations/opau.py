"""Orthogonal Padé activation units: learned ratios of two sums of orthogonal polynomials."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..kernels import rational
from ..kernels.orthogonal import Basis, Centring, free_terms
from ..kernels.pointwise import widened
from ..kernels.rational import degrees, in_powers_of_x, numerator
from ..kernels.sharded import by_parts, is_sharded, write
from ..registry.entries import activation
from .channelwise import Device, Per, channel_of, parameter_shape
from .rational_starts import find, unsafe_start
from .tracing import leaf


@activation(
    "opau",
    aliases={"hp1": "basis=hermite_prob", "hp2": "basis=hermite_phys"},
    formula="(c_0 f_0(x) + ... + c_5 f_5(x)) / (1 + |d_1| |f_1(x)| + ... + |d_4| |f_4(x)|)",
    paper="arXiv:2106.09693",
    year=2021,
    tags=("smooth", "rational"),
)
class OPAU(nn.Module):
    """OPAU: (c_0 f_0(x) + ... + c_5 f_5(x)) / (1 + |d_1| |f_1(x)| + ... + |d_4| |f_4(x)|) (Biswas et al. 2021).

    f_i are the orthogonal polynomials of a basis, by default Chebyshev's of the first kind; HP-1 (alias ``hp1``) has
    the probabilists' Hermite polynomials, HP-2 (``hp2``) the physicists'. Learned per layer, or per channel.

    Starts are fits to the named function on [-3, 3], as in the paper. The paper's table of coefficients was not at
    hand, so the fits are this project's (``python -m afbench.activations.rational_fit``), and the degree is PAU's, 5:4.

    Leaky ReLU (slope 0.01) as 5:4 is off by at most, on [-3, 3]: chebyshev1 0.073, chebyshev2 0.053, laguerre 0.070,
    legendre 0.060, hermite_prob 0.095, hermite_phys 0.069; the smooth functions as 5:4 by at most 0.027. A higher
    degree need not fit better: no d_j may start near 0, so gelu, swish and identity as 7:6 are up to ten times farther
    off than as 5:4. Outside [-3, 3] starts drift away: with n = m + 1 the slope tends to one constant on both sides,
    with n = m the value. None is ever farther from its function than 1.001 |x|.

    Fidelity:
        start: fits to leaky ReLU (slope 0.01), as in the paper; its table of coefficients and its degrees are unknown:
            the fits are this project's, the degree is PAU's
        published: no public code of the authors is known; a library's port starts at the identity
        ours: the paper's formula with its six bases, safe by default; ``hp1`` and ``hp2`` are the two Hermite bases

    Args:
        basis: the family of polynomials.
        degree: n:m, the degrees of numerator and denominator, up to 12:12.
        start: the function that the start is a fit of: ``leaky_relu``, ``leaky_relu_0.1``, ``relu``, ``gelu``,
            ``swish``, ``tanh``, ``sigmoid``, ``identity`` or any registered fixed activation. What is not stored (5:4,
            2:2, 3:2 and 7:6 of those named are) is fitted here, once a process and within about a second; between
            machines its coefficients may differ in the seventh digit.
        safe: whether sizes are added below the line. If not it is 1 + d_1 f_1(x) + ... + d_m f_m(x), which has a pole
            wherever training makes it 0; it starts as the same function as PAU version N.
        zero_centred: whether the numerator is made to vanish at 0, so that 0 stays 0: sum c_i f_i(0) = 0, which is
            c_0 - c_2 + 3 c_4 = 0 for HP-1. If true, c_0 follows from the others and ``c`` holds one entry fewer;
            ``case2``, two fewer: c_0 = 0, and c_2 follows; ``case1``: all c_i with f_i(0) other than 0 are 0. The cases
            are not for Laguerre. Case 1 is an odd function, which leaky ReLU is not: HP-1 is off by 1.5 on
            [-3, 3] with it, and by 0.94 with case 2.
        channels: the size of the channel dimension, C; only ``per="channel"`` needs it.
        channel_dim: which dimension of the input holds the channels.
        per: one function per layer, as published, or one per channel, all from the same start: ``c`` is then
            ``[C, n + 1]`` and ``d`` ``[C, m]``.

    Raises:
        ValueError: if there is no start for these settings, ``degree`` is malformed or above 12:12, or it is per
            channel and ``channels`` is missing or below 1.

    >>> OPAU("hermite_prob")(Tensor([-1.0, 2.0])).detach()
    tensor([-0.0077,  1.9963])
    """

    channel_dim: int | None = None  # pickles from before functions per channel lack it

    def __init__(
        self,
        basis: Basis = "chebyshev1",
        degree: str = "5:4",
        start: str = "leaky_relu",
        safe: bool = True,
        zero_centred: Centring = False,
        channels: int | None = None,
        channel_dim: int = 1,
        per: Per = "layer",
        *,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Start at a fit."""
        super().__init__()
        free_terms(basis, degrees(degree)[0], zero_centred)  # refuses what does not exist
        self.basis: Basis = basis
        self.degree, self.start, self.safe, self.zero_centred = degree, start, safe, zero_centred
        c, d = self._start()
        shape = () if per == "layer" else parameter_shape(per, channels)
        self.c, self.d = (nn.Parameter(torch.empty(*shape, len(v), device=device, dtype=dtype)) for v in (c, d))
        self.channel_dim = channel_dim if per == "channel" else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start at the fit anew."""
        for parameter, values in zip((self.c, self.d), self._start(), strict=True):
            write(parameter, torch.tensor(values, dtype=torch.float64, device="cpu").expand(parameter.shape))

    def _start(self) -> tuple[Sequence[float], Sequence[float]]:
        if not self.safe:
            return unsafe_start(self.basis, self.degree, self.start, self.zero_centred)
        fit = find(self.basis, self.degree, self.start, self.zero_centred)
        return fit.numerator, fit.denominator

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        n, m = degrees(self.degree)
        above, rest = numerator(self.basis, n, self.zero_centred), numerator(self.basis, m, "rest")
        return opau(x, self.c, self.d, above, rest, self.basis if self.safe else None, self.channel_dim)

    def extra_repr(self) -> str:
        """Show the settings."""
        shown = ("basis", "degree", "start", "safe", "zero_centred")
        own = ", ".join(f"{name}={getattr(self, name)}" for name in shown)
        return own if self.channel_dim is None else f"{own}, channels={len(self.c)}, channel_dim={self.channel_dim}"


@leaf
def opau(
    x: Tensor, c: Tensor, d: Tensor, above: str, rest: str, below: Basis | None, channel_dim: int | None
) -> Tensor:
    """OPAU with the terms that c and d stand before, and the basis below the line; None without absolute values."""
    channel = channel_of(x, c, channel_dim)
    if below is not None:
        return rational.rational(x, c, d, above, below, channel)
    if is_sharded(x) or is_sharded(c):
        alike = channel_dim is None
        return by_parts(lambda x, c, d: opau(x, c, d, above, rest, below, channel_dim), x, (c, d), alike)
    # 1 + d_1 f_1(x) + ... in powers of x.
    c, d = widened(c, d)
    b = in_powers_of_x(d, rest)
    denominator = torch.cat([1 + b[..., :1], b[..., 1:]], -1)
    return rational.rational(x, in_powers_of_x(c, above), denominator, "", "whole", channel)
