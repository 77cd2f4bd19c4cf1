"""Two results folders, written file by file as runs would."""

import json

import pytest

from afbench.records.store import Store
from afbench.records.trial import Record, Status, Trial

MACHINE = {
    "system": "Linux",
    "release": "6.1",
    "architecture": "x86_64",
    "processor": "Xeon",
    "cores": 2,
    "memory_bytes": 16 * 2**30,
    "cuda": [],
}
ABOUT = {"metric": "accuracy", "unit": "%", "higher_is_better": True}


def figure(median, spread=0.02, samples=15, unstable=()):
    """A figure whose quartiles are ``spread`` of the median apart."""
    ends = [median * (1 - spread / 2), median * (1 + spread / 2)]
    return {"median": median, "quartiles": ends, "samples": samples, "unstable": list(unstable)}


class Folder:
    """A results folder that is being written."""

    def __init__(self, path):
        self.store = Store.open(path, write=True)
        self.path = str(path)

    def environment(self, name="e1", machine=None, **changes):
        held = {
            "schema": 1,
            "machine": {**MACHINE, **(machine or {})},
            "python": "3.11.7",
            "packages": {"torch": "2.13.0"},
            **changes,
        }
        self.store.write_json("environments", name, held)
        return self

    def cost(self, activation, seconds=2e-3, copy=2.0, *, key=None, saved=4000, spread=0.02, unstable=(), **changes):
        one = {"seconds": figure(seconds, spread, unstable=unstable), "copy": figure(copy, spread), "calls": 3}
        cost = {
            "schema": 1,
            "key": key or activation,
            "kind": "alone",
            "activation": activation,
            "shape": [4, 8],
            "dtype": "float32",
            "mode": "eager",
            "device": "cpu",
            "threads": 1,
            "environment": "e1",
            "commit": "a" * 40,
            "measured": "2026-01-01T00:00:00+00:00",
            "status": "ok",
            "versions": {"kernels": "plain"},
            "saved": {"bytes": saved},
            "forward": {"cold": one, "warm": None},
        }
        self.store.write_json("costs", cost["key"], {**cost, **changes})
        return self

    def network(self, activation, seconds=2e-3, ratio=1.5, **changes):
        part = {"ratio": ratio, "quartiles": [ratio * 0.99, ratio * 1.01], "rounds": 15, "unstable": []}
        part |= {"seconds": seconds, "seconds_quartiles": [seconds * 0.99, seconds * 1.01]}
        cost = {"schema": 1, "key": f"n-{activation}", "task": "gmm", "activation": activation, "baseline": "relu"}
        cost |= {"settings": {}, "environment": "e1", "device": "cpu", "threads": 1, "status": "ok", "step": part}
        cost |= {"versions": {"kernels": "plain"}, "saved": {"bytes": 4000}}
        self.store.write_json("costs", cost["key"], {**cost, **changes})
        return self

    def trials(self, activation, scores, *, task="gmm", seeds=None, **changes):
        for seed, score in zip(seeds or range(len(scores)), scores, strict=True):
            fields = {
                "about": ABOUT,
                "resolved": {"task": {"device": "cpu", "dtype": "float32"}},
                "seconds": 1.5,
                "environment": "e1",
                "started": "2026-01-01T00:00:00+00:00",
            }
            fields |= {"metrics": {"accuracy": score}, "status": Status.OK} if score is not None else {}
            if score is None:
                error = {"type": "E", "message": "diverged at step 3", "traceback": ""}
                fields |= {"status": Status.DIVERGED, "error": error}
            self.store.write(Record(Trial(task, activation, seed, {}), **{**fields, **changes}))
        return self

    def spoil(self, folder, name, text='{"schema": 1, "key"'):
        (self.store.path / folder).mkdir(exist_ok=True)
        (self.store.path / folder / name).write_text(text if isinstance(text, str) else json.dumps(text))
        return self


@pytest.fixture
def a(tmp_path):
    return Folder(tmp_path / "a")


@pytest.fixture
def b(tmp_path):
    return Folder(tmp_path / "b")


@pytest.fixture
def verdicts():
    """The verdicts of a comparison by kind, activation and figure."""

    def read(comparison):
        return {(c.activation, c.figure): str(c.verdict) for c in comparison.changes}

    return read
