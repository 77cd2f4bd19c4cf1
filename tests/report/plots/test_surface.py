from __future__ import annotations

import numpy as np
import pytest

from afbench.report.plots import draw


@pytest.fixture
def store(results, make):
    for name, score, error in (("a", 99.0, 0.1), ("b", 95.0, 0.2), ("relu", 60.0, 0.4), ("c", 50.0, 0.5)):
        results.add(name, 0, score, make("surface", error), about={"metric": "r2", "references": {}})
    return results.store


def panels(figure):
    return [panel for panel in figure.axes if panel.images]


def test_shows_target_best_runner_up_and_baseline_with_errors(store):
    figure = draw(store, "surface")
    assert [p.get_title(loc="left") for p in panels(figure)] == ["target", "a", "", "b", "", "relu", ""]
    assert [p.texts[0].get_text() for p in panels(figure)[1::2]] == [
        "R2 99.0 %, best",
        "R2 95.0 %, runner-up",
        "R2 60.0 %, baseline",
    ]


def test_a_column_shows_best_and_baseline(store):
    titles = [panel.get_title(loc="left") for panel in panels(draw(store, "surface", width="column"))]
    assert titles == ["target", "a", "", "relu", ""]


def test_errors_share_one_scale_with_zero_in_the_middle(store):
    _, *pairs = panels(draw(store, "surface"))
    errors = [panel.images[0] for panel in pairs[1::2]]
    limits = {image.get_clim() for image in errors}
    assert len(limits) == 1
    low, high = limits.pop()
    assert low == -high
    assert {image.get_cmap().name for image in errors} == {"PuOr_r"}


def test_target_and_predictions_share_one_scale(store, make):
    top, *pairs = panels(draw(store, "surface"))
    target = make("surface")["picture/target"]
    assert {panel.images[0].get_clim() for panel in [top, *pairs[::2]]} == {(target.min(), target.max())}


def test_rmse_is_written_under_each_error(store, make):
    _, *pairs = panels(draw(store, "surface"))
    x = np.linspace(-1, 1, 21)
    for panel, error in zip(pairs[1::2], (0.1, 0.2, 0.4), strict=True):
        rmse = error * np.sqrt(np.mean(np.cos(5 * x) ** 2))
        assert panel.texts[0].get_text() == f"RMSE {rmse:#.3g}"


def test_outermost_points_lie_on_the_edges(store):
    panel = panels(draw(store, "surface"))[0]
    assert panel.get_xlim() == (-1, 1)
    assert panel.images[0].get_extent() == pytest.approx([-1.05, 1.05, -1.05, 1.05])


def test_a_perfect_prediction_has_a_scale_all_the_same(results, make):
    results.add("relu", 0, 100.0, make("surface", 0.0))
    assert len(panels(draw(results.store, "surface"))) == 3


def test_named_activations(store):
    titles = [panel.get_title(loc="left") for panel in panels(draw(store, "surface", activations=["c"]))]
    assert titles == ["target", "c", ""]
