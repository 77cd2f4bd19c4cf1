"""Which trials a plot of a folder with several tasks or settings is drawn from."""

from __future__ import annotations

import pytest

from afbench.errors import UsageError
from afbench.records.store import Store
from afbench.report.plots import draw


def test_several_tasks_must_be_told_apart(results, make):
    results.add("relu", 0, 80.0, make("curve", [1.0])).add("relu", 0, 80.0, make("curve", [1.0]), task="moons")
    with pytest.raises(UsageError, match=r"holds several tasks or settings; choose one with --task: gmm or moons"):
        draw(results.store, "curve")
    assert draw(results.store, "curve", task="moons").get_label().startswith("moons: ")
    with pytest.raises(UsageError, match=r"no task 'moon' in .*; did you mean 'moons'\? \(it holds: gmm, moons\)"):
        draw(results.store, "curve", task="moon")


def test_settings_are_never_mixed(results, make):
    for epochs in (2, 3):
        results.add("relu", 0, 80.0, make("curve", [1.0] * epochs), settings={"epochs": epochs, "lr": 0.1})
    with pytest.raises(UsageError, match=r"choose one with --task: gmm\[epochs=2,lr=0.1\] or gmm\[epochs=3,lr=0.1\]"):
        draw(results.store, "curve", task="gmm")
    figure = draw(results.store, "curve", task="gmm[epochs=3, lr=0.1]")
    assert len(figure.axes[0].lines[0].get_xdata()) == 3


def test_a_name_alone_means_the_default_settings(results, make):
    results.add("relu", 0, 80.0, make("curve", [1.0])).add(
        "relu", 0, 80.0, make("curve", [1.0] * 4), settings={"epochs": 4}
    )
    assert len(draw(results.store, "curve", task="gmm").axes[0].lines[0].get_xdata()) == 1


def test_a_name_alone_does_for_one_choice_of_settings(results, make):
    results.add("relu", 0, 80.0, make("curve", [1.0] * 4), settings={"epochs": 4})
    assert draw(results.store, "curve", task="gmm").get_label().startswith("gmm[epochs=4]: ")


def test_a_task_is_taken_from_the_folder_that_holds_it(results, tmp_path):
    other = type(results)(tmp_path / "other")
    for name, score in {"relu": 80.0, "pau": 81.0}.items():
        results.add(name, 0, score)
        other.add(name, 0, score, task="moons")
    stores = [results.store, other.store]
    assert draw(stores, "rank", task="moons").get_label().startswith("moons: ")
    with pytest.raises(UsageError, match=r"no task 'moon' in .*results, .*other; did you mean .* hold: gmm, moons\)"):
        draw(stores, "rank", task="moon")


def test_an_empty_folder(tmp_path):
    (tmp_path / "trials").mkdir()
    with pytest.raises(UsageError, match="no results in"):
        draw(Store.open(tmp_path), "curve")
