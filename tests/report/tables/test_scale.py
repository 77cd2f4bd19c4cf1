"""How numbers are rounded."""

from __future__ import annotations

import math

import pytest

from afbench.report.tables.scale import Scale, scale_of
from afbench.statistics.intervals import Interval


def around(mean, half):
    return Interval(mean, mean - half, mean + half, "Student's t", 5)


@pytest.mark.parametrize(
    ("halves", "decimals"),
    [([0.4], 1), ([0.12], 2), ([0.36], 1), ([0.34], 2), ([1.2], 1), ([4.0], 0), ([40.0], 0), ([0.4, 0.4, 30.0], 1)],
)
def test_digits_follow_the_median_half_width(halves, decimals):
    assert scale_of([around(91.8, half) for half in halves]) == Scale(decimals)


def test_without_intervals_three_digits_are_kept():
    assert scale_of([Interval(91.84), Interval(72.1)]).show(91.84) == "91.8"
    assert scale_of([Interval(0.0)]).show(0.0) == "0"
    assert scale_of([]).show(math.nan) == ""


def test_small_and_huge_numbers_are_printed_in_powers_of_ten():
    scale = scale_of([around(2.5e-7, 1.2e-8), around(3.5e-7, 1.2e-8)])
    assert (scale.exponent, scale.show(2.5e-7), scale.show(4.0)) == (-9, "250", "4.0e+09")
    assert scale.ends(around(2.5e-7, 1.2e-8)) == "[238, 262]"


def test_the_sign_of_a_small_difference_is_kept_and_that_of_a_mean_is_not():
    scale = Scale(1)
    assert scale.ends(Interval(0.3, -0.04, 0.64), "+") == "[-0.0, +0.6]"
    assert (scale.show(-0.04), scale.show(-0.0, "+")) == ("0.0", "+0.0")
