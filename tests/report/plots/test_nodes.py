from __future__ import annotations

import numpy as np
import pytest

from afbench.report.plots import draw

X = np.linspace(-1, 1, 41)
ABOUT = {"metric": "r2", "references": {}}
BEFORE, AFTER, TARGET = "#767676", "#0072b2", "#000000"


@pytest.fixture
def store(results, make):
    for name, score, error in (("relu", 60.0, 0.4), ("a", 99.0, 0.1), ("b", 50.0, 0.5)):
        results.add(name, 0, score, make("nodes", error), about=ABOUT)
    return results.store


def heads(figure):
    """Titles and the lines below them of the panels that have one."""
    held = [(panel.get_title(loc="left"), *(text.get_text() for text in panel.texts)) for panel in figure.axes]
    return [head for head in held if any(head)]


def line(panel, colour):
    (found,) = (one for one in panel.lines if one.get_color() == colour)
    return found


def test_the_baseline_comes_first_and_the_best_beside_it(store):
    figure = draw(store, "nodes")
    relu, best = heads(figure)[:3], heads(figure)[3:]
    assert relu == [
        ("relu", "before"),
        ("", "after"),
        ("", "R2 60.0 %, runner-up, baseline"),
    ]
    assert best == [("a", "before"), ("", "after"), ("", "R2 99.0 %, best")]
    assert figure.axes[0].get_position().x1 < figure.axes[7].get_position().x0


def test_each_row_is_a_node_before_and_after(store):
    panels = draw(store, "nodes", activations=["a"]).axes
    assert len(panels) == 7
    for node in range(3):
        before, after = panels[2 * node : 2 * node + 2]
        value = (node + 1) * (X + 0.25 * node)
        np.testing.assert_allclose(line(before, BEFORE).get_xydata(), np.stack([X, value], 1), atol=1e-6)
        np.testing.assert_allclose(line(after, AFTER).get_ydata(), np.maximum(value, 0), atol=1e-6)
        assert before.get_ylim() == after.get_ylim()
        low, high = before.get_ylim()
        assert low < value.min() and value.max() < high


def test_the_fit_stands_below_all_nodes_beside_the_target(store):
    *nodes, fit = draw(store, "nodes", activations=["a"]).axes
    np.testing.assert_allclose(line(fit, AFTER).get_ydata(), np.sin(6 * X) + 0.1 * np.cos(5 * X), atol=1e-6)
    np.testing.assert_allclose(line(fit, TARGET).get_ydata(), np.sin(6 * X), atol=1e-6)
    assert line(fit, TARGET).is_dashed()
    boxes = [panel.get_position() for panel in nodes]
    assert fit.get_position().y1 < min(box.y0 for box in boxes)
    assert (fit.get_position().x0, fit.get_position().x1) == pytest.approx((boxes[0].x0, boxes[1].x1))


def test_rows_are_named(store):
    figure = draw(store, "nodes", caption=False)
    assert [text.get_text() for text in figure.texts] == ["node 1", "node 2", "node 3", "fit"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["target", "fit"]


def test_fits_share_an_axis_that_a_wild_one_does_not_set(results, make):
    results.add("relu", 0, 60.0, make("nodes"), about=ABOUT).add("a", 0, -9.0, make("nodes", 1e6), about=ABOUT)
    limits = {figure_fit.get_ylim() for figure_fit in draw(results.store, "nodes").axes[6::7]}
    assert len(limits) == 1
    low, high = limits.pop()
    assert -2.0 < low < -1.0 and 1.0 < high < 2.0


def test_of_a_wide_layer_three_nodes_are_shown_and_of_a_narrow_one_all(results, make):
    results.add("a", 0, 60.0, make("nodes", width=8), about=ABOUT).add(
        "b", 0, 50.0, make("nodes", width=1), about=ABOUT
    )
    wide, narrow = (draw(results.store, "nodes", task="gmm", activations=[name]) for name in "ab")
    assert len(wide.axes) == 7 and "Hidden nodes 1 to 3 before and after" in wide.get_label()
    assert len(narrow.axes) == 3 and "The first hidden node before and after" in narrow.get_label()


@pytest.mark.parametrize(("width", "tops"), [("text", [3]), ("column", [2, 1])])
def test_named_activations_stand_in_the_order_given_and_fill_bands(store, width, tops):
    figure = draw(store, "nodes", activations=["b", "a", "relu"], width=width)
    titles = [panel for panel in figure.axes if panel.get_title(loc="left")]
    assert [panel.get_title(loc="left") for panel in titles] == ["b", "a", "relu"]
    heights = [round(panel.get_position().y1, 6) for panel in titles]
    assert [heights.count(height) for height in sorted(set(heights), reverse=True)] == tops


def test_the_seed_can_be_chosen(results, make):
    for seed, error in enumerate((0.1, 0.2, 0.3)):
        results.add("relu", seed, 90.0 - seed, make("nodes", error), about=ABOUT)
    assert "Seed 1, the median of 3" in draw(results.store, "nodes").get_label()
    fit = draw(results.store, "nodes", seed=2).axes[-1]
    np.testing.assert_allclose(line(fit, AFTER).get_ydata(), np.sin(6 * X) + 0.3 * np.cos(5 * X), atol=1e-6)


def test_a_dead_node_and_values_that_are_not_finite(results, make):
    picture = make("nodes")
    picture["picture/after"][:, 0] = picture["picture/before"][:, 0] = 0.0
    picture["picture/after"][3, 1] = np.inf
    picture["picture/before"][:, 2] = picture["picture/after"][:, 2] = np.nan
    results.add("relu", 0, 60.0, picture, about=ABOUT)
    assert all(np.isfinite(panel.get_ylim()).all() for panel in draw(results.store, "nodes").axes)
