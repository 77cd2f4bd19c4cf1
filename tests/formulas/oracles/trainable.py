"""Formulas with a few parameters, of a layer or of a channel: PReLU, PELU, Swish, the ACONs."""

from __future__ import annotations

import numpy as np
from scipy.special import expit


def larger(xa, xb, beta):
    """Ma et al. 2020: S_beta(xa, xb) = (xa - xb) sigmoid(beta (xa - xb)) + xb, the smooth maximum."""
    return (xa - xb) * expit(beta * (xa - xb)) + xb


def pelu(x, a, b):
    return np.where(x >= 0, a / b * x, a * np.expm1(np.minimum(x, 0) / b))


VALUES = {
    "acon_a": lambda x, p, s, training: larger(x, 0, p["beta"]),
    "acon_b": lambda x, p, s, training: larger(x, p["p"] * x, p["beta"]),
    "acon_c": lambda x, p, s, training: larger(p["p1"] * x, p["p2"] * x, p["beta"]),
    "pelu": lambda x, p, s, training: pelu(x, p["a"], p["b"]),
    "prelu": lambda x, p, s, training: np.maximum(x, 0) + p["a"] * np.minimum(x, 0),
    "swish": lambda x, p, s, training: x * expit(p["beta"] * x),
}


def times(number):
    return lambda channels, s: number * (channels if s["per"] == "channel" else 1)


COUNTS = {"acon_a": times(1), "acon_b": times(2), "acon_c": times(3)}
COUNTS |= {"pelu": times(2), "prelu": times(1), "swish": times(1)}
NOISY = {}
