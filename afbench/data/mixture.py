"""A two-dimensional Gaussian mixture with one class per component; its densities give the best possible accuracy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor

from ..streams import stream

HALF_WIDTH = math.sqrt(3.0)
"""Means are uniform over [-sqrt 3, sqrt 3]^2: unit variance in each coordinate, like standardised inputs."""
CELLS = 500
"""Quadrature cells along each axis. At unevenness 3, 4 times as many change the accuracy by less than 0.005 points."""
REACH = 6.0
"""Standard deviations around each mean that the quadrature covers: less than 1e-8 of the mass lies outside."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """A density sum_k w_k N(x; m_k, F_k F_k^T) on the plane, in float64.

    Args:
        weights: w, [K], summing to 1.
        means: m, [K, 2].
        factors: F, [K, 2, 2], any square root of the covariance.
    """

    weights: Tensor
    means: Tensor
    factors: Tensor

    def sample(self, count: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw points [count, 2] in float32 and the components they came from, [count]."""
        labels = torch.multinomial(self.weights, count, replacement=True, generator=rng)
        noise = torch.randn(count, 2, 1, generator=rng, dtype=torch.float64)
        points = self.means[labels] + (self.factors[labels] @ noise).squeeze(-1)
        return points.float(), labels

    def log_joint(self, points: Tensor) -> Tensor:
        """log(w_k) + log N(x; m_k, F_k F_k^T) of points [N, 2] under each component: [N, K], in float64."""
        inverse = torch.linalg.inv(self.factors)
        offset = torch.einsum("kij,kj->ki", inverse, self.means)
        whitened = torch.einsum("kij,nj->nki", inverse, points.double()) - offset
        scale = torch.linalg.det(self.factors).abs().log() + math.log(2 * math.pi)
        log_density: Tensor = -scale - 0.5 * whitened.square().sum(-1)
        return self.weights.log() + log_density

    def posterior(self, points: Tensor) -> Tensor:
        """p(k | x) of points [N, 2]: [N, K], rows summing to 1. Its argmax is the Bayes-optimal classifier."""
        return self.log_joint(points).softmax(-1)

    def extent(self, reach: float) -> tuple[float, float, float, float]:
        """Return (xmin, xmax, ymin, ymax) of the box that holds ``reach`` standard deviations around every mean."""
        deviation = reach * self.factors.square().sum(-1).sqrt()
        low, high = (self.means - deviation).amin(0).tolist(), (self.means + deviation).amax(0).tolist()
        return low[0], high[0], low[1], high[1]

    @cached_property
    def bayes_accuracy(self) -> float:
        """The best accuracy any classifier can have, in percent: 100 * integral of max_k w_k p_k(x) dx.

        By the midpoint rule on 500 x 500 cells, 6 standard deviations around all means; good to 0.01 points.
        """
        xmin, xmax, ymin, ymax = self.extent(REACH)
        steps = (torch.arange(CELLS, dtype=torch.float64) + 0.5) / CELLS
        xs, ys = xmin + (xmax - xmin) * steps, ymin + (ymax - ymin) * steps
        # Row by row of cells, so that memory stays at some CELLS * K * 10 values a block.
        blocks = (self.log_joint(torch.cartesian_prod(xs, block)).amax(1).exp().sum() for block in ys.split(10))
        cell = (xmax - xmin) * (ymax - ymin) / CELLS**2
        return 100.0 * cell * float(sum(blocks))


@lru_cache(maxsize=32)
def random_mixture(classes: int, spread: float, unevenness: float, seed: int) -> Mixture:
    """Make the mixture of a seed; the same arguments always give the same mixture.

    Means are uniform over [-sqrt 3, sqrt 3]^2 and weights equal. A component's standard deviation along either
    axis of its own is spread * spacing * 2^u, u uniform over [-unevenness, unevenness], with spacing =
    sqrt(area / classes), about the distance between neighbours; its axes are turned by a uniform angle.

    Args:
        classes: how many components.
        spread: their size in units of the spacing, so that it means the same for any number of classes.
        unevenness: how much sizes differ; at 0 all components are the same circle and every boundary is straight.
        seed: which mixture.
    """
    rng = stream(seed, "mixture")

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=rng, dtype=torch.float64)

    means = HALF_WIDTH * (2 * uniform(classes, 2) - 1)
    spacing = 2 * HALF_WIDTH / math.sqrt(classes)
    deviations = spread * spacing * 2 ** (unevenness * (2 * uniform(classes, 2) - 1))
    angle = math.pi * uniform(classes)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], -1).reshape(classes, 2, 2)
    weights = torch.full((classes,), 1 / classes, dtype=torch.float64)
    return Mixture(weights, means, turn * deviations[:, None, :])
