"""The DiTAC family: the flow of a continuous velocity, affine in equal cells, followed from cell to cell."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr


def flow(u, velocities, time=1.0):
    """Follow u by the velocities at the vertices k / cells of [0, 1]; the outer cells reach to infinity."""
    cells = len(velocities) - 1
    k = min(max(math.floor(u * cells), 0), cells - 1)
    while True:
        left, right = velocities[k], velocities[k + 1]
        v = left + (right - left) * (u * cells - k)
        if v == 0:
            return u
        ahead, at_edge, onward = ((k + 1) / cells, right, 1) if v > 0 else (k / cells, left, -1)
        needed = math.inf
        if 0 <= k + onward < cells and at_edge * v > 0:
            grown = at_edge / v - 1
            needed = (ahead - u) / v * (math.log1p(grown) / grown if grown else 1)
        if needed >= time:
            exponent = (right - left) * cells * time
            return u + v * time * (math.expm1(exponent) / exponent if exponent else 1)
        u, k, time = ahead, k + onward, time - needed


def interval(s):
    return s.get("a", 0.0), s["b"]


def warp(x, p, s):
    """T(x), at every point."""
    a, b = interval(s)
    velocities = (p["vertices"] @ p["theta"]).tolist()
    return a + (b - a) * np.vectorize(lambda u: flow(u, velocities), otypes=[float])((x - a) / (b - a))


def within(x, s):
    a, b = interval(s)
    return (a <= x) & (x <= b)


def ditac(x, p, s, training):
    return np.where(within(x, s), warp(x, p, s), x) * ndtr(x)


def ge_ditac(x, p, s, training):
    return np.select([x < 0, x <= s["b"]], [x * ndtr(x), warp(x, p, s)], x)


def leaky_ditac(x, p, s, training):
    return np.where(within(x, s), warp(x, p, s), np.where(x > 0, x, 0.01 * x))


def basis(vertices):
    """B: the coefficients (alpha_0, beta_0, alpha_1, ...) of v(u) = alpha_i u + beta_i, from velocities at vertices."""
    cells = len(vertices) - 1
    slopes = np.diff(vertices, axis=0) * cells
    offsets = vertices[:-1] - slopes * (np.arange(cells) / cells)[:, None]
    return np.stack([slopes, offsets], 1).reshape(2 * cells, -1)


def precision(vertices, s):
    """P = inv(B^T K B + eps I), K_ij = (lambda_var D)^2 exp(-2 |g_i - g_j| / lambda_smooth), g evenly over [-1, 1]."""
    B = basis(vertices)
    size = len(B)
    g = np.linspace(-1, 1, size)
    K = (s["lambda_var"] * size) ** 2 * np.exp(-2 * abs(g[:, None] - g) / s["lambda_smooth"])
    return np.linalg.inv(B.T @ K @ B + np.finfo(np.float32).eps * np.eye(B.shape[1]))


def covariance(vertices, s):
    """B^T C B of theta's start: C is near within the alphas and within the betas, far between the two."""
    cells = len(vertices) - 1
    centres = (np.arange(cells) + 0.5) / cells
    apart = abs(centres[:, None] - centres)
    C = np.empty((cells, 2, cells, 2))
    C[...] = np.exp(-100 * apart.max() / (2 * s["init_smooth"] ** 2))
    for kind in (0, 1):
        C[:, kind, :, kind] = np.exp(-apart / (2 * s["init_smooth"] ** 2))
    B = basis(vertices)
    return s["init_var"] ** 2 * B.T @ C.reshape(2 * cells, 2 * cells) @ B


def published_gradient(k, slope, p, s):
    """What the published code puts into theta.grad at k: d times the data's slope, and columns of P summed."""
    P = precision(p["vertices"], s)
    return len(P) * slope + 2 * s["penalty_weight"] * P.sum(0)[k] * p["theta"][k]


VALUES = {
    "ditac": ditac,
    "ge_ditac": ge_ditac,
    "inf_ditac": lambda x, p, s, training: warp(x, p, s),
    "leaky_ditac": leaky_ditac,
}
COUNTS = dict.fromkeys(VALUES, lambda channels, s: s["cells"] - 1 if s["zero_boundary"] else s["cells"] + 1)
NOISY = {}
