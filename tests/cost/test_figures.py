"""Medians and quartiles against numpy, and each rule of stability by itself."""

import math

import numpy as np
import pytest

from afbench.cost.figures import figure, ratios, samples_needed


def test_median_and_quartiles():
    values = [3.0, 1.0, 2.0, 5.0, 4.0, 9.0]
    found = figure(values, work=1.0)
    assert (found.median, *found.quartiles) == (3.5, *np.percentile(values, [25, 75]))
    assert found.samples == 6
    assert found.to_dict() == {
        "median": 3.5,
        "quartiles": [2.25, 4.75],
        "samples": 6,
        "unstable": ["quartiles 71 % apart"],
    }


@pytest.mark.parametrize(
    ("values", "work", "reasons"),
    [
        ([1.0] * 15, 4e-3, ()),
        ([1.0] * 15, 0.99e-3, ("shortest sample 0.99 ms",)),
        ([0.94, 1.0, 1.06] * 5, 4e-3, ("quartiles 12 % apart",)),
        ([0.96, 1.0, 1.04] * 5, 4e-3, ()),  # 8 % apart: 9 samples pin it down
        ([0.96, 0.96, 1.0, 1.04, 1.04], 4e-3, ("only 5 of the 9 samples that its spread needs",)),
        ([1.0] * 4, 4e-3, ("only 4 of the 5 samples that its spread needs",)),
        ([1.0, 2.0] * 8, 5e-4, ("shortest sample 0.5 ms", "quartiles 67 % apart")),
    ],
)
def test_each_rule(values, work, reasons):
    assert figure(values, work).unstable == reasons


def test_so_many_samples_pin_the_median_down():
    """Of medians of so many normal values, 95 % lie within 5 % of the true one: by simulation."""
    sigma = 0.06
    count = samples_needed(1.349 * sigma)
    medians = np.median(np.random.default_rng(0).normal(1.0, sigma, (20_000, count)), axis=1)
    assert np.mean(abs(medians - 1) <= 0.05) == pytest.approx(0.95, abs=0.02)


def test_odd_values():
    assert samples_needed(math.inf) == 5
    assert figure([0.0] * 5, 1.0).unstable == ("quartiles inf % apart",)


def test_ratios_are_taken_round_by_round_as_far_as_both_went():
    assert ratios([2.0, 6.0], [1.0, 2.0, 4.0]) == [2.0, 3.0]
