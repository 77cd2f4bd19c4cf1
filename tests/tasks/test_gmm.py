"""The mixture task: what its seeds fix, its network, its reference and its picture."""

import inspect
import io

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from afbench.data.mixture import random_mixture
from afbench.errors import UsageError
from afbench.streams import forked, stream
from afbench.tasks.base import Splits, create_task
from afbench.tasks.gmm import GaussianMixture


class Halves(nn.Module):
    """Class 1 right of x = 0, class 2 there where also y > 0, else class 0."""

    def forward(self, points: Tensor) -> Tensor:
        right, upper = points[:, 0] > 0, points[:, 1] > 0
        label = right.long() + (right & upper).long()
        return nn.functional.one_hot(label, 20).float()


def draw(seed: int, **settings: object) -> Splits:
    return create_task("gmm", settings).data(stream(seed, "data"))


def rows(points: Tensor) -> set[bytes]:
    return {row.tobytes() for row in points.numpy()}


def test_a_seed_fixes_the_data() -> None:
    for one, other in zip(draw(3), draw(3), strict=True):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])


def test_another_seed_draws_other_samples_of_the_same_mixture() -> None:
    one, other = draw(0).test, draw(1).test
    assert not torch.equal(one[0], other[0])
    for k in range(20):
        means = [points[labels == k].mean(0) for points, labels in (one, other)]
        torch.testing.assert_close(means[0], means[1], atol=0.25, rtol=0)


def test_the_mixture_setting_changes_the_mixture() -> None:
    bayes = {create_task("gmm", {"mixture": seed}).references()["Bayes-optimal accuracy"] for seed in range(3)}
    assert len(bayes) == 3


def test_splits_have_their_sizes_and_share_no_point() -> None:
    task, splits = create_task("gmm"), draw(0)
    assert [len(labels) for _, labels in splits] == [task.samples, 2000, 10_000]
    train, validation, test = (rows(points) for points, _ in splits)
    assert not (train & validation or train & test or validation & test)


def test_batches_are_the_training_samples_once_each() -> None:
    task, splits = create_task("gmm"), draw(0)
    seen = torch.cat([points for points, _ in task.batches(splits, stream(0, "order"))])
    assert len(seen) == task.samples
    assert rows(seen) == rows(splits.train[0])


def test_activations_see_the_same_data_and_start_from_the_same_weights() -> None:
    def start(activation: type[nn.Module]) -> list[Tensor]:
        with forked(7, "weights"):
            network = GaussianMixture().network(lambda **_: activation())
        return [p for p in network.parameters()]

    assert "act" not in inspect.signature(GaussianMixture.data).parameters
    assert all(torch.equal(a, b) for a, b in zip(start(nn.ReLU), start(nn.Tanh), strict=True))


def test_reference_is_the_mixtures_bayes_accuracy() -> None:
    task = create_task("gmm", {"mixture": 4, "classes": 6, "spread": 0.3, "unevenness": 2.0})
    assert task.references() == {"Bayes-optimal accuracy": random_mixture(6, 0.3, 2.0, 4).bayes_accuracy}


def test_the_true_posterior_reaches_the_reference() -> None:
    task = create_task("gmm")
    points, labels = draw(0).test
    reached = task.metrics(task.source.posterior(points), labels)["accuracy"]
    assert reached == pytest.approx(task.references()["Bayes-optimal accuracy"], abs=4 * 0.35)


def test_headline_follows_the_settings() -> None:
    assert create_task("gmm").headline == (GaussianMixture.__doc__ or "").partition("\n")[0].rstrip(".")
    small = create_task("gmm", {"classes": 5, "width": 8, "depth": 1})
    assert small.headline == "2-D Gaussian mixture, 5 classes, MLP 2-8-5"


@pytest.mark.parametrize(
    "settings", [{"classes": 1}, {"classes": 256}, {"spread": 0}, {"unevenness": 4}, {"mixture": -1}, {"depth": 0}]
)
def test_refuses_what_makes_no_mixture(settings: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=next(iter(settings))):
        create_task("gmm", settings)


def test_picture_holds_the_regions_where_they_lie() -> None:
    picture = create_task("gmm").picture(Halves(), draw(0))
    xmin, xmax, ymin, ymax = picture["extent"]
    side = len(picture["regions"])
    assert picture["regions"].shape == (side, side)
    x = xmin + (np.arange(side) + 0.5) * (xmax - xmin) / side
    y = ymin + (np.arange(side) + 0.5) * (ymax - ymin) / side
    expected = (x > 0).astype(int)[None, :] + ((x > 0)[None, :] & (y > 0)[:, None])
    np.testing.assert_array_equal(picture["regions"], expected)


def test_picture_shows_test_points_and_is_small() -> None:
    splits = draw(0)
    noisy = nn.Sequential(nn.Linear(2, 20), nn.Tanh(), nn.Linear(20, 20))
    with torch.no_grad():
        picture = create_task("gmm").picture(noisy, splits)
    assert {name: values.dtype.name for name, values in picture.items()} == {
        "regions": "uint8",
        "extent": "float32",
        "points": "float32",
        "labels": "uint8",
    }
    np.testing.assert_array_equal(picture["points"], splits.test[0][:1000].numpy())
    np.testing.assert_array_equal(picture["labels"], splits.test[1][:1000].numpy())
    held = io.BytesIO()
    np.savez_compressed(held, **picture)
    assert held.tell() < 60_000
