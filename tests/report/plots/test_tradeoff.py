"""Metric against cost: names that do not overlap, and where the costs come from."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from afbench.errors import UsageError
from afbench.report.plots import draw


@pytest.fixture
def crowded(results):
    """Thirty activations near each other, and one far below, in two tasks."""
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


@pytest.mark.parametrize("width", ["column", "text"])
@pytest.mark.parametrize("task", ["gmm", None])
def test_names_do_not_overlap_and_the_front_and_the_baseline_are_named(crowded, task, width):
    figure = draw(crowded, "tradeoff", task=task, width=width)
    figure.draw_without_rendering()
    panel = figure.axes[0]
    labels = [text for text in panel.texts if text.get_gid() == "point label"]
    boxes = [text.get_window_extent() for text in labels]
    for a, b in itertools.combinations(boxes, 2):
        assert min(a.x1, b.x1) - max(a.x0, b.x0) <= 1 or min(a.y1, b.y1) - max(a.y0, b.y0) <= 1
    black = {text.get_text() for text in labels if text.get_color() == "#000000"}
    (front,) = (line for line in panel.lines if line.get_gid() == "front")
    members = {(x, y) for x, y in zip(*front.get_data(), strict=True)}
    assert "relu" in black and len(black) >= (len(members) + 1) // 2


def test_an_outlier_lies_beyond_the_axis_and_is_named(crowded):
    label = draw(crowded, "tradeoff", task="gmm").get_label()
    assert "Beyond the axis: " in label and "sunk. Bayes" in label


def test_an_activation_without_a_cost_is_named(results):
    results.add("relu", 0, 90.0).add("pau", 0, 91.0).add("elu", 0, 89.0)
    results.cost("pau", 2.0)
    assert "Without a cost: elu." in draw(results.store, "tradeoff").get_label()  # relu's is 1 by definition
    with pytest.raises(UsageError, match="no costs for plot 'tradeoff' of elu in gmm in .*costs: copy that folder"):
        draw(results.store, "tradeoff", activations=["elu"])


def test_costs_may_lie_in_a_folder_of_their_own(results, tmp_path):
    results.add("relu", 0, 90.0).add("pau", 0, 91.0)
    other = type(results)(tmp_path / "costs").cost("pau", 2.0)
    with pytest.raises(UsageError, match="no costs for plot 'tradeoff'"):
        draw(results.store, "tradeoff")
    for stores in ([results.store, other.store], [other.store, results.store]):
        assert "Without a cost" not in draw(stores, "tradeoff").get_label()


def test_trials_of_one_task_in_two_folders_are_not_drawn_together(results, tmp_path):
    results.add("relu", 0, 90.0)
    other = type(results)(tmp_path / "other").add("relu", 0, 90.0)
    with pytest.raises(UsageError, match="gmm is in several of the folders: it is drawn once"):
        draw([results.store, other.store], "tradeoff")


def test_costs_without_trials_are_not_enough(results, tmp_path):
    results.cost("relu", 1.0)
    other = type(results)(tmp_path / "costs").cost("pau", 2.0)
    with pytest.raises(UsageError, match=r"no results in .*results \(afbench run --task TASK --out"):
        draw([results.store, other.store], "tradeoff")


def test_no_costs_at_all_say_what_brings_them(results):
    results.add("relu", 0, 90.0)
    with pytest.raises(UsageError, match="no costs for plot 'tradeoff' of gmm in .*afbench run --task gmm --out DIR"):
        draw(results.store, "tradeoff")
