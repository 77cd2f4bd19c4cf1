"""What stands below the line of a start while it is fitted: positive for every value of the search's parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FLOOR, CEILING = 1e-4, 100.0


@dataclass(frozen=True)
class Sizes:
    """Q(x) = 1 + sum |d_j| |f_j(x)|, the parameters of the search being log |d_j|."""

    powers: Array
    """``[m, m + 1]``: f_1..f_m in powers of x."""

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Bounds of the search: at 0 |d_j| would have no gradient."""
        m = len(self.powers)
        return np.full(m, np.log(FLOOR)), np.full(m, np.log(CEILING))

    def coefficients(self, z: Array) -> Array:
        """Return d."""
        return np.exp(z)

    def denominator(self, d: Array, x: Array) -> Array:
        """Return Q(x)."""
        return 1 + self._sizes(x) @ np.abs(d)

    def slopes(self, z: Array, x: Array) -> Array:
        """Return dQ(x) / dz, ``[N, m]``."""
        return self._sizes(x) * np.exp(z)

    def _sizes(self, x: Array) -> Array:
        return np.abs(vandermonde(x, self.powers.shape[1]) @ self.powers.T)


@dataclass(frozen=True)
class Positive:
    """Q(x) = 1 + S(x) with S(x) = g x^2 prod((x - r_k)^2 + w_k^2) >= 0: the parameters are log g, r_k and log w_k."""

    m: int
    """The degree, even; with 0 it is Q(x) = 1."""

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Bounds of the search."""
        k, low, high = max(self.m // 2 - 1, 0), [np.log(FLOOR)], [np.log(CEILING)]
        if not self.m:
            return np.empty(0), np.empty(0)
        return np.array(low + [-10.0] * k + [-1.0] * k), np.array(high + [10.0] * k + [3.0] * k)

    def coefficients(self, z: Array) -> Array:
        """Return b."""
        total = np.array([0.0, 0.0, np.exp(z[0])]) if self.m else np.zeros(1)
        for r, w in self._roots(z):
            total = np.convolve(total, [r * r + w * w, -2 * r, 1.0])
        return total[1:]

    def denominator(self, b: Array, x: Array) -> Array:
        """Return Q(x)."""
        return 1 + np.abs(vandermonde(x, len(b) + 1)[:, 1:] @ b)

    def slopes(self, z: Array, x: Array) -> Array:
        """Return dQ(x) / dz, ``[N, len(z)]``."""
        size = self.denominator(self.coefficients(z), x) - 1
        off = [((x - r), w) for r, w in self._roots(z)]
        of_r = [size * -2 * far / (far**2 + w**2) for far, w in off]
        of_w = [size * 2 * w**2 / (far**2 + w**2) for far, w in off]
        return np.stack([size, *of_r, *of_w], axis=1)

    def _roots(self, z: Array) -> list[tuple[float, float]]:
        k = max(self.m // 2 - 1, 0)
        return list(zip(z[1 : 1 + k].tolist(), np.exp(z[1 + k :]).tolist(), strict=True))


Form = Sizes | Positive


def vandermonde(x: Array, terms: int) -> Array:
    """Powers 0..terms - 1 of x, ``[N, terms]``."""
    return np.vander(x, terms, increasing=True)
