"""Mean ranks against mean step times over tasks, worked by hand."""

from __future__ import annotations

import pytest

from afbench.errors import UsageError
from afbench.records.trial import Status
from afbench.report.plots import draw

ABOUT = {"gmm": {}, "waves": {"metric": "mse", "unit": "", "higher_is_better": False}}
SCORES = {
    "gmm": {"pau": 91.0, "relu": 90.0, "elu": 89.0, "selu": 88.0},
    "waves": {"relu": 0.1, "elu": 0.2, "pau": 0.3, "selu": 0.4},
}
STEPS = {"gmm": {"pau": 2.0, "elu": 0.4, "selu": 1.5}, "waves": {"pau": 8.0, "elu": 0.9, "selu": 1.5}}
POINTS = {"pau": (4.0, 2.0), "relu": (1.0, 1.5), "elu": (0.6, 2.5), "selu": (1.5, 4.0)}
"""Roots of 2 * 8, 1 * 1, 0.4 * 0.9 and 1.5 * 1.5; means of the ranks 1 and 3, 2 and 1, 3 and 2, 4 and 4."""


def trials(results, *tasks):
    for task in tasks:
        for name, score in SCORES[task].items():
            for share in (-0.001, 0.001):  # of which the mean is the score
                results.add(name, int(share > 0), score * (1 + share), task=task, about=ABOUT[task])
    return results


def costs(results, *tasks):
    for task in tasks:
        for name, ratio in STEPS[task].items():
            results.cost(name, ratio, task=task)
    return results


@pytest.fixture
def both(results):
    return costs(trials(results, *SCORES), *STEPS)


def drawn(figure):
    """Return the markers' places with their colours, and the lines' ends."""
    lines = [line for line in figure.axes[0].lines if line.get_gid() != "front"]
    ends = [tuple((round(float(x), 9), float(y)) for x, y in zip(*line.get_data(), strict=True)) for line in lines]
    marks = {at[0]: line.get_color() for line, at in zip(lines, ends, strict=True) if len(at) == 1}
    return marks, {at for at in ends if len(at) == 2}


def test_points_front_and_lines_by_hand(both):
    figure = draw(both.store, "tradeoff")
    marks, lines = drawn(figure)
    assert set(marks) == set(POINTS.values())
    black, blue, grey = (marks[POINTS[name]] for name in ("relu", "elu", "pau"))
    assert black == "#000000" and len({black, blue, grey}) == 3 and marks[POINTS["selu"]] == grey
    (front,) = (line for line in figure.axes[0].lines if line.get_gid() == "front")
    assert [(round(float(x), 9), y) for x, y in zip(*front.get_data(), strict=True)] == [(0.6, 2.5), (1, 2.5), (1, 1.5)]
    relu = {((1.0, 1.5), (1.0, 1.5)), ((1.0, 1.0), (1.0, 2.0))}
    assert lines == {((0.4, 2.5), (0.9, 2.5)), ((0.6, 2.0), (0.6, 3.0)), *relu}


def test_the_best_rank_is_at_the_top_and_all_is_on_the_axes(both):
    panel = draw(both.store, "tradeoff").axes[0]
    (bottom, top), (left, right) = panel.get_ylim(), panel.get_xlim()
    assert bottom > 4 > 1 > top > 0 and 0 < left < 0.4 and right > 4
    assert list(panel.get_yticks()) == [1, 2, 3, 4]


def test_the_caption_says_what_is_shown(both):
    label = draw(both.store, "tradeoff").get_label()
    assert label.startswith("2 tasks: gmm, waves. Mean rank over tasks against training-step time relative to relu, ")
    assert "Thin lines through markers: lowest to highest rank and ratio of all tasks." in label
    assert "; black: the baseline relu, on the front." in label and "Without" not in label


def test_who_lacks_something_takes_part_in_no_rank_and_is_named(both):
    both.add("swish", 0, 99.0).cost("swish", 1.0).cost("swish", 1.0, task="waves")  # the best, but of one task
    for task, score in {"gmm": 99.0, "waves": 0.01}.items():
        both.add("tanh", 0, score, task=task, about=ABOUT[task])
        both.add("mish", 0, score, task=task, about=ABOUT[task], status=Status.DIVERGED).cost("mish", 1.0, task=task)
    both.cost("tanh", 1.0)
    figure = draw(both.store, "tradeoff")
    assert set(drawn(figure)[0]) == set(POINTS.values())
    label = figure.get_label()
    assert "Without a number in waves: swish. Without a number in gmm, waves: mish." in label
    assert "Without a cost in waves: tanh." in label
    assert "gmm: left out: mish (1 of 1 seeds diverged)." in label


def test_the_number_of_a_task_counts_with_the_cost_of_that_task(results, tmp_path):
    """Whichever folder they lie in."""

    def make(name):
        return type(results)(tmp_path / name)

    apart = [costs(trials(make(task), task), task).store for task in SCORES]
    beside = [trials(make("trials"), *SCORES).store, costs(make("costs"), *STEPS).store]
    for stores in (apart, apart[::-1], beside, beside[::-1]):
        figure = draw(stores, "tradeoff")
        assert set(drawn(figure)[0]) == set(POINTS.values())


def test_one_task_can_be_named(both):
    label = draw(both.store, "tradeoff", task="waves").get_label()
    assert label.startswith("waves: Made up. Test MSE (mean over seeds) against training-step time relative to relu.")


def test_those_named_are_ranked_among_themselves_and_the_baseline(both):
    marks, _ = drawn(draw(both.store, "tradeoff", activations=["pau", "selu"]))
    assert set(marks) == {(4.0, 1.5), (1.0, 1.5), (1.5, 3.0)}


def test_a_task_without_costs_is_named(results):
    costs(trials(results, *SCORES), "gmm")
    with pytest.raises(UsageError, match="plot 'tradeoff' needs step times of waves, .*costs. Copy the folder costs"):
        draw(results.store, "tradeoff")


def test_a_named_activation_must_have_a_cost_in_every_task(both):
    for task, score in {"gmm": 99.0, "waves": 0.01}.items():
        both.add("tanh", 0, score, task=task, about=ABOUT[task])
    both.cost("tanh", 1.0)
    with pytest.raises(UsageError, match="plot 'tradeoff' needs step times of tanh in waves, .*cost --task waves"):
        draw(both.store, "tradeoff", activations=["tanh"])


def test_ratios_to_two_baselines_have_no_mean(results):
    costs(trials(results, *SCORES), "gmm").cost("pau", 2.0, task="waves", baseline="elu")
    with pytest.raises(
        UsageError,
        match="of gmm are relative to relu, those of waves are relative to elu. .*cost --task waves --baseline relu",
    ):
        draw(results.store, "tradeoff")
    with pytest.raises(UsageError, match=r"cost --task gmm --baseline elu\)"):
        draw(results.store, "tradeoff", baseline="elu")


def test_one_activation_alone_has_no_rank(results):
    results.add("relu", 0, 90.0).add("pau", 0, 91.0).add("relu", 0, 0.1, task="waves", about=ABOUT["waves"])
    results.cost("pau", 2.0).cost("relu", 1.0, task="waves")
    with pytest.raises(
        UsageError, match=r"needs at least two activations .*; there are 1 \(without a number in waves: pau\)"
    ):
        draw(results.store, "tradeoff")
