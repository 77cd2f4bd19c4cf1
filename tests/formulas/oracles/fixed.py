"""Formulas without parameters."""

from __future__ import annotations

import numpy as np
from scipy.special import erf, erfc, expit, ndtr


def exponential(x, alpha, length=1.0):
    """x if x > 0 else alpha (e^(x / length) - 1)."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / length))


def selu_constants():
    """The scale and the alpha that keep mean 0 and variance 1 of a standard normal input (Klambauer 2017, eq. 14)."""
    e, r = np.e, erfc(np.sqrt(0.5))
    alpha = -np.sqrt(2 / np.pi) / (r * np.sqrt(e) - 1)
    size = 2 * erfc(np.sqrt(2)) * e**2 + np.pi * r**2 * e - 2 * (2 + np.pi) * r * np.sqrt(e) + np.pi + 2
    return (1 - r * np.sqrt(e)) * np.sqrt(2 * np.pi / size), alpha


def selu(x):
    scale, alpha = selu_constants()
    return scale * exponential(x, alpha)


def softplus(x, beta=1.0):
    return np.logaddexp(0, beta * x) / beta


STEPS = {
    "logistic": lambda u: 1 / (1 + np.exp(-np.maximum(u, -700))),
    "tanh": lambda u: (1 + np.tanh(u)) / 2,
    "erf": lambda u: (1 + erf(u)) / 2,
    "arctan": lambda u: 1 / 2 + np.arctan(u) / np.pi,
    "algebraic": lambda u: (1 + u / np.sqrt(1 + u**2)) / 2,
    "softsign": lambda u: (1 + u / (1 + np.abs(u))) / 2,
}

OF_X = {
    "gelu": lambda x: x * ndtr(x),
    "gelu_sigmoid": lambda x: x * expit(1.702 * x),
    "gelu_tanh": lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
    "hard_swish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "identity": lambda x: x,
    "mish": lambda x: x * np.tanh(softplus(x)),
    "noisy_relu": lambda x: np.maximum(0, x),
    "relu": lambda x: np.maximum(x, 0),
    "selu": selu,
    "sigmoid": expit,
    "silu": lambda x: x * expit(x),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "tanh": np.tanh,
}
OF_X_AND_SETTINGS = {
    "celu": lambda x, s: exponential(x, s["alpha"], s["alpha"]),
    "elu": lambda x, s: exponential(x, s["alpha"]),
    "leaky_relu": lambda x, s: np.where(x > 0, x, s["slope"] * x),
    "smooth_relu": lambda x, s: x * STEPS[s["step"]](s["k"] * x),
    "softplus": lambda x, s: softplus(x, s["beta"]),
    "squareplus": lambda x, s: (x + np.sqrt(x**2 + s["b"])) / 2,
}

VALUES = {name: lambda x, p, s, training, f=f: f(x) for name, f in OF_X.items()}
VALUES |= {name: lambda x, p, s, training, f=f: f(x, s) for name, f in OF_X_AND_SETTINGS.items()}
COUNTS = dict.fromkeys(VALUES, lambda channels, s: 0)
NOISY = {"noisy_relu": lambda s: True}
