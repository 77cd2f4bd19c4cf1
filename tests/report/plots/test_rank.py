"""Mean ranks, worked by hand."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from afbench.errors import UsageError
from afbench.records.store import Store
from afbench.records.trial import Status
from afbench.report.plots import draw
from afbench.report.plots.rank import Ranking
from afbench.report.plots.trials import Trials

LOSS = {"metric": "mse", "unit": "", "higher_is_better": False, "references": {}}


def ranking(store, task=None, names=None):
    return Ranking.of(Trials.each([store], task, names, "relu"))


@pytest.fixture
def two(results):
    """By means relu ranks 2, 1; pau 1, 2; elu 3, 3. Only gmm has swish."""
    for seed in range(2):
        for name, score in {"relu": 90.0, "pau": 91.0, "elu": 89.0, "swish": 95.0}.items():
            results.add(name, seed, score + seed)
        for name, score in {"relu": 0.1, "pau": 0.2, "elu": 0.3}.items():
            results.add(name, seed, score, task="waves", about=LOSS)
    return results


def test_over_tasks_by_hand(two):
    found = ranking(two.store)
    assert found.names == ("pau", "relu", "elu") and found.missing == ("swish",) and found.block == "task"
    np.testing.assert_array_equal(found.ranks, [[1, 2, 3], [2, 1, 3]])
    label = draw(two.store, "rank").get_label()
    assert label.startswith("gmm, waves. ") and "Not ranked, without a number in every task: swish." in label
    assert "No critical difference is drawn: Friedman's test does not reject" in label


def test_tasks_may_lie_in_several_folders(two, tmp_path):
    one = draw(two.store, "rank").get_label()
    folders = []
    for task in ("gmm", "waves"):
        folders.append(tmp_path / task)
        (folders[-1] / "trials").mkdir(parents=True)
        for record in two.store.records():
            if record.trial.task == task:
                shutil.copy(two.store.path / "trials" / f"{record.key}.json", folders[-1] / "trials")
    stores = [Store.open(folder) for folder in folders]
    assert draw(stores, "rank").get_label() == one
    with pytest.raises(UsageError, match="gmm is in several of these folders"):
        draw([*stores, two.store], "rank")
    with pytest.raises(UsageError, match="plot 'curve' takes one results folder, not 2 .of several: rank"):
        draw(stores, "curve")


def test_over_seeds_of_one_task(two):
    two.add("relu", 2, 99.0)  # a seed that most lack counts for none
    found = ranking(two.store, "gmm")
    assert found.block == "seed" and found.names == ("swish", "pau", "relu", "elu")
    np.testing.assert_array_equal(found.ranks, [[1, 2, 3, 4]] * 2)
    assert ranking(two.store, "gmm", ["elu", "relu"]).names == ("relu", "elu")


def test_one_with_a_failed_seed_is_named_and_not_ranked(two):
    two.add("selu", 0, 99.0).add("selu", 1, 0.0, status=Status.DIVERGED)
    assert ranking(two.store, "gmm").missing == ("selu",)
    assert "selu" in draw(two.store, "rank", task="gmm").get_label()


def test_who_can_be_told_from_the_best_is_grey(results):
    for seed in range(10):
        for place, name in enumerate(["pau", "relu", "elu", "selu"]):
            results.add(name, seed, 90.0 - place + 0.01 * seed)
    figure = draw(results.store, "rank")
    # Nemenyi's difference of 4 over 10: 2.569 sqrt(4 * 5 / 60) = 1.48.
    assert "critical difference 1.48" in [text.get_text() for text in figure.axes[0].texts]
    colours = {label.get_text(): label.get_color() for label in figure.axes[0].get_yticklabels()}
    assert colours["pau"] == colours["relu"] != colours["elu"] == colours["selu"]


def test_one_activation_has_no_rank(results):
    results.add("relu", 0, 90.0)
    with pytest.raises(
        UsageError, match="plot 'rank' needs at least two activations with a number in the same seeds of gmm"
    ):
        draw(results.store, "rank")
