"""Padé activation units: learnt ratios of two polynomials."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..registry import activation
from .channelwise import promote

# Leaky ReLU with slope 0.01 on [-3, 3]: the start that the authors' library gives version A, degree 5:4.
LEAKY_RELU_A = (0.029792778657, 0.618373526499, 2.323309062531, 3.051936237265, 1.485420326383, 0.251024496111)
LEAKY_RELU_B = (-1.141954835729, 4.393159974992, 0.871471230996, 0.347196623396)


def rational(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Ratio P(x) / Q(x) = (a_0 + ... + a_n x^n) / (1 + |b_1 x| + ... + |b_m x^m|), whose powers cannot overflow.

    Numerator and denominator are divided by the powers n and m of s = max(|x|, 1). What is left are polynomials in
    x / s and 1 / s, both within [-1, 1]: the ratio in x near 0 and in 1/x beyond |x| > 1.

    Args:
        x: of any shape.
        a: ``[n + 1]``, from the constant term up.
        b: ``[m]``, from the linear term up; m <= n.

    >>> rational(torch.tensor([2.0, 1e30]), torch.tensor([1.0, 0.0, 3.0]), torch.tensor([0.0, 1.0]))
    tensor([2.6000, 3.0000])
    """
    # The ratio does not depend on s, so its derivatives are those at constant s: autograd need not follow the kink.
    scale = x.detach().abs().clamp(min=1)
    near, far = x / scale, 1 / scale
    numerator = homogeneous(near, far, a)
    denominator = homogeneous(near.abs(), far, torch.cat([b.new_ones(1), b.abs()]))
    ratio = numerator / denominator
    for _ in range(len(a) - 1 - len(b)):
        ratio = ratio * scale
    return ratio


def homogeneous(u: Tensor, v: Tensor, coefficients: Tensor) -> Tensor:
    """Sum c_i u^i v^(n - i) over i = 0..n, by Horner's rule in u.

    >>> homogeneous(torch.tensor(2.0), torch.tensor(3.0), torch.tensor([1.0, 1.0, 1.0]))
    tensor(19.)
    """
    *lower, total = coefficients.unbind()
    power = v
    for position, coefficient in enumerate(reversed(lower)):
        power = power if position == 0 else power * v
        total = torch.addcmul(coefficient * power, total, u)
    return total


@activation(
    "pau",
    formula="(a_0 + a_1 x + ... + a_5 x^5) / (1 + |b_1 x| + ... + |b_4 x^4|)",
    paper="arXiv:1907.06732",
    year=2019,
    tags=("smooth", "rational"),
)
class PAU(nn.Module):
    """PAU: (a_0 + a_1 x + ... + a_5 x^5) / (1 + |b_1 x| + ... + |b_4 x^4|), learnt per layer (Molina et al. 2019).

    This is version A of the authors' library ``rational_activations``, its default; the paper itself takes
    the absolute value of the whole sum. Both are fits of leaky ReLU on [-3, 3], with an error up to 0.030 (at 0, where
    the value is a_0), and drift away from it outside: far out the slope is a_5 / |b_4| = 0.72 on both sides.

    >>> PAU()(Tensor([-1.0, 2.0])).detach()
    tensor([-0.0107,  2.0002])
    """

    def __init__(self) -> None:
        """Start at the published coefficients."""
        super().__init__()
        self.a = nn.Parameter(torch.tensor(LEAKY_RELU_A))
        self.b = nn.Parameter(torch.tensor(LEAKY_RELU_B))

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; any shape."""
        return rational(promote(x, self.a), self.a, self.b).to(x.dtype)

    def extra_repr(self) -> str:
        """Show the degrees."""
        return f"degree={len(self.a) - 1}:{len(self.b)}"
