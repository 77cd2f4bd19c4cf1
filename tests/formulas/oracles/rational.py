"""Rational formulas: PAU in its versions, OPAU in its bases."""

from __future__ import annotations

import numpy as np
from numpy.polynomial.chebyshev import chebval
from numpy.polynomial.hermite import hermval
from numpy.polynomial.hermite_e import hermeval
from numpy.polynomial.laguerre import lagval
from numpy.polynomial.legendre import legval
from numpy.polynomial.polynomial import polyval
from scipy.special import eval_chebyu


def second_kind(x, c):
    """sum c_i U_i(x)."""
    return sum(c_i * eval_chebyu(i, x) for i, c_i in enumerate(c))


BASES = {
    "chebyshev1": chebval,
    "chebyshev2": second_kind,
    "laguerre": lagval,
    "legendre": legval,
    "hermite_prob": hermeval,
    "hermite_phys": hermval,
}


def function(basis, i, x):
    """f_i(x), one function of a basis."""
    return BASES[basis](x, np.eye(i + 1)[i])


def degrees(s):
    n, m = s["degree"].split(":")
    return int(n), int(m)


def pau(x, p, s, training):
    a = np.concatenate([[0], p["a"]]) if s["zero_centred"] else p["a"]
    b = p["b"] if s["version"] == "c" else np.concatenate([[0], p["b"]])
    sizes = sum(abs(b_j * x**j) for j, b_j in enumerate(b))
    below = {
        "a": lambda: 1 + sizes,
        "b": lambda: 1 + abs(polyval(x, b)),
        "c": lambda: 0.1 + abs(polyval(x, b)),
        "d": lambda: 1 + abs(polyval(x, b)),
        "n": lambda: 1 + polyval(x, b),
    }
    return polyval(x, a) / below[s["version"]]()


def kept(s):
    """Which c_i are learned: of a zero-centred numerator some are 0 and one makes sum c_i f_i(0) = 0."""
    every = list(range(degrees(s)[0] + 1))
    at_0 = [function(s["basis"], i, 0.0) for i in every]
    if s["zero_centred"] == "case1":
        return [i for i in every if at_0[i] == 0], None
    if s["zero_centred"] == "case2":
        return [i for i in every if i not in (0, 2)], 2
    return (every[1:], 0) if s["zero_centred"] else (every, None)


def numerator(p, s):
    c = np.zeros(degrees(s)[0] + 1)
    indices, dependent = kept(s)
    c[indices] = p["c"]
    if dependent is not None:
        c[dependent] = -BASES[s["basis"]](0.0, c) / function(s["basis"], dependent, 0.0)
    return c


def opau(x, p, s, training):
    terms = [d_j * function(s["basis"], j, x) for j, d_j in enumerate(p["d"], start=1)]
    return BASES[s["basis"]](x, numerator(p, s)) / (1 + sum(np.abs(terms) if s["safe"] else np.array(terms)))


def along_channels(formula):
    """The formula with parameters of its own for each channel, the last dimension of x, where they are per channel."""

    def values(x, p, s, training):
        if s["per"] == "layer":
            return formula(x, p, s, training)
        each = [{name: array[c] for name, array in p.items()} for c in range(x.shape[-1])]
        return np.stack([formula(x[..., c], own, s, training) for c, own in enumerate(each)], axis=-1)

    return values


def functions(channels, s):
    """How many functions a layer has."""
    return channels if s["per"] == "channel" else 1


VALUES = {"pau": along_channels(pau), "opau": along_channels(opau)}
COUNTS = {
    "pau": lambda channels, s: (
        functions(channels, s) * (sum(degrees(s)) + 1 + (s["version"] == "c") - s["zero_centred"])
    ),
    "opau": lambda channels, s: functions(channels, s) * (len(kept(s)[0]) + degrees(s)[1]),
}
NOISY = {"pau": lambda s: s["version"] == "d"}
