"""CPAB velocities in one dimension: their basis, the prior that theta is drawn from, and the penalty.

u = (x - a) / (b - a) is cut into ``cells`` equal cells, with v01(u) = alpha_i u + beta_i in cell i; the
outer cells reach to infinity. A = (alpha_0, beta_0, alpha_1, ...) = B theta, and v(x) = (b - a) v01(u)
(Freifeld et al. 2017, IEEE TPAMI 39(12)). What does not depend on theta is float64 NumPy.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def _frozen(array: Matrix) -> Matrix:
    array.setflags(write=False)  # cached, so shared by all callers
    return array


def _finite(array: Matrix, name: str) -> Matrix:
    if not np.isfinite(array).all():
        raise ValueError(f"{name} is not finite")
    return array


@lru_cache(maxsize=64)
def basis(cells: int, zero_boundary: bool = True) -> Matrix:
    """Orthonormal basis B of the continuous piecewise affine velocities on [0, 1], as [2 cells, d].

    d is cells - 1 with a zero boundary (v01(0) = v01(1) = 0) and cells + 1 without. The null space of the
    constraints by QR with pivoting; in each column the largest entry, the first of equals, is positive.

    Raises:
        ValueError: if there are fewer than 2 cells.

    >>> basis(10).shape, basis(10, zero_boundary=False).shape
    ((20, 9), (20, 11))
    """
    import scipy.linalg  # here, for `import afbench` loads torch alone

    if cells < 2:
        raise ValueError(f"cells must be at least 2, got {cells}")
    constraints = np.zeros((cells - 1 + 2 * zero_boundary, 2 * cells))
    for i, u in enumerate(np.arange(1, cells) / cells):
        constraints[i, 2 * i : 2 * i + 4] = (u, 1.0, -u, -1.0)
    if zero_boundary:
        constraints[-2, 1] = 1.0
        constraints[-1, -2:] = 1.0
    orthogonal, _, _ = scipy.linalg.qr(constraints.T, pivoting=True)
    columns = orthogonal[:, len(constraints) :]
    # Rounded, so that entries equal but for rounding are ties on every machine; argmax takes the first.
    largest = np.abs(columns).round(6).argmax(axis=0)
    return _frozen(columns * np.sign(columns[largest, np.arange(columns.shape[1])]))


@lru_cache(maxsize=64)
def vertex_basis(cells: int, zero_boundary: bool = True) -> Matrix:
    """Velocities v01 at the vertices 0, 1 / cells, ..., 1 of the columns of `basis`, as [cells + 1, d].

    >>> bool((vertex_basis(10)[[0, -1]] == 0).all())
    True
    """
    alpha, beta = basis(cells, zero_boundary).reshape(cells, 2, -1).swapaxes(0, 1)
    u = np.arange(cells + 1)[:, None] / cells
    values = np.concatenate([alpha, alpha[-1:]]) * u + np.concatenate([beta, beta[-1:]])
    if zero_boundary:
        values[[0, -1]] = 0.0  # not 1e-17: T(a) = a exactly
    return _frozen(values)


@lru_cache(maxsize=64)
def prior_covariance(cells: int, zero_boundary: bool, smooth: float, var: float) -> Matrix:
    """Covariance B^T C B of theta at the start, as [d, d].

    c_i are the centres of the cells. C between two slopes alpha or two intercepts beta of cells i and j is
    var^2 exp(-|c_i - c_j| / (2 smooth^2)); between a slope and an intercept it is
    var^2 exp(-100 max|c_i - c_j| / (2 smooth^2)). Source: difw's prior, with which DiTAC's code starts; its
    docstring says squared exponential, but the distance is not squared.

    >>> prior_covariance(10, True, 5.0, 2.0).shape
    (9, 9)
    """
    centres = (np.arange(cells) + 0.5) / cells
    distance = np.abs(centres[:, None] - centres)
    columns = basis(cells, zero_boundary)
    with np.errstate(all="ignore"):
        same = np.exp(-distance / (2 * smooth**2))
        other = np.full_like(same, np.exp(-100 * distance.max() / (2 * smooth**2)))
        covariance = np.kron(same, np.eye(2)) + np.kron(other, 1 - np.eye(2))
        result = var**2 * columns.T @ covariance @ columns
    return _frozen(_finite(result, f"the prior of smooth={smooth:g}, var={var:g}"))


@lru_cache(maxsize=64)
def penalty_matrix(cells: int, zero_boundary: bool, smooth: float, var: float) -> Matrix:
    """Precision P = inv(B^T K B + eps I) of the smoothness penalty theta^T P theta, as [d, d].

    K_ij = (var D)^2 exp(-2 |g_i - g_j| / smooth) with g = D points evenly over [-1, 1], D = 2 cells; eps is
    float32's. Source: L_reg of the paper, with the covariance of DiTAC's published code, utils/misc.py.

    >>> penalty_matrix(10, True, 5.0, 2.0).shape
    (9, 9)
    """
    columns = basis(cells, zero_boundary)
    g = np.linspace(-1.0, 1.0, 2 * cells)
    with np.errstate(all="ignore"):
        kernel = (var * len(g)) ** 2 * np.exp(-2 * np.abs(g[:, None] - g) / smooth)
        covariance = columns.T @ kernel @ columns + np.finfo(np.float32).eps * np.eye(columns.shape[1])
    name = f"the penalty of smooth={smooth:g}, var={var:g}"
    return _frozen(_finite(np.linalg.inv(_finite(covariance, name)).astype(np.float64), name))
