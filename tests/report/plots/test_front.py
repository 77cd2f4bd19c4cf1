"""The Pareto front against brute force, and the scale of its axis."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from afbench.report.plots.front import pareto, scale_steps


@pytest.mark.parametrize("higher", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_front_is_who_nobody_beats(seed, higher):
    drawn = np.random.default_rng(seed).integers(0, 6, (12, 2)).astype(float)  # coarse, so that there are ties
    points = {str(i): (x, y) for i, (x, y) in enumerate(drawn.tolist())}

    def beats(a, b):
        no_worse = a[0] <= b[0] and (a[1] >= b[1] if higher else a[1] <= b[1])
        return no_worse and a != b

    expected = {n for n, p in points.items() if not any(beats(q, p) for q in points.values())}
    found = pareto(points, higher)
    assert set(found) == expected
    assert [points[n][0] for n in found] == sorted(points[n][0] for n in found)


@pytest.mark.parametrize(("dear", "scale"), [(2.9, "linear"), (3.1, "log")])
def test_steps_apart_by_more_than_a_factor_of_three_get_a_logarithmic_axis(dear, scale):
    panel = Figure().subplots()
    scale_steps(panel, 1.0, dear)
    low, high = panel.get_xlim()
    assert panel.get_xscale() == scale and low < 1.0 and high > dear
