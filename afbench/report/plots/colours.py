"""Colours of classes: as far apart as can be, also for eyes without red or green cones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

# OKLab (Ottosson 2020), a space in which equal distances look about equal.
TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
# What is left of linear RGB without green (deuteranopia) or red cones (protanopia): Machado et al. 2009, severity 1.
BLIND = (
    np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
)
FILLS, POINTS = (0.74, 0.96), (0.40, 0.60)
"""Lightness of regions and of points: the darkest region is lighter than the lightest point."""
CHROMA = 0.13
FULL_SIGHT = 2.0
"""How much farther apart colours are for eyes with all cones: with 1.0, 20 classes are 0.047 apart, and none is red."""


@dataclass(frozen=True)
class ClassColours:
    """Colours of classes [k, 3]: light ones for regions, dark ones of the same hues for points."""

    fills: Array
    points: Array


@cache
def class_colours(classes: int) -> ClassColours:
    """Choose colours for classes; those of fewer classes are the first of those of more.

    Of all light colours, each next one is that farthest from those before, for the eye that tells them apart the least.
    20 hues evenly around the circle in two to four steps of lightness leave pairs only 0.001 to 0.003 apart in OKLab
    without green cones; these are at least 0.037 apart, and 0.075 with them.
    """
    lightness, chroma, hue = np.meshgrid(
        np.linspace(*FILLS, 7), np.linspace(0.02, CHROMA, 6), np.linspace(0, 2 * np.pi, 60, endpoint=False)
    )
    lch = np.stack([lightness.ravel(), chroma.ravel(), hue.ravel()], axis=1)
    lch = lch[inside(lch)]
    linear = to_linear(lch)
    views = [to_lab(linear) / FULL_SIGHT, *(to_lab(np.clip(linear @ eye.T, 0, 1)) for eye in BLIND)]
    chosen = [int(np.argmin(lch[:, 0]))]
    nearest = np.full(len(lch), np.inf)
    while len(chosen) < classes:
        steps = [np.linalg.norm(view - view[chosen[-1]], axis=1) for view in views]
        nearest = np.minimum(nearest, np.min(steps, axis=0))
        chosen.append(int(np.argmax(nearest)))
    fills = lch[chosen]
    return ClassColours(encode(to_linear(fills)), encode(to_linear(darker(fills))))


def darker(fills: Array) -> Array:
    """Return the points' colours for regions' colours [k, 3]: same hue, as vivid as the screen shows it."""
    share = (fills[:, 0] - FILLS[0]) / (FILLS[1] - FILLS[0])
    points = np.stack([POINTS[0] + share * (POINTS[1] - POINTS[0]), 1.6 * fills[:, 1], fills[:, 2]], axis=1)
    while not (good := inside(points)).all():
        points[~good, 1] *= 0.95
    return points


def inside(lch: Array) -> Array:
    """Tell which colours [k, 3] a screen can show."""
    linear = to_linear(lch)
    return np.asarray(((linear >= 0) & (linear <= 1)).all(axis=1))


def to_linear(lch: Array) -> Array:
    """Turn lightness, chroma and hue (radians) [k, 3] into linear RGB."""
    lightness, chroma, hue = lch.T
    lab = np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=1)
    return np.asarray((lab @ np.linalg.inv(TO_LAB).T) ** 3 @ np.linalg.inv(TO_LMS).T)


def to_lab(linear: Array) -> Array:
    """Turn linear RGB [k, 3] into OKLab."""
    return np.asarray(np.cbrt(linear @ TO_LMS.T) @ TO_LAB.T)


def encode(linear: Array) -> Array:
    """Turn linear RGB into sRGB (IEC 61966-2-1)."""
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
