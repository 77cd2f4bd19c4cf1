from __future__ import annotations

import numpy as np
import pytest

from afbench.errors import UsageError
from afbench.report.plots import draw


def titles(figure):
    return [(panel.get_title(loc="left"), panel.texts[0].get_text()) for panel in figure.axes]


def after(panel):
    return [line for line in panel.lines if line.get_color() == "#0072b2"]


@pytest.fixture
def store(results, make):
    for seed, slope in enumerate((0.1, 0.3)):
        results.add("relu", seed, 80.0, make("fixed"))
        results.add("gelu", seed, 95.0, make("fixed"))
        results.add("prelu", seed, 90.0 + seed, make("shape", slope))
        results.add("acon_c", seed, 85.0, make("shape", slope, channels=3))
    return results.store


def test_shows_what_training_changed_at_each_place(store):
    figure = draw(store, "shape")
    assert titles(figure) == [
        ("prelu", "90.5 %, place 1 of 2"),
        ("", "place 2 of 2"),
        ("acon_c", "85.0 %, place 1 of 2"),
        ("", "place 2 of 2"),
    ]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["before training", "after", "relu"]


def test_few_seeds_are_a_line_each(store):
    prelu = draw(store, "shape").axes[0]
    x = np.linspace(-5, 5, 41)
    assert len(after(prelu)) == 2 and not prelu.collections
    for line, slope in zip(after(prelu), (0.1, 0.3), strict=True):
        np.testing.assert_allclose(line.get_ydata(), np.where(x > 0, x, slope * x), atol=1e-6)


def test_channels_are_a_median_quartiles_and_a_few_lines(store):
    acon = draw(store, "shape").axes[2]
    x = np.linspace(-5, 5, 41)
    slopes = np.array([0.1, 0.2, 0.3, 0.3, 0.4, 0.5])  # two seeds, three channels each
    lines = np.where(x[:, None] > 0, x[:, None], slopes * x[:, None])
    median, *some = sorted(after(acon), key=lambda line: -line.get_linewidth())
    np.testing.assert_allclose(median.get_ydata(), np.median(lines, axis=1), atol=1e-6)
    assert len(some) == 4 and all(line.get_linewidth() < 0.5 for line in some)
    (band,) = acon.collections
    low, high = np.quantile(lines, [0.25, 0.75], axis=1)
    ends = band.get_paths()[0].vertices
    for place in (0, 10, 20):
        its = ends[np.isclose(ends[:, 0], x[place]), 1]
        np.testing.assert_allclose([its.min(), its.max()], [low[place], high[place]], atol=1e-6)


def test_many_seeds_are_a_median_and_quartiles(results, make):
    for seed in range(30):
        results.add("prelu", seed, 80.0, make("shape", 0.1 + 0.01 * seed))
    figure = draw(results.store, "shape")
    assert [len(after(panel)) for panel in figure.axes] == [5, 5]
    assert "The median and quartiles (band) over seeds and channels, and 4 single lines (thin)" in figure.get_label()


def test_inputs_stand_under_the_curve(results, make):
    counts = np.zeros(52)
    counts[[0, 26, 27]] = 10, 30, 60  # a tenth lies below -5
    fed = {"shape/0/hist": counts, "shape/0/edges": np.linspace(-5, 5, 51)}
    results.add("prelu", 0, 80.0, make("shape") | fed).add("prelu", 1, 80.0, make("shape"))
    first, second = (figure := draw(results.store, "shape")).axes
    (area,) = first.collections
    ends = area.get_paths()[0].vertices
    assert not second.collections
    heights = {x: ends[np.isclose(ends[:, 0], x), 1].max() for x in (-4.0, 0.2, 0.4)}
    assert heights[-4.0] == 0 and heights[0.2] == pytest.approx(0.24) and heights[0.4] == pytest.approx(0.24)
    assert "their inputs in the trained network (up to 10 % of them lie outside the axis)." in figure.get_label()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["before training", "after", "inputs"]


def test_older_records_without_inputs_are_drawn(store):
    figure = draw(store, "shape")
    assert "inputs" not in figure.get_label()
    assert not [area for panel in figure.axes for area in panel.collections if area.get_gid() == "inputs"]


def test_the_fixed_baseline_is_a_dashed_reference(store):
    panel = draw(store, "shape").axes[0]
    (line,) = (line for line in panel.lines if line.get_color() == "#000000")
    assert line.is_dashed()
    np.testing.assert_allclose(line.get_ydata(), np.maximum(np.linspace(-5, 5, 41), 0), atol=1e-6)


def test_panels_share_their_axes_and_only_outer_ones_label_them(store):
    panels = draw(store, "shape").axes
    assert len({(panel.get_xlim(), panel.get_ylim()) for panel in panels}) == 1
    low, high = panels[0].get_ylim()
    assert low < -1.0 and 4.5 < high < 6.0
    assert [panel.yaxis.get_major_ticks()[0].label1.get_visible() for panel in panels] == [True, False, False, False]


def test_named_fixed_activations_are_drawn_dashed(store):
    figure = draw(store, "shape", activations=["gelu"])
    assert len(figure.axes) == 2 and not after(figure.axes[0])
    assert [line.is_dashed() for line in figure.axes[0].lines] == [True]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["fixed"]


def test_only_fixed_activations(results, make):
    results.add("relu", 0, 80.0, make("fixed"))
    with pytest.raises(UsageError, match="training changed no activation in gmm; run trainable ones, or choose those"):
        draw(results.store, "shape")


def test_many_activations_fill_pages(results, make):
    for index in range(24):
        results.add(f"act{index:02}", 0, 100.0 - index, make("shape", 0.5))
    first, second = (draw(results.store, "shape", page=page) for page in (1, 2))
    names = [[title for title, _ in titles(figure) if title] for figure in (first, second)]
    assert names == [[f"act{i:02}" for i in range(18)], [f"act{i:02}" for i in range(18, 24)]]
    assert "Page 1 of 2, of 24 activations." in first.get_label()
    assert first.axes[0].get_ylim() == second.axes[0].get_ylim()
    assert first.get_figheight() < 9.0  # a printed page
    with pytest.raises(UsageError, match="has 2 pages; there is no page 0"):
        draw(results.store, "shape", page=0)


def test_of_many_places_three_are_shown(results, make):
    results.add("prelu", 0, 80.0, make("shape", 0.5, [str(place) for place in range(17)]))
    figure = draw(results.store, "shape")
    places = [below.split(", ")[-1] for _, below in titles(figure)]
    assert places == ["place 1 of 17", "place 9 of 17", "place 17 of 17"]


def test_one_wild_activation_does_not_flatten_the_others(results, make):
    for index in range(3):
        results.add(f"prelu{index}", 0, 80.0, make("shape", 0.5))
    wild = make("shape", 0.5)
    wild["shape/0/after"] = 1e6 * wild["shape/0/after"]
    wild["shape/1/after"][3] = np.inf
    results.add("pau", 0, 80.0, wild)
    assert draw(results.store, "shape").axes[0].get_ylim()[1] < 10
