"""The regression by a few nodes: its function and what can fit it, its samples, its grid, and its picture."""

import io
import itertools

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from afbench.errors import UsageError
from afbench.registry.factory import choose
from afbench.streams import stream
from afbench.tasks.base import Splits, create_task
from afbench.tasks.regression_1d import target_function
from afbench.training.train import train


class Shape(nn.Module):
    """An activation that has learnt f itself."""

    def forward(self, x: Tensor) -> Tensor:
        return target_function(x.reshape(-1, 1)).reshape(x.shape)


def f(x: np.ndarray) -> np.ndarray:
    return 0.5 * np.sin(3 * x + 1) + 0.5 * np.sin(9 * x)


def draw(seed: int = 0, **settings: object) -> Splits:
    return create_task("regression_1d", settings).data(stream(seed, "data"))


def network(act: nn.Module, weight: list[float], bias: list[float], out: list[float], shift: float) -> nn.Module:
    """A network with known weights, built by the task."""
    model = create_task("regression_1d", {"width": len(weight)}).network(lambda **_: act)
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor(weight)[:, None])
        model[0].bias.copy_(torch.tensor(bias))
        model[2].weight.copy_(torch.tensor(out)[None])
        model[2].bias.fill_(shift)
    return model.requires_grad_(False)


def test_function() -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (200, 1))
    values = target_function(torch.from_numpy(points))
    assert values.shape == (200, 1)
    np.testing.assert_allclose(values.numpy(), f(points), rtol=0, atol=1e-13)


def test_function_turns_six_times() -> None:
    slope = np.diff(f(np.linspace(-1, 1, 2001)))
    assert (slope[1:] * slope[:-1] < 0).sum() == 6


def test_three_kinks_reach_an_r2_of_81_percent_at_most() -> None:
    x = np.linspace(-1, 1, 201)
    knots = np.linspace(-1, 1, 51)[1:-1]
    basis = np.stack([np.ones_like(x), x, *(np.maximum(x - knot, 0) for knot in knots)])
    kinks = np.array(list(itertools.combinations(range(2, len(basis)), 3)))
    used = np.concatenate([np.tile([0, 1], (len(kinks), 1)), kinks], axis=1)
    gram, moments = (basis @ basis.T)[used[:, :, None], used[:, None, :]], (basis @ f(x))[used]
    explained = (np.linalg.solve(gram, moments[..., None])[..., 0] * moments).sum(1)
    residual = (f(x) @ f(x) - explained.max()) / len(x)
    assert 80 < 100 * (1 - residual / f(x).var()) < 81


def test_a_learnt_shape_fits_with_one_node() -> None:
    task, splits = create_task("regression_1d", {"width": 1}), draw()
    measured = task.metrics(network(Shape(), [1.0], [0.0], [1.0], 0.0)(splits.test[0]), splits.test[1])
    assert measured["r2"] == pytest.approx(100, abs=1e-6)
    assert measured["mse"] == pytest.approx(0, abs=1e-10)


def test_a_seed_fixes_the_samples() -> None:
    for one, same in zip(draw(3), draw(3), strict=True):
        assert torch.equal(one[0], same[0])
        assert torch.equal(one[1], same[1])


def test_another_seed_draws_others_and_no_split_shares_them() -> None:
    one, other = draw(3), draw(4)
    drawn = [one.train, one.validation, other.train, other.validation]
    points = torch.cat([points for points, _ in drawn])
    assert len(points.unique()) > 0.999 * len(points)
    assert torch.equal(one.test[0], other.test[0])


def test_training_and_validation_are_noisy_and_the_test_is_the_grid() -> None:
    splits = draw(samples=20_000, noise=0.1)
    assert [len(points) for points, _ in splits] == [20_000, 500, 1001]
    points, values = splits.train
    error = values.numpy() - f(points.numpy())
    assert error.std() == pytest.approx(0.1, rel=5 / np.sqrt(2 * 20_000))
    assert abs(error.mean()) < 5 * 0.1 / np.sqrt(20_000)
    assert -1 <= points.min() < -0.99 and 0.99 < points.max() <= 1
    assert np.std(splits.validation[1].numpy() - f(splits.validation[0].numpy())) == pytest.approx(0.1, rel=0.2)
    grid = np.linspace(-1, 1, 1001)[:, None]
    np.testing.assert_allclose(splits.test[0].numpy(), grid, atol=1e-6)
    np.testing.assert_allclose(splits.test[1].numpy(), f(grid), atol=1e-5)


def test_without_noise_the_samples_lie_on_the_function() -> None:
    points, values = draw(noise=0).train
    np.testing.assert_allclose(values.numpy(), f(points.numpy()), atol=1e-5)


def test_three_nodes_unless_the_width_says_otherwise() -> None:
    layers = create_task("regression_1d").network(lambda channels, channel_dim: nn.PReLU(channels))
    assert [tuple(p.shape) for p in layers.parameters()] == [(3, 1), (3,), (3,), (1, 3), (1,)]
    assert create_task("regression_1d").headline.endswith("MLP 1-3-1")
    assert create_task("regression_1d", {"width": 8}).headline.endswith("MLP 1-8-1")
    with pytest.raises(UsageError, match="width"):
        create_task("regression_1d", {"width": 0})


def test_picture_holds_each_node_before_and_after() -> None:
    model = network(nn.ReLU(), [1.0, -2.0, 3.0, 4.0], [0.5, 0.25, 0.0, 9.0], [1.0, 2.0, 3.0, 4.0], -1.0)
    picture = create_task("regression_1d", {"width": 4}).picture(model, draw())
    x = np.linspace(-1, 1, 201)
    before = np.stack([x + 0.5, -2 * x + 0.25, 3 * x, 4 * x + 9], axis=1)
    after = np.maximum(before, 0)
    np.testing.assert_allclose(picture["x"], x, atol=1e-6)
    np.testing.assert_allclose(picture["f"], f(x), atol=1e-5)
    np.testing.assert_allclose(picture["before"], before[:, :3], atol=1e-5)
    np.testing.assert_allclose(picture["after"], after[:, :3], atol=1e-5)
    np.testing.assert_allclose(picture["fit"], after @ [1, 2, 3, 4] - 1, atol=1e-4)
    assert {values.dtype.name for values in picture.values()} == {"float32"}
    held = io.BytesIO()
    np.savez_compressed(held, **picture)
    assert held.tell() < 10_000


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_trial_leaves_its_picture(dtype: str) -> None:
    task = create_task("regression_1d", {"dtype": dtype, "epochs": 2})
    trained = train(task, choose("prelu"), 0)
    assert set(trained.metrics) == {"r2", "mse"}
    assert trained.arrays["picture/before"].shape == trained.arrays["picture/after"].shape == (201, 3)


def test_relu_stays_below_its_bound_and_above_a_line() -> None:
    r2 = train(create_task("regression_1d"), choose("relu"), 0).metrics["r2"]
    x = np.linspace(-1, 1, 1001)
    line = 100 * np.corrcoef(x, f(x))[0, 1] ** 2
    assert line < r2 < 81
