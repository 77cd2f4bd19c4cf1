"""Convert DiTAC's theta from a published basis to afbench's.

A velocity on [0, 1] is A = (alpha_0, beta_0, alpha_1, ...) = B theta in both. The columns of both B span the same space
and B_ours is orthonormal, so theta_ours = B_ours^T B_published theta_published. ``precision_mat`` of the checkpoint
shows which B was used: it is inv(B^T K B), with K known.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..kernels import field

Matrix = NDArray[np.float64]

BASES = ("qr", "svd", "rref", "sparse")
"""The bases of ``difw``; DiTAC's class uses ``qr``."""

TOLERANCE = 0.02
"""Largest difference between a float32 ``precision_mat`` and the one of the basis, relative to its largest entry.
Another basis differs by 0.3 or more."""


def published_basis(kind: str, cells: int) -> Matrix:
    """Make a basis of ``difw`` with zero boundary, ``[2 cells, cells - 1]``.

    - ``qr``: the null space of the constraints by QR with pivoting, with the columns and signs of LAPACK.
    - ``svd``: the null space by singular values, from LAPACK.
    - ``sparse``: a hat at each inner vertex, 1 / cells high.
    - ``rref``: a triangle that rises from 0 to vertex k and is 0 again from k + 1 on, scaled so that its largest
      coefficient is 1.

    Source: ``difw/core/tessellation.py`` of ``imartinezl/difw``, of which ``ditac/utils/tessellation.py`` is the same.

    >>> published_basis("sparse", 4).shape
    (8, 3)
    """
    from scipy.linalg import null_space, qr

    if kind in ("qr", "svd"):
        rows = np.zeros((cells + 1, 2 * cells))
        for i in range(1, cells):
            rows[i - 1, 2 * i - 2 : 2 * i + 2] = (i / cells, 1, -i / cells, -1)
        rows[-2, 1] = rows[-1, -2] = rows[-1, -1] = -1
        columns = null_space(rows) if kind == "svd" else qr(rows.T, pivoting=True)[0][:, cells + 1 :]
        return np.asarray(columns, dtype=np.float64)
    heights = np.zeros((cells + 1, cells - 1))  # of each column at the vertices
    for k in range(1, cells):
        if kind == "sparse":
            heights[k, k - 1] = 1 / cells
        else:
            heights[: k + 1, k - 1] = np.arange(k + 1) / cells / k
    alpha = np.diff(heights, axis=0) * cells
    beta = heights[:-1] - alpha * np.arange(cells)[:, None] / cells
    both: Matrix = np.stack([alpha, beta], 1).reshape(2 * cells, -1)
    return both


def precision(basis: Matrix, smooth: float, var: float) -> Matrix:
    """Compute the published ``precision_mat`` of a basis: inv(B^T K B + eps I), K as in `field.penalty_matrix`."""
    g = np.linspace(-1.0, 1.0, len(basis))
    kernel = (var * len(g)) ** 2 * np.exp(-2 * np.abs(g[:, None] - g) / smooth)
    covariance = basis.T @ kernel @ basis + np.finfo(np.float32).eps * np.eye(basis.shape[1])
    return np.linalg.inv(covariance).astype(np.float64)


def in_our_basis(theta: Matrix, basis: str | Matrix, known: Matrix | None, smooth: float, var: float) -> Matrix:
    """Write the velocity of a published theta in our basis.

    Args:
        theta: ``[d]``.
        basis: the name of one of `BASES`, or B itself, ``[2 (d + 1), d]``.
        known: the checkpoint's ``precision_mat``, ``[d, d]``, or None.
        smooth: the module's ``lambda_smooth``.
        var: the module's ``lambda_var``.

    Raises:
        UsageError: if the basis is unknown, does not span these velocities, or does not fit ``precision_mat``.
    """
    cells = len(theta) + 1
    if isinstance(basis, str):
        if basis not in BASES:
            raise UsageError(f"basis must be one of {', '.join(BASES)}, or the matrix B itself, not {basis!r}")
        if basis == "svd" and known is None:
            raise UsageError(
                "basis=svd differs between machines, and there is no precision_mat to check it: pass B itself"
            )
    published = published_basis(basis, cells) if isinstance(basis, str) else np.asarray(basis, dtype=np.float64)
    name = basis if isinstance(basis, str) else "the matrix given"
    ours = field.basis(cells)
    if published.shape != ours.shape or np.abs(ours @ (ours.T @ published) - published).max() > 1e-4:
        raise UsageError(f"{name} is no basis [{2 * cells}, {cells - 1}] for {cells} cells with zero boundary")
    if known is not None:
        check_precision(known, published, str(name), smooth, var)
    converted: Matrix = ours.T @ published @ theta
    return converted


def check_precision(known: Matrix, published: Matrix, name: str, smooth: float, var: float) -> None:
    """Raise ``UsageError`` if ``precision_mat`` fits another basis, or other settings of the penalty."""
    if known.shape != (published.shape[1],) * 2:
        raise UsageError(f"precision_mat has the shape {known.shape}; it should be {(published.shape[1],) * 2}")

    def off(smooth: float, var: float) -> float:
        difference: float = np.abs(precision(published, smooth, var) - known).max() / np.abs(known).max()
        return difference

    if off(smooth, var) <= TOLERANCE:
        return
    # P is 1 / var^2 times a function of smooth: check whether another penalty explains it.
    error, lambda_smooth, lambda_var = np.inf, 5.0, 0.0
    for factor in (100.0, 1.2, 1.01):  # a grid, then finer ones around the best
        for candidate in lambda_smooth * np.geomspace(1 / factor, factor, 61):
            shape = precision(published, candidate, 1.0)
            scale = (shape * known).sum() / (shape * shape).sum()
            if scale > 0 and off(candidate, scale**-0.5) < error:
                error, lambda_smooth, lambda_var = off(candidate, scale**-0.5), candidate, scale**-0.5
    if error <= TOLERANCE:
        raise UsageError(
            f"precision_mat fits lambda_smooth={lambda_smooth:.3g}, lambda_var={lambda_var:.3g}, "
            f"not {smooth:g} and {var:g}: build ditac with these, or remove precision_mat from the state dict"
        )
    raise UsageError(
        f"precision_mat does not fit basis={name} on this machine: pass the basis= that the network was trained "
        f"with, one of {', '.join(BASES)}, or its matrix B (act.T.params.B)"
    )
