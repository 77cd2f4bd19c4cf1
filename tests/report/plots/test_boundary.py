from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb
from matplotlib.contour import ContourSet

from afbench.errors import UsageError
from afbench.report.plots import draw
from afbench.report.plots.colours import class_colours


def titles(figure):
    return [(panel.get_title(loc="left"), panel.texts[0].get_text()) for panel in figure.axes]


def fill(results, make, **scores):
    """Add activations with scores by seed; the picture's seed is the trial's."""
    for name, values in scores.items():
        for seed, score in enumerate(values):
            results.add(name, seed, score, make("regions", seed=seed))
    return results.store


def test_shows_best_runner_up_baseline_and_worst(results, make):
    store = fill(results, make, a=[70], b=[90], c=[80], relu=[75], d=[60])
    assert titles(draw(store, "boundary")) == [
        ("b", "90.0 %, best"),
        ("c", "80.0 %, runner-up"),
        ("relu", "75.0 %, baseline"),
        ("d", "60.0 %, worst"),
    ]


def test_roles_that_coincide_share_a_panel(results, make):
    store = fill(results, make, relu=[90], a=[80])
    assert titles(draw(store, "boundary")) == [("relu", "90.0 %, best, baseline"), ("a", "80.0 %, runner-up")]


def test_lower_is_better_where_the_task_says_so(results, make):
    for name, score in (("a", 0.25), ("b", 0.125), ("c", 0.5)):
        results.add(name, 0, score, make("regions"), about={"metric": "mse", "unit": "", "higher_is_better": False})
    assert [title for title, _ in titles(draw(results.store, "boundary"))] == ["b", "a", "c"]


def test_named_activations_stand_in_the_order_given(results, make):
    store = fill(results, make, a=[70], b=[90], c=[80])
    assert [title for title, _ in titles(draw(store, "boundary", activations=["c", "a"]))] == ["c", "a"]


def test_the_seed_is_the_median_one_and_is_told(results, make):
    # means of those shown: 75, 65, 95, 85, and seed 4 is not shared
    store = fill(results, make, a=[80, 60, 90, 85, 99], relu=[70, 70, 100, 85])
    figure = draw(store, "boundary")
    assert "Seed 0, the median of 4; numbers: its test accuracy." in figure.get_label()
    assert [below for _, below in titles(figure)] == ["80.0 %, best", "70.0 %, runner-up, baseline"]
    assert "Seed 2; numbers: its test accuracy." in draw(store, "boundary", seed=2).get_label()


def test_activations_without_a_seed_in_common(results, make):
    results.add("relu", 0, 70.0, make("regions")).add("a", 1, 80.0, make("regions"))
    with pytest.raises(UsageError, match="no seed ended well for all of relu, a in gmm"):
        draw(results.store, "boundary", activations=["relu", "a"])
    figure = draw(results.store, "boundary")  # that of the best, which the baseline cannot be set beside
    assert [panel.get_title(loc="left") for panel in figure.axes] == ["a"]


def test_regions_have_the_colours_of_their_classes(results, make):
    picture = make("regions", 20)
    figure = draw(results.add("relu", 0, 70.0, picture).store, "boundary")
    (image,) = figure.axes[0].images
    np.testing.assert_array_equal(image.get_array(), class_colours(20).fills[picture["picture/regions"]])
    assert image.origin == "lower" and tuple(image.get_extent()) == (-2, 2, -1, 1)
    box = figure.axes[0].get_window_extent()
    assert box.width / box.height == pytest.approx(2.0, rel=0.01)


def test_lines_between_regions_are_white_and_lie_on_the_edges(results, make):
    picture = make("regions", 2)
    picture["picture/regions"] = (np.arange(50) >= 25)[None].repeat(50, axis=0).astype(np.uint8)
    panel = draw(results.add("relu", 0, 70.0, picture).store, "boundary").axes[0]
    lines = [one for one in panel.collections if isinstance(one, ContourSet)]
    assert len(lines) == 2 and all(to_rgb(one.get_edgecolor()[0]) == (1, 1, 1) for one in lines)
    for one in lines:
        np.testing.assert_allclose(one.get_paths()[0].vertices[:, 0], 0.0, atol=1e-6)


def test_points_are_coloured_by_true_class_and_ringed_where_wrong(results, make):
    picture = make("regions", 20)
    panel = draw(results.add("relu", 0, 70.0, picture).store, "boundary").axes[0]
    right, wrong = (one for one in panel.collections if isinstance(one, PathCollection))
    inside = (np.abs(picture["picture/points"]) < (2, 1)).all(axis=1)
    xy, labels = picture["picture/points"][inside], picture["picture/labels"][inside]
    columns, rows = ((xy[:, 0] + 2) / 4 * 50).astype(int), ((xy[:, 1] + 1) / 2 * 50).astype(int)
    mistaken = picture["picture/regions"][rows, columns] != labels
    assert 0 < mistaken.sum() < len(labels)
    for drawn, kept in ((right, ~mistaken), (wrong, mistaken)):
        np.testing.assert_allclose(drawn.get_offsets(), xy[kept])
        np.testing.assert_allclose(drawn.get_facecolors()[:, :3], class_colours(20).points[labels[kept]])
    assert len(right.get_edgecolors()) == 0 and to_rgb(wrong.get_edgecolors()[0]) == (0, 0, 0)


def test_many_points_are_thinned_and_that_is_told(results, make):
    picture = make("regions", 3)
    picture["picture/points"] = np.random.default_rng(0).uniform(-1, 1, (1000, 2)).astype(np.float32)
    picture["picture/labels"] = np.zeros(1000, np.uint8)
    figure = draw(results.add("relu", 0, 70.0, picture).store, "boundary")
    drawn = sum(len(one.get_offsets()) for one in figure.axes[0].collections if isinstance(one, PathCollection))
    assert drawn == 400 and "400 test points" in figure.get_label()


def test_one_region_and_no_points_in_sight(results, make):
    picture = make("regions", 1)
    picture["picture/points"] += 100
    assert len(draw(results.add("relu", 0, 70.0, picture).store, "boundary").axes) == 1
