"""Stores made up for the plots: small, with real records and arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from afbench.records.store import Store
from afbench.records.trial import Record, Status, Trial

Arrays = dict[str, np.ndarray[Any, Any]]
ABOUT: dict[str, Any] = {
    "headline": "Made up",
    "metric": "accuracy",
    "unit": "%",
    "higher_is_better": True,
    "target": None,
    "references": {"Bayes-optimal accuracy": 92.4},
    "plots": ["boundary", "surface", "nodes", "shape", "curve"],
}


class Results:
    """A store that is filled trial by trial."""

    def __init__(self, path: Path) -> None:
        self.store = Store.open(path, write=True)

    def add(
        self,
        activation: str,
        seed: int,
        score: float,
        arrays: Arrays | None = None,
        *,
        task: str = "gmm",
        status: Status = Status.OK,
        settings: Mapping[str, Any] | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> Results:
        known = {**ABOUT, **(about or {})}
        metrics = {known["metric"]: score} if status is Status.OK else {}
        trial = Trial(task, activation, seed, settings or {})
        self.store.write(Record(trial, status, about=known, metrics=metrics), arrays)
        return self

    def cost(self, activation: str, ratio: float, *, task: str = "gmm", baseline: str = "relu") -> Results:
        cost = {"task": task, "activation": activation, "settings": {}, "baseline": baseline, "status": "ok"}
        step = {"ratio": ratio, "quartiles": [0.95 * ratio, 1.05 * ratio]}
        self.store.write_json("costs", f"{task}-{activation}", {**cost, "key": activation, "step": step})
        return self

    def alone(self, activation: str, elements: int, seconds: float, **changes: Any) -> Results:
        figure = {"median": seconds, "quartiles": [0.9 * seconds, 1.1 * seconds], "samples": 15, "unstable": []}
        copy = {**figure, "median": 1e-6 + elements * 1e-10}
        cold = {"seconds": figure, "yardsticks": {"copy": copy}}
        case = {"dtype": "float32", "mode": "eager", "device": "cpu", "threads": 1, "environment": "ab12"}
        cost = {"kind": "alone", "activation": activation, "elements": elements, "status": "ok", **case, **changes}
        key = "-".join(str(part) for part in (activation, elements, *changes.values())).replace("/", "")
        cost |= {"forward": {"cold": cold}, "training": {"cold": cold}, "key": key, "shape": [elements]}
        self.store.write_json("costs", key, cost)
        return self


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


def curve(validation: Sequence[float], loss: Sequence[float] | None = None) -> Arrays:
    loss = [1.0 / (1 + e) for e in range(len(validation))] if loss is None else loss
    return {
        "curve/epoch": np.arange(1.0, len(validation) + 1),
        "curve/loss": np.asarray(loss, float),
        "curve/validation": np.asarray(validation, float),
    }


def regions(classes: int = 20, seed: int = 0, side: int = 50) -> Arrays:
    """Cells of the nearest of some centres in [-2, 2] x [-1, 1], and points near the centres."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform((-2, -1), (2, 1), (classes, 2))
    xs, ys = -2 + 4 * (np.arange(side) + 0.5) / side, -1 + 2 * (np.arange(side) + 0.5) / side
    cells = np.stack(np.meshgrid(xs, ys), axis=-1)
    nearest = np.linalg.norm(cells[:, :, None] - centres, axis=-1).argmin(axis=-1)
    labels = rng.integers(0, classes, 200)
    return {
        "picture/regions": nearest.astype(np.uint8),
        "picture/extent": np.array([-2.0, 2.0, -1.0, 1.0], np.float32),
        "picture/points": (centres[labels] + 0.2 * rng.standard_normal((200, 2))).astype(np.float32),
        "picture/labels": labels.astype(np.uint8),
    }


def surface(error: float = 0.1, side: int = 21) -> Arrays:
    x, y = np.meshgrid(*[np.linspace(-1, 1, side)] * 2)
    target = 0.4 * np.sin(9 * x - 7 * y) + 0.15 * np.sin(3 * x + 13 * y)
    return {
        "picture/target": target.astype(np.float32),
        "picture/prediction": (target + error * np.cos(5 * x)).astype(np.float32),
        "picture/extent": np.array([-1, 1, -1, 1], np.float32),
    }


def nodes(error: float = 0.1, width: int = 3, slope: float = 0.0) -> Arrays:
    """A sine, a fit beside it, and nodes k (x + 0.25 k) that pass a leaky ReLU."""
    x = np.linspace(-1, 1, 41)
    before = np.arange(1, width + 1) * (x[:, None] + 0.25 * np.arange(width))
    held = {"x": x, "f": np.sin(6 * x), "fit": np.sin(6 * x) + error * np.cos(5 * x), "before": before}
    held["after"] = np.where(before > 0, before, slope * before)
    return {f"picture/{name}": values.astype(np.float32) for name, values in held.items()}


def shape(slope: float = 0.25, places: Sequence[str] = ("0", "1"), channels: int = 0) -> Arrays:
    """A leaky ReLU that starts with a slope of 0.25 and ends with another, or with one slope a channel."""
    x = np.linspace(-5, 5, 41).astype(np.float32)
    arrays: Arrays = {}
    for index, place in enumerate(places):
        slopes = slope + 0.05 * index + 0.1 * np.arange(max(channels, 1))
        after = np.where(x[:, None] > 0, x[:, None], slopes * x[:, None]).astype(np.float32)
        arrays[f"shape/{place}/x"] = x
        arrays[f"shape/{place}/before"] = np.where(x > 0, x, 0.25 * x).astype(np.float32)
        arrays[f"shape/{place}/after"] = after if channels else after[:, 0]
    return arrays


def fixed(places: Sequence[str] = ("0", "1")) -> Arrays:
    """A ReLU, which training leaves alone."""
    x = np.linspace(-5, 5, 41).astype(np.float32)
    parts = {"x": x, "before": np.maximum(x, 0), "after": np.maximum(x, 0)}
    return {f"shape/{place}/{part}": values for place in places for part, values in parts.items()}


MAKERS: dict[str, Callable[..., Arrays]] = {
    "curve": curve,
    "regions": regions,
    "surface": surface,
    "nodes": nodes,
    "shape": shape,
    "fixed": fixed,
}


@pytest.fixture
def make() -> Callable[..., Arrays]:
    """Make arrays: ``make("curve", [80.0, 90.0])``."""
    return lambda name, *given, **named: MAKERS[name](*given, **named)


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Five activations, three seeds, every kind of array, and one trial that diverged; only read."""
    results = Results(tmp_path_factory.mktemp("full"))
    long = "ditac[a=-3.0,b=3.0,init_smooth=3.0,init_var=2.0,lambda_var=1.0,penalty_weight=0.5]"
    for rank, name in enumerate(["relu", "pau[version=b]", long, "sigmoid", "prelu"]):
        for seed in range(3):
            score = 80.0 + 2 * rank + seed
            validation = score - 40.0 * np.exp(-np.arange(12) / 2)
            drawn = shape(0.1 * rank, channels=4 * (rank % 2)) if rank else fixed()
            arrays = curve(validation) | regions(seed=seed) | surface(0.05 * (rank + 1)) | drawn | nodes()
            results.add(name, seed, score, arrays)
        results.cost(name, 1.0 + 0.5 * rank)
        for power in range(3, 9):
            results.alone(name, 10**power, 1e-5 + (1 + rank) * 1e-9 * 10**power)
    results.add("prelu", 3, 0.0, status=Status.DIVERGED)
    return results.store
