"""The velocities' basis, prior and penalty against their formulas, and the basis against a stored matrix."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from afbench.kernels import field

BOUNDARIES = (True, False)
STORED = json.loads(Path(__file__).with_name("bases.json").read_text())
"""The velocities at the vertices, by cells and zero boundary, from a derivation apart: bases.py."""


@pytest.mark.parametrize("zero_boundary", BOUNDARIES)
@pytest.mark.parametrize("cells", [2, 3, 5, 10, 40])
def test_basis(cells, zero_boundary):
    B = field.basis(cells, zero_boundary)
    assert B.shape == (2 * cells, cells - 1 if zero_boundary else cells + 1)
    np.testing.assert_allclose(B.T @ B, np.eye(B.shape[1]), atol=1e-12)
    alpha, beta = B[::2], B[1::2]
    inner = np.arange(1, cells)[:, None] / cells
    left, right = alpha[:-1] * inner + beta[:-1], alpha[1:] * inner + beta[1:]
    np.testing.assert_allclose(left, right, atol=1e-12)
    if zero_boundary:
        np.testing.assert_allclose([beta[0], alpha[-1] + beta[-1]], 0, atol=1e-12)
    largest = np.abs(B).max(0)
    assert (B > largest - 1e-5).any(0).all(), "the largest entry is positive"
    with pytest.raises(ValueError, match="read-only"):
        B[0, 0] = 1


@pytest.mark.parametrize("name", STORED)
def test_theta_means_what_it_meant(name):
    """Another orthonormal basis would change what stored weights mean."""
    cells, zero_boundary = int(name.split()[0]), name.endswith("True")
    velocities = np.array(STORED[name])
    np.testing.assert_allclose(field.vertex_basis(cells, zero_boundary), velocities, rtol=0, atol=1e-13)
    alpha, beta = field.basis(cells, zero_boundary).reshape(cells, 2, -1).swapaxes(0, 1)
    np.testing.assert_allclose(alpha, np.diff(velocities, axis=0) * cells, rtol=0, atol=1e-12)
    np.testing.assert_allclose(beta, velocities[:-1] - alpha * np.arange(cells)[:, None] / cells, rtol=0, atol=1e-12)


def test_basis_refuses_one_cell():
    with pytest.raises(ValueError, match="cells must be at least 2, got 1"):
        field.basis(1)


@pytest.mark.parametrize("zero_boundary", BOUNDARIES)
def test_prior_covariance(zero_boundary):
    cells, smooth, var = 7, 3.0, 2.0
    C = np.empty((14, 14))
    for p in range(14):
        for q in range(14):
            near = abs(p // 2 - q // 2) / cells
            distance = near if p % 2 == q % 2 else 100 * (cells - 1) / cells
            C[p, q] = var**2 * np.exp(-distance / (2 * smooth**2))
    B = field.basis(cells, zero_boundary)
    covariance = field.prior_covariance(cells, zero_boundary, smooth, var)
    np.testing.assert_allclose(covariance, B.T @ C @ B, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("zero_boundary", BOUNDARIES)
def test_penalty_matrix(zero_boundary):
    cells, smooth, var = 7, 5.0, 1.5
    grid = [-1 + 2 * i / 13 for i in range(14)]
    K = np.array([[(var * 14) ** 2 * np.exp(-2 * abs(g - h) / smooth) for h in grid] for g in grid])
    B = field.basis(cells, zero_boundary)
    covariance = B.T @ K @ B + 2.0**-23 * np.eye(B.shape[1])
    P = field.penalty_matrix(cells, zero_boundary, smooth, var)
    np.testing.assert_allclose(P @ covariance, np.eye(B.shape[1]), atol=1e-9)


def test_published_penalty_is_weak():
    """The eigenvalues that DiTAC's defaults are known to give."""
    values = np.linalg.eigvalsh(field.penalty_matrix(10, True, 5.0, 2.0))
    assert values[0] == pytest.approx(4e-4, rel=0.2) and values[-1] == pytest.approx(1.6e-2, rel=0.2)
