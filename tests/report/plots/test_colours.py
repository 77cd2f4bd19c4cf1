"""Colours hold apart, judged by other models than the one that chose them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from afbench.report.plots.colours import class_colours
from afbench.report.plots.style import BASELINE, LOOKS

# Linear RGB to LMS, and what is left of it without green or red cones: Vienot, Brettel & Mollon 1999.
LMS = np.array([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]])
BLIND = {
    "deuteranopia": np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]]),
    "protanopia": np.array([[0, 2.02344, -2.52581], [0, 1, 0], [0, 0, 1]]),
    "none": np.eye(3),
}
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]])


def lab(rgb, eye):
    """CIELAB (D65) of sRGB [k, 3] as an eye sees it."""
    rgb = np.asarray(rgb, float)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ LMS.T @ BLIND[eye].T @ np.linalg.inv(LMS).T, 0, 1)
    f = np.cbrt(linear @ XYZ.T / (0.95047, 1.0, 1.08883))
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def nearest(rgb, eye):
    """The distance of the two colours that are most alike; 2.3 is just noticeable."""
    return min(np.linalg.norm(a - b) for a, b in itertools.combinations(lab(rgb, eye), 2))


@pytest.mark.parametrize(("eye", "least"), [("none", 9.0), ("deuteranopia", 4.0), ("protanopia", 4.0)])
def test_twenty_classes_hold_apart(eye, least):
    assert nearest(class_colours(20).fills, eye) > least


@pytest.mark.parametrize("eye", ["none", "deuteranopia", "protanopia"])
def test_lines_hold_apart(eye):
    assert nearest([to_rgb(look.colour) for look in (BASELINE, *LOOKS)], eye) > 10


def test_lines_hold_apart_without_colour():
    assert len({str(look.dashes) for look in LOOKS}) == len({look.marker for look in LOOKS}) == len(LOOKS)


@pytest.mark.parametrize("classes", [1, 2, 10, 20, 255])
def test_points_are_darker_than_any_region_and_of_the_hue_of_theirs(classes):
    colours = class_colours(classes)
    fills, points = lab(colours.fills, "none"), lab(colours.points, "none")
    assert colours.fills.shape == colours.points.shape == (classes, 3)
    assert points[:, 0].max() < fills[:, 0].min()
    assert (fills[:, 0] - points[:, 0] > 25).all()
    vivid = np.linalg.norm(fills[:, 1:], axis=1) > 15
    angle = np.arctan2(fills[:, 2], fills[:, 1]) - np.arctan2(points[:, 2], points[:, 1])
    assert (np.cos(angle[vivid]) > 0.8).all()  # CIELAB bends hues, blue ones most


def test_fewer_classes_are_the_first_of_more():
    np.testing.assert_array_equal(class_colours(5).fills, class_colours(20).fills[:5])
