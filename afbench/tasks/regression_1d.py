"""Reconstruction of a function of one variable by a few hidden nodes, with a plot of each node."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from ..models import mlp
from ..registry.settings import Range
from .base import Arrays, AtLeastOne, Batch, MakeActivation, Positive, Regression, Splits, Task, task

WAVES = ((0.5, 3.0, 1.0), (0.5, 9.0, 0.0))
"""Amplitude, angular frequency and phase of each sine."""
VALIDATION, GRID, PICTURE = 500, 1001, 201
SHOWN = 3
"""Number of hidden nodes in a picture."""


def target_function(points: Tensor) -> Tensor:
    """f(x) = (sin(3 x + 1) + sin(9 x)) / 2 of points [N, 1]: [N, 1]."""
    amplitude, frequency, phase = torch.tensor(WAVES, dtype=points.dtype, device=points.device).T
    values: Tensor = (points * frequency + phase).sin() @ amplitude[:, None]
    return values


@task("regression_1d", tags=("toy", "regression"), paper="arXiv:2407.07564", year=2024)
class Regression1d(Regression, Task):
    """Reconstruction of a sum of two sines on [-1, 1] from noisy samples, MLP 1-3-1.

    The hidden layer has three nodes, as in Fig. 3 of DiTAC, so each node can be drawn before and after its activation.
    The figure's function, samples and recipe are not published in our sources. They are our own; the function f was
    fixed before any activation was trained on it. f has six turning points. Three nodes with one kink each, such as
    those of ReLU or PReLU, cannot follow it: a continuous piecewise linear function with three kinks has an R2 of at
    most 81 %. A learnt shape can in principle: one node is enough if its activation is f. R2 and the mean squared error
    are measured once, at the end, on 1,001 evenly spaced points of [-1, 1] without noise.

    Settings:
        width: the number of hidden nodes; a picture shows the first three.
        samples: the number of training samples, uniform on [-1, 1].
        noise: the standard deviation of the normal noise of training and validation values.
    """

    plots = ("nodes", "shape", "curve")

    width: Annotated[int, AtLeastOne] = 3
    samples: Annotated[int, AtLeastOne] = 500
    noise: Annotated[float, Range(at_least=0)] = 0.05
    epochs: Annotated[int, AtLeastOne] = 200
    batch_size: Annotated[int, AtLeastOne] = 50
    # The best of 3e-3, 1e-2, 3e-2 by ReLU's validation R2 with seeds 1000 to 1002.
    lr: Annotated[float, Positive] = 3e-2
    schedule: Literal["constant", "cosine"] = "cosine"

    @property
    def headline(self) -> str:
        """The docstring's first line with the chosen width."""
        return super().headline.replace("1-3-1", f"1-{self.width}-1")

    def data(self, rng: torch.Generator) -> Splits:
        """Draw points [N, 1] and values [N, 1] for training, and 500 for validation; the test points are the grid."""
        points = torch.linspace(-1, 1, GRID)[:, None]
        return Splits(self.sample(self.samples, rng), self.sample(VALIDATION, rng), (points, target_function(points)))

    def sample(self, count: int, rng: torch.Generator) -> Batch:
        """Draw uniform points of [-1, 1] and their noisy values."""
        points = 2 * torch.rand(count, 1, generator=rng) - 1
        return points, target_function(points) + self.noise * torch.randn(count, 1, generator=rng)

    def network(self, act: MakeActivation) -> nn.Module:
        """Build the MLP with one activation."""
        return mlp(1, self.width, 1, act=act)

    def picture(self, model: nn.Module, splits: Splits) -> Arrays:
        """Return f, the network's fit, and the values of its hidden nodes.

        Args:
            model: the three layers of ``network``.
            splits: the data, which gives the device and dtype of the points.

        Returns:
            ``x`` [201], evenly spaced points of [-1, 1]; ``f`` and ``fit`` [201]; ``before`` and ``after`` [201, K],
            the values of the first K <= 3 hidden nodes before and after the activation.
        """
        first, activation, last = model.children()
        points = torch.linspace(-1, 1, PICTURE)[:, None].to(splits.test[0])
        before = first(points)
        after = activation(before)
        curves = {"x": points, "f": target_function(points), "fit": last(after)}
        nodes = {"before": before[:, :SHOWN], "after": after[:, :SHOWN]}
        tensors = {name: values[:, 0] for name, values in curves.items()} | nodes
        return {name: values.float().cpu().numpy() for name, values in tensors.items()}
