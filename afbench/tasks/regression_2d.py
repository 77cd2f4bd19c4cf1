"""Reconstruction of a function of two variables: the only experiment of DiTAC with public code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from ..models import mlp
from .base import Arrays, AtLeastOne, Batch, MakeActivation, Positive, Regression, Splits, Task, task

WAVES = (
    (0.40, 9.0, -7.0),
    (0.10, -9.0, 11.0),
    (0.15, 3.0, 13.0),
    (0.15, 9.0, 9.0),
    (0.10, 13.0, 5.0),
    (0.10, 3.0, 19.0),
)
"""Amplitude and the two angular frequencies of each sine."""
ITERATIONS = 500
"""Steps of an epoch: the published experiment evaluates every 500 steps."""
EVALUATED = 500
"""Number of points of an evaluation."""
GRID, PICTURE = 201, 101


def target_function(points: Tensor) -> Tensor:
    """f(x) = sum_j A_j sin(a_j x1 + b_j x2) of points [N, 2]: [N, 1].

    Source: regression_example/main.py of the code published with arXiv:2407.07564.
    """
    amplitude, *frequencies = torch.tensor(WAVES, dtype=points.dtype, device=points.device).T
    values: Tensor = (points @ torch.stack(frequencies)).sin() @ amplitude[:, None]
    return values


@task("regression_2d", tags=("toy", "regression"), paper="arXiv:2407.07564", year=2024)
class Regression2d(Regression, Task):
    """Reconstruction of a sum of six sines on [-1, 1]^2, MLP 2-50-1.

    The published recipe: Adam, 10,000 steps, each on 98 new uniform points. R2 and the mean squared error are measured
    once, at the end, on a grid of 201 x 201 points of [-1, 1]^2. The published figure is different: the best R2 of
    evaluations every 500 steps, each on 500 new points of the test distribution, so the test data choose it. The extra
    metric ``best_on_test_r2`` computes it from a random stream of its own. Compare it with the published figure only.
    """

    plots = ("surface", "shape", "curve")
    budgets = {"smoke": {"epochs": 2}, "paper": {"epochs": 20}}
    bounds: ClassVar = {**Regression.bounds, "best_on_test_r2": Regression.bounds["r2"]}

    epochs: Annotated[int, AtLeastOne] = 20
    batch_size: Annotated[int, AtLeastOne] = 98
    lr: Annotated[float, Positive] = 5e-3

    def data(self, rng: torch.Generator) -> Splits:
        """Draw 500 points for validation; the test points are the grid. ``train`` is only an example of a batch."""
        return Splits(labelled(uniform(self.batch_size, rng)), labelled(uniform(EVALUATED, rng)), labelled(grid(GRID)))

    def network(self, act: MakeActivation) -> nn.Module:
        """Build the MLP with one activation."""
        return mlp(2, 50, 1, act=act)

    def batches(self, splits: Splits, rng: torch.Generator) -> Iterator[Batch]:
        """Draw the 500 batches of one epoch, each of new uniform points."""
        for _ in range(ITERATIONS):
            yield labelled(uniform(self.batch_size, rng).to(splits.train[0]))

    @torch.no_grad()
    def observe(self, model: nn.Module, epoch: int, rng: torch.Generator) -> dict[str, float]:
        """Measure R2 on 500 new points of the test distribution; the publication reports its maximum."""
        points, values = labelled(uniform(EVALUATED, rng).to(next(model.parameters())))
        return {"best_on_test_r2": self.metrics(model.eval()(points), values)["r2"]}

    def picture(self, model: nn.Module, splits: Splits) -> Arrays:
        """Return f and the network's reconstruction of it.

        Returns:
            ``target`` and ``prediction`` [101, 101] at evenly spaced points including the border, with rows along
            x2 from -1 and columns along x1; ``extent``, (-1, 1, -1, 1).
        """
        points, values = labelled(grid(PICTURE).to(splits.test[0]))
        surfaces = {"target": values, "prediction": model(points)}
        arrays: Arrays = {
            name: surface.reshape(PICTURE, PICTURE).float().cpu().numpy() for name, surface in surfaces.items()
        }
        return arrays | {"extent": np.asarray([-1, 1, -1, 1], np.float32)}


def uniform(count: int, rng: torch.Generator) -> Tensor:
    """Draw uniform points [count, 2] of [-1, 1]^2."""
    return 2 * torch.rand(count, 2, generator=rng) - 1


def grid(side: int) -> Tensor:
    """Return the points [side^2, 2] of an even grid over [-1, 1]^2 with its corners, row by row along x2."""
    axis = torch.linspace(-1, 1, side)
    return torch.cartesian_prod(axis, axis).flip(1)


def labelled(points: Tensor) -> Batch:
    """Pair points with their values."""
    return points, target_function(points)
