from __future__ import annotations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.optimize import LinearConstraint, minimize

from afbench.report.plots import style
from afbench.report.plots.lettering import extent, shorten, spread, wrap

SPEC = "ditac[a=-3.0,b=3.0,init_smooth=3.0,init_var=2.0,lambda_var=1.0]"


def test_measures_what_is_printed():
    with style.context():
        figure = Figure()
        text = figure.text(0, 0, SPEC, size=7)
        printed = text.get_window_extent(FigureCanvasAgg(figure).get_renderer()).width * 72 / figure.dpi
    assert extent(SPEC, 7) == pytest.approx(printed, rel=0.01)


def test_wraps_between_words():
    lines = wrap("one two three four five " + "x" * 60, 60, 7)
    assert " ".join(lines) == "one two three four five " + "x" * 60
    assert all(extent(line, 7) <= 60 for line in lines[:-1])
    assert lines[-1] == "x" * 60
    assert wrap("", 60) == []
    assert wrap("accuracy 92.4 %.", extent("accuracy 92.4", 7), 7) == ["accuracy", "92.4 %."]


def test_shortens_by_whole_settings_first():
    assert shorten(SPEC, 1000) == SPEC
    assert shorten(SPEC, extent(SPEC) - 1) == "ditac[a=-3.0,b=3.0,⋯,init_var=2.0,lambda_var=1.0]"
    assert shorten(SPEC, extent("ditac[a=-3.0,⋯,lambda_var=1.0]")) == "ditac[a=-3.0,⋯,lambda_var=1.0]"


def test_shortened_specs_keep_what_tells_them_apart():
    specs = [f"ditac[a=-3.0,b=3.0,init_smooth={smooth}.0,lambda_var=1.0]" for smooth in (1, 2)]
    assert [shorten(spec, 150, among=[*specs, "relu"]) for spec in specs] == [
        "ditac[init_smooth=1.0,⋯]",
        "ditac[init_smooth=2.0,⋯]",
    ]
    assert shorten("pau[version=b]", 30, among=["pau[version=b]"]) != "pau[⋯]"
    assert shorten("pau[init=relu,version=b]", 60, among=["pau", "pau[init=relu]"]).startswith("pau[")


@pytest.mark.parametrize("width", [0, 8, 20, 40, 60, 120])
def test_shortened_text_fits(width):
    short = shorten(SPEC, width)
    assert extent(short) <= width or short == "⋯"


@pytest.mark.parametrize("seed", range(5))
def test_spread_moves_least_in_squares(seed):
    wanted = np.random.default_rng(seed).uniform(0, 1, 6)
    order = np.argsort(wanted)
    apart = np.eye(6)[order][1:] - np.eye(6)[order][:-1]
    best = minimize(
        lambda y: ((y - wanted) ** 2).sum(),
        np.linspace(0, 1, 6)[np.argsort(order)],
        constraints=LinearConstraint(apart, lb=0.1),
        bounds=[(0, 1)] * 6,
    )
    np.testing.assert_allclose(spread(list(wanted), 0.1, 0, 1), best.x, atol=1e-3)


def test_spread_of_more_than_fit_is_even():
    assert spread([0.5] * 5, 0.5, 0, 1) == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert spread([2.0], 0.5, 0, 1) == [1.0]
    assert spread([], 0.5, 0, 1) == []
