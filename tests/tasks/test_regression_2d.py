"""The published regression: its function, its samples, its grid, and the figure that peeks."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from afbench.streams import stream
from afbench.tasks.base import Splits, create_task
from afbench.tasks.regression_2d import Regression2d, target_function


class Known(nn.Module):
    """A network that is f itself, plus an error."""

    def __init__(self, error: float = 0.0) -> None:
        super().__init__()
        self.error = nn.Parameter(torch.tensor(error))

    def forward(self, points: Tensor) -> Tensor:
        return target_function(points) + self.error


def f(x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
    """The function as published, term by term."""
    return (
        0.4 * np.sin(9 * x1 - 7 * x2)
        + 0.1 * np.sin(-9 * x1 + 11 * x2)
        + 0.15 * np.sin(3 * x1 + 13 * x2)
        + 0.15 * np.sin(9 * x1 + 9 * x2)
        + 0.1 * np.sin(13 * x1 + 5 * x2)
        + 0.1 * np.sin(3 * x1 + 19 * x2)
    )


@pytest.fixture(scope="module")
def splits() -> Splits:
    return create_task("regression_2d").data(stream(0, "data"))


def test_function_is_the_published_one() -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (200, 2))
    values = target_function(torch.from_numpy(points))
    assert values.shape == (200, 1)
    np.testing.assert_allclose(values[:, 0].numpy(), f(*points.T), rtol=0, atol=1e-13)


def test_function_at_points_worked_out_by_hand() -> None:
    points = torch.tensor([[0.0, 0.0], [math.pi / 18, 0.0]], dtype=torch.float64)
    s = [math.sin(c * math.pi / 18) for c in (9, -9, 3, 9, 13, 3)]
    second = 0.4 * s[0] + 0.1 * s[1] + 0.15 * s[2] + 0.15 * s[3] + 0.1 * s[4] + 0.1 * s[5]
    torch.testing.assert_close(target_function(points), torch.tensor([[0.0], [second]], dtype=torch.float64))


def test_the_published_recipe() -> None:
    task = create_task("regression_2d")
    assert (task.optimizer, task.lr, task.weight_decay, task.schedule) == ("adam", 5e-3, 0.0, "constant")
    network = task.network(lambda **_: nn.ReLU())
    assert [type(layer) for layer in network] == [nn.Linear, nn.ReLU, nn.Linear]
    assert sum(p.numel() for p in network.parameters()) == (2 * 50 + 50) + (50 + 1)


def test_ten_thousand_steps_of_98_new_points(splits: Splits) -> None:
    task, order = create_task("regression_2d"), stream(0, "order")
    epochs = [list(task.batches(splits, order)) for _ in range(2)]
    assert task.epochs * len(epochs[0]) == 10_000
    assert all(points.shape == (98, 2) and values.shape == (98, 1) for points, values in epochs[0])
    points = torch.cat([points for epoch in epochs for points, _ in epoch])
    assert len(points.unique(dim=0)) > 0.999 * len(points)
    assert points.min() >= -1
    assert points.max() <= 1
    # Of a uniform distribution over [-1, 1]: mean 0, variance 1/3; five standard errors.
    assert points.mean().abs() < 5 * math.sqrt(1 / 3 / points.numel())
    assert points.var().item() == pytest.approx(1 / 3, abs=5 * math.sqrt(4 / 45 / points.numel()))


def test_order_stream_fixes_the_batches(splits: Splits) -> None:
    task = create_task("regression_2d")
    first = [next(task.batches(splits, stream(seed, "order")))[0] for seed in (0, 0, 1)]
    assert torch.equal(first[0], first[1])
    assert not torch.equal(first[0], first[2])


def test_training_never_sees_the_test(splits: Splits) -> None:
    hidden = (torch.full((1, 2), math.nan), torch.full((1, 1), math.nan))
    task = create_task("regression_2d")
    points = torch.cat([p for p, _ in task.batches(Splits(splits.train, hidden, hidden), stream(0, "order"))])
    on_grid = ((points * 100 - (points * 100).round()).abs() < 1e-6).all(1)
    assert not on_grid.any()


def test_the_test_is_the_grid_of_201_by_201(splits: Splits) -> None:
    points, values = splits.test
    assert points.shape == (201 * 201, 2)
    x1, x2 = np.meshgrid(np.linspace(-1, 1, 201), np.linspace(-1, 1, 201))
    np.testing.assert_allclose(points.numpy(), np.stack([x1.ravel(), x2.ravel()], 1), atol=1e-6)
    np.testing.assert_allclose(values.numpy().reshape(201, 201), f(x1, x2), atol=2e-5)
    corners = {(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)}
    assert corners <= set(map(tuple, points.tolist()))


def test_validation_is_drawn_and_the_test_is_not(splits: Splits) -> None:
    other = create_task("regression_2d").data(stream(1, "data"))
    assert splits.validation[0].shape == (500, 2)
    assert not torch.equal(splits.validation[0], other.validation[0])
    assert torch.equal(splits.test[0], other.test[0])


def test_metrics_against_sums_over_the_grid(splits: Splits) -> None:
    points, values = splits.test
    found = Regression2d().metrics(Known(0.1)(points).detach(), values)
    truth = f(*np.meshgrid(np.linspace(-1, 1, 201), np.linspace(-1, 1, 201)))
    assert found["mse"] == pytest.approx(0.01, rel=1e-5)
    assert found["r2"] == pytest.approx(100 * (1 - 0.01 / truth.var()), rel=1e-5)


def test_observe_measures_on_new_points_of_its_stream() -> None:
    task, rng = create_task("regression_2d"), stream(0, "observe")
    assert task.observe(Known(), 1, stream(0, "observe")) == {"best_on_test_r2": 100.0}
    first, second = (task.observe(Known(0.1), epoch, rng)["best_on_test_r2"] for epoch in (1, 2))
    assert first != second
    drawn = 2 * torch.rand(500, 2, generator=stream(0, "observe")).numpy() - 1
    expected = 100 * (1 - 0.01 / f(*drawn.T.astype(np.float64)).var())
    assert first == pytest.approx(expected, rel=1e-4)


def test_picture_lies_the_right_way(splits: Splits) -> None:
    picture = create_task("regression_2d").picture(Known(0.5).requires_grad_(False), splits)
    x1, x2 = np.meshgrid(np.linspace(-1, 1, 101), np.linspace(-1, 1, 101))
    np.testing.assert_allclose(picture["target"], f(x1, x2), atol=2e-5)
    np.testing.assert_allclose(picture["prediction"], f(x1, x2) + 0.5, atol=2e-5)
    np.testing.assert_array_equal(picture["extent"], [-1, 1, -1, 1])
    assert {values.dtype.name for values in picture.values()} == {"float32"}


def test_smoke_budget_is_two_epochs() -> None:
    assert create_task("regression_2d", budget="smoke").epochs == 2
    assert create_task("regression_2d", budget="paper").epochs == 20
