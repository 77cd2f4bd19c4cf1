import pytest

from afbench.records.store import Store
from afbench.records.trial import Record, Status, Trial

ABOUT = {
    "headline": "Two moons",
    "metric": "accuracy",
    "unit": "%",
    "higher_is_better": True,
    "target": 97.0,
    "references": {"Bayes-optimal accuracy": 98.25},
    "plots": ["curve"],
}
VERSIONS = {"task": 1, "activation": 1, "loop": 1, "afbench": "0.1.0", "torch": "2.13.0", "kernels": "plain"}


@pytest.fixture
def store(tmp_path):
    return Store.open(tmp_path / "results", write=True)


@pytest.fixture
def put(store):
    """Write a trial's record as a run would: ``put("relu", 0, 91.0)``, or a failure without a number."""

    def write(activation, seed, accuracy=None, *, status="ok", message="", task="moons", settings=None, **changes):
        known = {"device": "cpu", "dtype": "float32", "epochs": 50, **(settings or {})}
        fields = {
            "about": ABOUT,
            "resolved": {"task": known},
            "metrics": {} if accuracy is None else {"accuracy": accuracy},
            "parameters": {"activation": 0, "trainable": 1200, "total": 1200} if status == "ok" else {},
            "seconds": 1.5,
            "versions": VERSIONS,
            "environment": "ab12",
            "started": "2026-01-01T00:00:00+00:00",
            "error": {"type": "E", "message": message, "traceback": ""} if message else None,
        }
        trial = Trial(task, activation, seed, settings or {})
        store.write(Record(trial, Status(status), **{**fields, **changes}))

    return write


@pytest.fixture
def put_cost(store):
    """Write a cost as the measurement would."""

    def write(activation, ratio=1.31, *, key=None, **changes):
        cost = {
            "schema": 1,
            "task": "moons",
            "activation": activation,
            "settings": {},
            "baseline": "relu",
            "environment": "ab12",
            "status": "ok",
            "measured": "2026-01-01T00:00:00+00:00",
            "threads": 1,
            "device": "cpu",
            "step": {"ratio": ratio, "quartiles": [ratio - 0.1, ratio + 0.1], "rounds": 15},
            "saved": {"bytes": 1000, "baseline_bytes": 800, "ratio": 1.25},
            "peak": None,
        }
        store.write_json("costs", key or activation, {**cost, **changes, "key": key or activation})

    return write


@pytest.fixture
def worked(put):
    """Three seeds of relu and pau whose table is worked out by hand in the tests."""
    for seed, (relu, pau) in enumerate([(90.0, 91.0), (92.0, 94.0), (94.0, 97.0)]):
        put("relu", seed, relu)
        put("pau", seed, pau, parameters={"activation": 20, "trainable": 1220, "total": 1220})
