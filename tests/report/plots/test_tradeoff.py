"""Metric against cost: names that do not overlap, and where the costs come from."""

from __future__ import annotations

import itertools
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from afbench.errors import UsageError
from afbench.records.store import Store
from afbench.report.plots import draw

from .conftest import Results


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """Thirty activations near each other, and one far below, in two tasks; only read."""
    results = Results(tmp_path_factory.mktemp("crowded"))
    rng = np.random.default_rng(0)
    for i in range(30):
        name = "relu" if i == 0 else f"activation_{i}"
        for seed in range(3):
            results.add(name, seed, 90.0 + rng.normal())
            results.add(name, seed, 80.0 + rng.normal(), task="moons")
        for task in ("gmm", "moons"):
            results.cost(name, 1.0 if i == 0 else float(rng.uniform(0.9, 2.0)), task=task)
    for task in ("gmm", "moons"):
        results.add("sunk", 0, 10.0, task=task).cost("sunk", 1.5, task=task)
    return results.store


@pytest.fixture(scope="module")
def drawn_crowd(crowded):
    """Figures of the crowd, each drawn once."""
    return cache(lambda task="gmm", width="text": draw(crowded, "tradeoff", task=task, width=width))


REFERENCE = Path(__file__).parents[3] / "results/reference/gmm"


@pytest.fixture(scope="module")
def reference():
    """Figures of the 35 activations of the reference results, each drawn once."""
    store = Store.open(REFERENCE)
    assert len({record.trial.activation for record in store.records()}) >= 35
    return cache(lambda width="text": draw(store, "tradeoff", width=width))


class Drawn:
    """What is on a panel, in pixels, read from the figure as it is drawn."""

    def __init__(self, figure):
        figure.draw_without_rendering()
        (self.panel,) = figure.axes
        renderer = FigureCanvasAgg(figure).get_renderer()
        self.frame = self.panel.get_window_extent()
        to_pixels = self.panel.transData.transform
        texts = [text for text in self.panel.texts if text.get_text()]
        self.labels = [text for text in texts if text.get_gid() == "point label"]
        self.boxes = {text: text.get_window_extent(renderer) for text in texts}
        self.owner = {text: to_pixels(text.xy) for text in self.labels}
        single = [line for line in self.panel.lines if len(line.get_xdata()) == 1]
        self.markers = [to_pixels(np.ravel(line.get_data())) for line in single]
        self.radius = [line.get_markersize() / 2 * figure.dpi / 72 for line in single]
        self.lines = [
            line.get_transform().transform(line.get_xydata()) for line in self.panel.lines if line not in single
        ]
        arrows = [text.arrow_patch for text in self.panel.texts if getattr(text, "arrow_patch", None)]
        self.leaders = [arrow.get_transform().transform_path(arrow.get_path()).vertices[:2] for arrow in arrows]


def distance(box, point):
    x, y = point
    return np.hypot(max(box.x0 - x, 0, x - box.x1), max(box.y0 - y, 0, y - box.y1))


def crosses(box, corners):
    """Tell whether a line passes through a box; by points along it, a quarter of a pixel apart."""
    for start, end in itertools.pairwise(np.asarray(corners)):
        share = np.linspace(0, 1, 2 + int(4 * np.hypot(*(end - start))))[:, None]
        x, y = (start + share * (end - start)).T
        if ((box.x0 < x) & (x < box.x1) & (box.y0 < y) & (y < box.y1)).any():
            return True
    return False


def check_labels(figure):
    """See that no name is on another, a marker or a line, or nearer to another's marker than to its own."""
    drawn = Drawn(figure)
    for a, b in itertools.combinations(drawn.boxes.values(), 2):
        assert min(a.x1, b.x1) <= max(a.x0, b.x0) or min(a.y1, b.y1) <= max(a.y0, b.y0)
    for text in drawn.labels:
        box, words = drawn.boxes[text], text.get_text()
        assert drawn.frame.x0 <= box.x0 and box.x1 <= drawn.frame.x1, words
        assert drawn.frame.y0 <= box.y0 and box.y1 <= drawn.frame.y1, words
        assert min(distance(box, drawn.owner[text]) - distance(box, at) for at in drawn.markers) <= 1e-6, words
        assert all(distance(box, drawn.owner[text]) <= distance(box, at) + 1e-6 for at in drawn.markers), words
        assert all(distance(box, at) > radius for at, radius in zip(drawn.markers, drawn.radius, strict=True)), words
        assert not any(crosses(box, line) for line in drawn.lines), words
        own = [leader for leader in drawn.leaders if distance(box, leader[0]) < 1 or distance(box, leader[1]) < 1]
        assert len(own) <= 1
        assert not any(crosses(box, leader) for leader in drawn.leaders if not any(leader is one for one in own)), words
    return drawn


@pytest.mark.parametrize("width", ["column", "text"])
def test_labels_of_the_reference_results_are_clear(reference, width):
    figure = reference(width)
    drawn = check_labels(figure)
    words = [text.get_text() for text in drawn.labels]
    names = [word for word in words if not word.isdecimal()]
    assert len(set(words)) == len(words) and len(names) >= 18 and len(words) >= 24
    label = figure.get_label()
    for number in (word for word in words if word.isdecimal()):
        assert re.search(rf"(^|, ){number} [a-z]", label.partition("Numbers: ")[2])


@pytest.mark.parametrize("width", ["column", "text"])
@pytest.mark.parametrize("task", ["gmm", None])
def test_labels_of_a_crowd_are_clear_and_the_front_is_named(drawn_crowd, task, width):
    figure = drawn_crowd(task, width)
    drawn = check_labels(figure)
    black = [text for text in drawn.labels if text.get_color() == "#000000"]
    filled = [line for line in drawn.panel.lines if line.get_marker() in ("s", "o") and line.get_zorder() == 4]
    nameless = figure.get_label().partition("Not named: ")[2].split(", ")
    assert len(filled) - len(nameless) <= len(black) <= len(filled) and len(black) >= 3
    assert len(drawn.labels) >= 15


@pytest.mark.parametrize("count", [1, 3, 12])
def test_labels_of_few(results, count):
    for index in range(count):
        name = ["relu", "my_package.activations:Snake[alpha=2,trainable=true]"][index] if index < 2 else f"a{index}"
        results.add(name, 0, 80.0 + index % 5).cost(name, 1.0 + 0.2 * index)
    drawn = check_labels(draw(results.store, "tradeoff", width="column"))
    assert len(drawn.labels) == count


def test_the_axes_say_their_kind_and_which_end_is_better(reference, results):
    panel = reference().axes[0]
    assert panel.get_xlabel() == "training-step time relative to relu (log scale; lower is better)"
    assert panel.get_ylabel() == "test accuracy (%, higher is better)"
    about = {"metric": "mse", "unit": "", "higher_is_better": False, "references": {}}
    for index, name in enumerate(("relu", "pau")):
        results.add(name, 0, 1.0 + index, about=about).cost(name, 1.0 + index)
    panel = draw(results.store, "tradeoff").axes[0]
    assert panel.get_xlabel() == "training-step time relative to relu (linear scale; lower is better)"
    assert panel.get_ylabel().endswith("(lower is better)")


def test_labels_are_the_same_at_each_call(drawn_crowd, crowded):
    first, second = (figure.axes[0].texts for figure in (drawn_crowd(), draw(crowded, "tradeoff", task="gmm")))
    assert [(t.get_text(), t.get_position()) for t in first] == [(t.get_text(), t.get_position()) for t in second]


def test_an_outlier_lies_beyond_the_axis_and_is_named(drawn_crowd):
    label = drawn_crowd().get_label()
    assert "Beyond the axis: " in label and "sunk. Bayes" in label


def test_an_activation_without_a_cost_is_named(results):
    results.add("relu", 0, 90.0).add("pau", 0, 91.0).add("elu", 0, 89.0)
    results.cost("pau", 2.0)
    assert "Without a cost: elu." in draw(results.store, "tradeoff").get_label()  # relu's is 1 by definition
    with pytest.raises(UsageError, match="plot 'tradeoff' needs step times of elu in gmm, .*costs. Copy the folder "):
        draw(results.store, "tradeoff", activations=["elu"])


def test_costs_may_lie_in_a_folder_of_their_own(results, tmp_path):
    results.add("relu", 0, 90.0).add("pau", 0, 91.0)
    other = type(results)(tmp_path / "costs").cost("pau", 2.0)
    with pytest.raises(UsageError, match="plot 'tradeoff' needs step times of"):
        draw(results.store, "tradeoff")
    for stores in ([results.store, other.store], [other.store, results.store]):
        assert "Without a cost" not in draw(stores, "tradeoff").get_label()


def test_trials_of_one_task_in_two_folders_are_not_drawn_together(results, tmp_path):
    results.add("relu", 0, 90.0)
    other = type(results)(tmp_path / "other").add("relu", 0, 90.0)
    with pytest.raises(UsageError, match="gmm is in several of these folders; copy its trials"):
        draw([results.store, other.store], "tradeoff")


def test_costs_without_trials_are_not_enough(results, tmp_path):
    results.cost("relu", 1.0)
    other = type(results)(tmp_path / "costs").cost("pau", 2.0)
    with pytest.raises(UsageError, match=r"no results in .*results; make some with: afbench run --task TASK --out"):
        draw([results.store, other.store], "tradeoff")


def test_no_costs_at_all_say_what_brings_them(results):
    results.add("relu", 0, 90.0)
    with pytest.raises(UsageError, match="plot 'tradeoff' needs step times of gmm, .*afbench run --task gmm --out DIR"):
        draw(results.store, "tradeoff")


def test_times_that_tables_leave_out_are_not_drawn(results):
    results.add("relu", 0, 80.0).add("pau", 0, 81.0).cost("relu", 1.24).cost("pau", 2.0)
    said = (
        r"^no step times for plot 'tradeoff' of gmm: the machine was too busy for timing \(relu.*1.24.*cost --task gmm"
    )
    with pytest.raises(UsageError, match=said):
        draw(results.store, "tradeoff")
