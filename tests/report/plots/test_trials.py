"""What plots are drawn from: records of one source alone, and the activations that were asked for."""

from __future__ import annotations

import pytest

from afbench.errors import UsageError
from afbench.records.store import Store
from afbench.records.trial import Record, Status, Trial
from afbench.report.plots import draw
from afbench.report.plots.trials import Trials

ABOUT = {"metric": "accuracy", "unit": "%", "higher_is_better": True, "plots": ["curve"]}


@pytest.fixture
def store(tmp_path):
    return Store.open(tmp_path / "gmm", write=True)


@pytest.fixture
def put(store, make):
    def write(activation, seed, score, **fields):
        record = Record(Trial("gmm", activation, seed, {}), Status.OK, ABOUT, metrics={"accuracy": score}, **fields)
        store.write(record, make("curve", [score - 9, score - 1, score]))

    return write


@pytest.fixture
def edited(put):
    """A user's activation whose code was edited after two of its four seeds, which were better."""
    for seed in range(4):
        put("relu", seed, 90.0 + seed)
        new = seed >= 2
        source, started = ("bbbb1234", "2026-01-02") if new else ("aaaa1234", "2026-01-01")
        put("my.acts:Snake", seed, (60.0 if new else 99.0) + seed, source=f"activation={source}", started=started)


def test_records_of_two_sources_never_share_a_line(store, edited):
    trials = Trials.of(store, None, None, "relu")
    assert set(trials.ok["my.acts:Snake"]) == {2, 3} and trials.mean("my.acts:Snake") == 62.5
    assert list(trials.ok) == ["relu", "my.acts:Snake"] and trials.older == ("my.acts:Snake (older code aaaa)",)


@pytest.mark.parametrize("kind", ["curve", "rank"])
def test_a_caption_names_the_rows_of_older_code(store, edited, kind):
    caption = draw(store, kind, names={"my.acts:Snake": "Snake"}).get_label()
    assert "Left out: Snake (older code aaaa)." in " ".join(caption.split())
    if kind == "curve":
        assert "older" not in draw(store, kind, activations="relu").get_label()


def test_an_activation_of_older_code_alone_is_refused(store, put):
    put("pau", 0, 91.0, source="task=aaaa", started="2026-01-01")
    put("relu", 0, 90.0, source="task=bbbb", started="2026-01-02")
    assert list(Trials.of(store, None, None, "relu").ok) == ["relu"]
    with pytest.raises(UsageError, match="no trial of 'pau' in gmm, all of code that was edited since, ended well"):
        Trials.of(store, None, "pau", "relu")


def test_the_baseline_is_drawn_unless_it_is_excluded(store, put):
    for name, score in {"relu": 90.0, "pau": 91.0, "gelu": 92.0}.items():
        put(name, 0, score)
    for text, drawn in {"pau": ["pau", "relu"], "-relu": ["gelu", "pau"], "pau,-fixed": ["pau"]}.items():
        trials = Trials.of(store, None, text, "relu")
        assert [name for name in trials.ok if trials.wanted(name)] == drawn
    assert Trials.of(store, None, "-relu", "relu").baseline == "relu"  # still the unit of step times
