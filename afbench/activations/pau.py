"""Padé activation units: learned ratios of two polynomials in powers of x."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..kernels import rational
from ..kernels.pointwise import widened
from ..kernels.sharded import write
from ..registry.entries import activation
from .channelwise import Device, Per, channel_of, parameter_shape
from .rational_starts import Version, pau_start
from .tracing import leaf

NOISE = 0.1


@activation(
    "pau",
    formula="(a_0 + a_1 x + ... + a_5 x^5) / (1 + |b_1 x| + ... + |b_4 x^4|)",
    paper="arXiv:1907.06732",
    year=2019,
    version=2,
    tags=("smooth", "rational"),
)
class PAU(nn.Module):
    """PAU: (a_0 + a_1 x + ... + a_5 x^5) / (1 + |b_1 x| + ... + |b_4 x^4|), learned per layer (Molina et al. 2019).

    The versions are those of the authors' library ``rational_activations``, whose default is A:

    - ``a``: 1 + |b_1 x| + ... + |b_m x^m| below the line.
    - ``b``: 1 + |b_1 x + ... + b_m x^m|, the form in the paper.
    - ``c``: 0.1 + |b_0 + b_1 x + ... + b_m x^m|.
    - ``d``: B, in training with each a_i times a factor of its own from U(0.9, 1.1), drawn anew in every call.
    - ``n``: 1 + b_1 x + ... + b_m x^m, which has a pole wherever training makes this 0; no start has one.

    Starts are fits on [-3, 3]: the library's own coefficients where it has them, for 5:4 ``leaky_relu`` (slope 0.01),
    ``leaky_relu_0.1``, ``relu``, ``swish`` (its ``silu``), ``tanh`` and ``sigmoid``, for 7:6 ``leaky_relu``, for 3:2
    ``leaky_relu_0.1`` and as A ``leaky_relu``. All others are this project's fits
    (``python -m afbench.activations.rational_fit``): also ``gelu``, for the reason below, ``identity``, and ``tanh``
    and ``sigmoid`` as A, which have a b_j within 1e-8 of 0 in the library, where |b_j| has no derivative.

    Version A 5:4 is off by at most, on [-3, 3]: leaky_relu 0.030 (at 0, where the value is a_0), leaky_relu_0.1 0.028,
    relu 0.030, gelu 0.0048, swish 1.2e-06, tanh 6.0e-05, sigmoid 3.4e-05, identity 3.8e-06; leaky ReLU is off by 0.26
    as 2:2, 0.11 as 3:2 and 0.010 as 7:6. Outside [-3, 3] starts drift away: with n = m + 1 the slope tends to
    a_n / |b_m| on both sides, 0.72 by default, with n = m the value to that constant; with n > m + 1 it grows like
    x^(n - m). Otherwise no stored start is ever farther from its function than 1.001 |x|. A higher degree need not fit
    better: swish as 7:6 is off by 0.0053.

    Fidelity:
        start: the coefficients of the authors' library for leaky ReLU (slope 0.01) on [-3, 3], degree 5:4; ``start=``
            has the library's others too
        published: ``rational_activations`` has version A by default; the paper's form is B; the first code
            (``ml-research/pau``) computes A from the coefficients of a fit as B, nearly the same there, and gives PAU
            an optimiser of its own with the network's learning rate, without weight decay. The library fails on inputs
            that are not contiguous; on the CPU its version A builds a float32 constant, which breaks float64; version D
            puts noise on the numerator alone on the CPU (its comment says both) and on both on the GPU, drawn anew for
            every element from a fixed seed; it stacks the powers of x, six times the memory; its start ``gelu`` has a
            pole at -3.0 as N, is below -50 at x = 100 as B and above 800 there as A
        ours: A by default as in the library, B by ``version=b``; D puts its noise where the library's CPU code does;
            any strides and dtype; no power overflows in a value; a zero-centred form; ``gelu`` and what the library
            lacks are fits of this project, bounded far beyond [-3, 3]

    Args:
        version: what stands below the line. A sum of odd degree changes its sign: B, C, D and N start with b_m = 0 if m
            is odd, as the fit of one degree less.
        degree: n:m, the degrees of numerator and denominator, up to 12:12.
        start: the function that the start is a fit of: one of those above, or any registered fixed activation, such as
            ``mish`` or ``leaky_relu[slope=0.2]``. What is not stored is fitted here, once a process and within about a
            second; between machines its coefficients may differ in the seventh digit.
        zero_centred: leave a_0 out, so that 0 stays 0; ``a`` then holds a_1..a_n.
        channels: the size of the channel dimension, C; only ``per="channel"`` needs it.
        channel_dim: which dimension of the input holds the channels.
        per: one function per layer, as published, or one per channel, all from the same start: ``a`` is then
            ``[C, n + 1]`` and ``b`` ``[C, m]``.

    Raises:
        ValueError: if there is no start for these settings, ``degree`` is malformed or above 12:12, or it is per
            channel and ``channels`` is missing or below 1.

    >>> PAU()(Tensor([-1.0, 2.0])).detach()
    tensor([-0.0107,  2.0002])
    """

    channel_dim: int | None = None  # pickles from before functions per channel lack it

    def __init__(
        self,
        version: Version = "a",
        degree: str = "5:4",
        start: str = "leaky_relu",
        zero_centred: bool = False,
        channels: int | None = None,
        channel_dim: int = 1,
        per: Per = "layer",
        *,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Start at the published coefficients, or at a fit."""
        super().__init__()
        fit = pau_start(version, degree, start, zero_centred)
        shape = () if per == "layer" else parameter_shape(per, channels)
        self.a, self.b = (
            nn.Parameter(torch.empty(*shape, len(v), device=device, dtype=dtype))
            for v in (fit.numerator, fit.denominator)
        )
        self.channel_dim = channel_dim if per == "channel" else None
        self.version, self.degree, self.start, self.zero_centred = version, degree, start, zero_centred
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start at the published coefficients, or at the fit, anew."""
        fit = pau_start(self.version, self.degree, self.start, self.zero_centred)
        for parameter, values in ((self.a, fit.numerator), (self.b, fit.denominator)):
            write(parameter, torch.tensor(values, dtype=torch.float64, device="cpu").expand(parameter.shape))

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        noisy = self.version == "d" and self.training
        return pau(x, self.a, self.b, self.version, self.zero_centred, noisy, self.channel_dim)

    def extra_repr(self) -> str:
        """Show the settings."""
        own = f"version={self.version}, degree={self.degree}, start={self.start}, zero_centred={self.zero_centred}"
        place = "" if self.channel_dim is None else f", channels={len(self.a)}, channel_dim={self.channel_dim}"
        return own + place


@leaf
def pau(
    x: Tensor, a: Tensor, b: Tensor, version: Version, zero_centred: bool, noisy: bool, channel_dim: int | None
) -> Tensor:
    """PAU of one of the versions, with a_0 = 0 left out of a if it is zero-centred."""
    if noisy or zero_centred:
        (a,) = widened(a)
    if noisy:
        a = a * (1 + NOISE * (2 * torch.rand_like(a) - 1))
    if zero_centred:
        a = torch.cat([a.new_zeros(*a.shape[:-1], 1), a], dim=-1)
    below = "b" if version == "d" else version
    return rational.rational(x, a, b, "", below, channel_of(x, a, channel_dim))
