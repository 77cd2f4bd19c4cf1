"""Formulas that mix channels or positions: GLU, maxout, squeeze-and-excitation, Meta-ACON."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, ndtr

GATES = {"sigmoid": expit, "silu": lambda u: u * expit(u), "gelu": lambda u: u * ndtr(u)}
EPSILON = 1e-5
"""What the authors' batch norm, PyTorch's, adds to the variance."""


def glu(x, p, s, training):
    return (x @ p["W"].T + p["b"]) * GATES[s["gate"]](x @ p["V"].T + p["c"])


def maxout(x, p, s, training):
    return np.max([x @ weight.T + bias for weight, bias in zip(p["W"], p["b"], strict=True)], axis=0)


def se(x, p, s, training):
    squeezed = x.mean(1, keepdims=True)
    return x * expit(np.maximum(squeezed @ p["W1"].T, 0) @ p["W2"].T)


def normalised(z, p, name, training):
    """Batch norm of [samples, 1, units]: of the batch in training, of the running statistics in evaluation."""
    mean, variance = (z.mean(0), z.var(0)) if training else (p[f"{name}.running_mean"], p[f"{name}.running_var"])
    return (z - mean) / np.sqrt(variance + EPSILON) * p[f"{name}.weight"] + p[f"{name}.bias"]


def meta_beta(x, p, s, training):
    if s["per"] != "channel":
        return expit(x.mean((1, 2), keepdims=True) if s["per"] == "layer" else x)
    z = x.mean(1, keepdims=True)
    for map_, norm in (("fc1", "norm1"), ("fc2", "norm2")):
        z = z @ p[f"{map_}.weight"].T + p[f"{map_}.bias"]
        z = normalised(z, p, norm, training) if s["norm"] == "batch" else z
    return expit(z)


def meta_acon(x, p, s, training):
    difference = (p["p1"] - p["p2"]) * x
    return difference * expit(meta_beta(x, p, s, training) * difference) + p["p2"] * x


VALUES = {"glu": glu, "maxout": maxout, "meta_acon": meta_acon, "se": se}


def meta_count(channels, s):
    """nmaac/acon: fc1 C -> h = max(r, C // r) and fc2 h -> C with biases, a weight and a bias per normed unit."""
    hidden = max(s["r"], channels // s["r"])
    maps = 2 * channels * hidden + hidden + channels
    norms = 2 * (hidden + channels) if s["norm"] == "batch" else 0
    return 2 * channels + (maps + norms if s["per"] == "channel" else 0)


COUNTS = {
    "glu": lambda channels, s: 2 * (channels**2 + channels),
    "maxout": lambda channels, s: s["pieces"] * (channels**2 + channels),
    "meta_acon": meta_count,
    "se": lambda channels, s: 2 * channels * max(1, channels // s["r"]),
}
NOISY = {}
