"""The mixture's densities and Bayes-optimal accuracy, against SciPy, closed forms and Monte Carlo."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from afbench.data import mixture as module
from afbench.data.mixture import Mixture, random_mixture


def components(mixture: Mixture) -> list[tuple[float, object]]:
    """The same mixture for SciPy: weights and frozen normal distributions."""
    covariances = mixture.factors.numpy() @ mixture.factors.numpy().transpose(0, 2, 1)
    normals = [stats.multivariate_normal(m, c) for m, c in zip(mixture.means.numpy(), covariances, strict=True)]
    return list(zip(mixture.weights.tolist(), normals, strict=True))


def two(distance: float, weights: tuple[float, float] = (0.5, 0.5)) -> Mixture:
    """Two round unit normals at a distance, along a tilted line."""
    direction = torch.tensor([0.6, 0.8], dtype=torch.float64)
    means = torch.stack([torch.zeros(2, dtype=torch.float64), distance * direction])
    return Mixture(torch.tensor(weights, dtype=torch.float64), means, torch.eye(2, dtype=torch.float64).expand(2, 2, 2))


def test_log_joint_is_that_of_scipy() -> None:
    mixture = random_mixture(7, 0.3, 1.0, 1)
    points = np.random.default_rng(0).normal(size=(50, 2))
    expected = np.stack([np.log(w) + normal.logpdf(points) for w, normal in components(mixture)], axis=1)
    np.testing.assert_allclose(mixture.log_joint(torch.from_numpy(points)).numpy(), expected, rtol=1e-10, atol=1e-10)


def test_posterior_is_bayes_rule() -> None:
    mixture = random_mixture(5, 0.4, 1.0, 2)
    points = np.random.default_rng(1).normal(size=(40, 2))
    joint = np.stack([w * normal.pdf(points) for w, normal in components(mixture)], axis=1)
    expected = joint / joint.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(mixture.posterior(torch.from_numpy(points)).numpy(), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("classes", "spread", "unevenness", "seed"), [(10, 0.15, 0.0, 1), (20, 0.15, 2.5, 0), (40, 0.3, 1.0, 3)]
)
def test_bayes_accuracy_by_monte_carlo(classes: int, spread: float, unevenness: float, seed: int) -> None:
    """Points drawn and classified with SciPy alone; 4 standard errors of 100,000 draws are below 0.65 points."""
    mixture = random_mixture(classes, spread, unevenness, seed)
    rng = np.random.default_rng(seed)
    count = 100_000 // classes
    known = components(mixture)
    points = np.concatenate([normal.rvs(count, random_state=rng) for _, normal in known])
    chosen = np.argmax([np.log(w) + normal.logpdf(points) for w, normal in known], axis=0)
    accuracy = (chosen == np.repeat(np.arange(classes), count)).mean()
    error = math.sqrt(accuracy * (1 - accuracy) / len(points))
    assert abs(mixture.bayes_accuracy - 100 * accuracy) < 4 * 100 * error


@pytest.mark.parametrize("distance", [0.0, 1.0, 3.0])
def test_bayes_accuracy_of_two_equal_normals_in_closed_form(distance: float) -> None:
    assert two(distance).bayes_accuracy == pytest.approx(100 * stats.norm.cdf(distance / 2), abs=0.01)


def test_bayes_accuracy_with_unequal_weights_in_closed_form() -> None:
    w, d = 0.8, 2.0
    cut = d / 2 + math.log(w / (1 - w)) / d
    expected = w * stats.norm.cdf(cut) + (1 - w) * stats.norm.sf(cut - d)
    assert two(d, (w, 1 - w)).bayes_accuracy == pytest.approx(100 * expected, abs=0.01)


@pytest.mark.parametrize(("classes", "unevenness"), [(2, 1.0), (20, 3.0)])
def test_quadrature_has_converged(classes: int, unevenness: float, monkeypatch: pytest.MonkeyPatch) -> None:
    coarse = random_mixture(classes, 0.15, unevenness, 0).bayes_accuracy
    monkeypatch.setattr(module, "CELLS", 1500)
    monkeypatch.setattr(module, "REACH", 8.0)
    fine = random_mixture.__wrapped__(classes, 0.15, unevenness, 0).bayes_accuracy
    assert coarse == pytest.approx(fine, abs=0.01)


def test_samples_have_the_components_moments() -> None:
    mixture = random_mixture(3, 0.3, 1.0, 4)
    points, labels = mixture.sample(60_000, torch.Generator().manual_seed(0))
    assert points.dtype == torch.float32
    for k in range(3):
        own = points[labels == k].double().numpy()
        assert len(own) == pytest.approx(20_000, abs=4 * math.sqrt(60_000 * 2 / 9))
        covariance = (mixture.factors[k] @ mixture.factors[k].T).numpy()
        error = 5 * np.sqrt(np.trace(covariance) / len(own))
        np.testing.assert_allclose(own.mean(0), mixture.means[k].numpy(), atol=error)
        np.testing.assert_allclose(np.cov(own.T), covariance, atol=0.06 * np.trace(covariance))


def test_a_seed_is_a_mixture() -> None:
    again = random_mixture.__wrapped__(20, 0.15, 1.0, 5)
    assert torch.equal(random_mixture(20, 0.15, 1.0, 5).means, again.means)
    assert torch.equal(random_mixture(20, 0.15, 1.0, 5).factors, again.factors)
    assert not torch.equal(random_mixture(20, 0.15, 1.0, 6).means, again.means)


@pytest.mark.parametrize("unevenness", [0.0, 1.0, 2.5])
def test_means_and_deviations_lie_where_the_docstring_says(unevenness: float) -> None:
    mixture = random_mixture(200, 0.2, unevenness, 0)
    assert mixture.means.abs().max() <= math.sqrt(3)
    assert mixture.means.var().item() == pytest.approx(1.0, abs=0.15)
    powers = (torch.linalg.svdvals(mixture.factors) / (0.2 * math.sqrt(12 / 200))).log2().flatten()
    assert powers.abs().max() <= unevenness + 1e-9
    assert powers.min() <= -0.97 * unevenness + 1e-9
    assert powers.max() >= 0.97 * unevenness - 1e-9


def test_extent_holds_every_component() -> None:
    mixture = two(1.0)
    assert mixture.extent(2.0) == pytest.approx((-2.0, 2.6, -2.0, 2.8))
