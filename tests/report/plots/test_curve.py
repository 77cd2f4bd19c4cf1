from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from afbench.report.plots import draw
from afbench.statistics.intervals import interval


def lines(panel):
    """The labelled lines by name."""
    return {line.get_label(): line for line in panel.lines if not line.get_label().startswith("_")}


def ends(panel):
    """The names at the lines' ends, from above."""
    placed = [text for text in panel.texts if text.get_gid() == "end label"]
    return [text.get_text() for text in sorted(placed, key=lambda text: -text.xy[1])]


@pytest.fixture
def store(results, make):
    rng = np.random.default_rng(0)
    for rank, name in enumerate(["relu", "a", "b", "c", "d"]):
        for seed in range(4):
            curve = 60 + 5 * rank + 20 * (1 - np.exp(-np.arange(10))) + rng.normal(0, 0.5, 10)
            results.add(name, seed, curve[-1], make("curve", curve))
    return results.store


def test_lines_are_means_over_seeds(store):
    curves = [np.array([store.arrays(r.key)["curve/validation"] for r in store.records() if r.trial.activation == "d"])]
    drawn = lines(draw(store, "curve").axes[0])["d"]
    np.testing.assert_array_equal(drawn.get_xdata(), np.arange(1, 11))
    np.testing.assert_allclose(drawn.get_ydata(), sum(curves[0]) / 4)


def test_bands_are_t_intervals(store):
    panel = draw(store, "curve", activations=["d"], baseline="d").axes[0]
    values = np.array([store.arrays(r.key)["curve/validation"] for r in store.records() if r.trial.activation == "d"])
    (band,) = panel.collections
    vertices = band.get_paths()[0].vertices
    expected = [interval(values[:, 4]), stats.t.interval(0.95, 3, values[:, 4].mean(), stats.sem(values[:, 4]))]
    held = vertices[vertices[:, 0] == 5][:, 1]
    assert (held.min(), held.max()) == pytest.approx((expected[0].low, expected[0].high))
    assert (held.min(), held.max()) == pytest.approx(expected[1])


def test_labels_the_baseline_and_the_best_at_the_ends_of_their_lines(store):
    validation, loss = draw(store, "curve").axes
    assert ends(validation) == ["d", "c", "b", "relu"]
    assert set(ends(loss)) == {"d", "c", "b", "relu"}
    assert lines(validation)["relu"].get_color() == "#000000"
    looks = [(line.get_color(), line.get_marker()) for line in lines(validation).values()]
    assert [len(set(part)) for part in zip(*looks, strict=True)] == [4, 4]
    assert "; grey: the other 1." in draw(store, "curve").get_label()


def test_how_many_are_labelled(store):
    assert ends(draw(store, "curve", best=1).axes[0]) == ["d", "relu"]
    assert ends(draw(store, "curve", best=0).axes[0]) == ["relu"]


def test_named_activations_are_drawn_alone_with_the_baseline(store):
    panel = draw(store, "curve", activations=["a", "b"]).axes[0]
    assert ends(panel) == ["b", "a", "relu"]
    assert not [line for line in panel.lines if line.get_color() == "#c4c4c4"]


def test_names_of_lines_that_end_together_do_not_overlap(results, make):
    for name in "abcdef":
        results.add(name, 0, 90.0, make("curve", [50.0, 90.0]))
    figure = draw(results.store, "curve", best=6)
    for panel in figure.axes:
        boxes = sorted((t.get_window_extent() for t in panel.texts if t.get_gid() == "end label"), key=lambda b: b.y0)
        assert len(boxes) == 6
        assert all(above.y0 >= below.y1 - 1.5 for below, above in zip(boxes, boxes[1:], strict=False))


def test_few_seeds_have_no_band(results, make):
    for seed in range(2):
        results.add("relu", seed, 90.0, make("curve", [50.0, 90.0 + seed]))
    figure = draw(results.store, "curve")
    assert not figure.axes[0].collections
    assert "Means over 2 seeds." in figure.get_label() and "intervals" not in figure.get_label()


def test_curves_of_different_lengths_are_averaged_where_all_are(results, make):
    results.add("relu", 0, 90.0, make("curve", [1.0, 2.0, 3.0])).add("relu", 1, 90.0, make("curve", [3.0, 4.0]))
    np.testing.assert_allclose(lines(draw(results.store, "curve").axes[0])["relu"].get_ydata(), [2.0, 3.0])


def test_early_epochs_do_not_flatten_the_rest(results, make):
    for name, last in (("relu", 90.0), ("a", 91.0)):
        results.add(name, 0, last, make("curve", [-5000.0, 80.0, *[last] * 18]))
    low, high = draw(results.store, "curve").axes[0].get_ylim()
    assert low > 0 and high > 91


def test_losses_that_span_more_than_a_factor_of_five_get_a_logarithmic_axis(results, make):
    results.add("relu", 0, 90.0, make("curve", [1.0] * 5, [2.0, 1.0, 0.5, 0.1, 0.05]))
    assert [panel.get_yscale() for panel in draw(results.store, "curve").axes] == ["linear", "log"]
    results.add("a", 0, 90.0, make("curve", [1.0] * 5, [2.0, 1.0, 0.5, 0.1, -0.05]))
    assert draw(results.store, "curve").axes[1].get_yscale() == "linear"


def test_what_the_metric_can_be_compared_with_is_a_line_if_it_is_near(results, make):
    about = {"references": {"Bayes-optimal accuracy": 92.4}, "target": 500.0}
    results.add("relu", 0, 90.0, make("curve", [80.0, 85.0, 90.0]), about=about)
    figure = draw(results.store, "curve")
    assert "Bayes-optimal accuracy 92.4 %" in [text.get_text() for text in figure.axes[0].texts]
    assert figure.axes[0].get_ylim()[1] < 100
    assert "Bayes-optimal accuracy 92.4 %; target 500 %." in figure.get_label()


def test_names_of_lines_for_comparison_do_not_overlap(results, make):
    about = {"references": {"Bayes-optimal accuracy": 92.4, "published": 92.5}}
    results.add("relu", 0, 90.0, make("curve", [80.0, 85.0, 90.0]), about=about)
    panel = draw(results.store, "curve").axes[0]
    assert [text.get_text() for text in panel.texts if not text.get_gid()] == ["Bayes-optimal accuracy 92.4 %"]
    assert sum(line.get_color() == "#767676" for line in panel.lines) == 2


def test_lower_is_better(results, make):
    for name, last in (("relu", 0.5), ("a", 0.25)):
        about = {"metric": "mse", "unit": "", "higher_is_better": False, "references": {"noise": 0.2}}
        results.add(name, 0, last, make("curve", [5000.0, 0.9, *[last] * 18]), about=about)
    panel = draw(results.store, "curve", best=1).axes[0]
    low, high = panel.get_ylim()
    assert low < 0.2 and high < 1
    assert ends(panel) == ["relu", "a"] and panel.get_ylabel() == "validation MSE"


def test_axes_say_what_they_show(store):
    validation, loss = draw(store, "curve").axes
    assert (validation.get_ylabel(), loss.get_ylabel()) == ("validation accuracy (%)", "training loss")
    assert [panel.get_xlabel() for panel in (validation, loss)] == ["epoch", "epoch"]
