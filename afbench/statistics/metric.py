"""The printed name of a metric, and its bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

ABBREVIATIONS = ("r2", "mse", "rmse", "mae", "f1", "auc", "psnr", "ssim")
"""Parts of the names of metrics that are printed in capitals."""


@dataclass(frozen=True)
class Bounds:
    """The range of a metric's values; an end without a bound is infinite."""

    low: float = -math.inf
    high: float = math.inf

    @property
    def none(self) -> bool:
        """Whether there is no bound."""
        return math.isinf(self.low) and math.isinf(self.high)

    def hold(self, values: Iterable[float]) -> bool:
        """Tell whether all values lie within. If one does not, the bounds are wrong and callers ignore them."""
        return all(self.low <= value <= self.high for value in values)


UNBOUNDED = Bounds()
UNDECLARED = {
    ("accuracy", "%"): Bounds(0.0, 100.0),
    ("r2", "%"): Bounds(high=100.0),
    ("mse", ""): Bounds(low=0.0),
}
"""Bounds of the metrics of afbench's own tasks, for old records without declared bounds."""


def written(metric: str) -> str:
    """Return a metric's name as tables, plots, captions and comparisons print it.

    >>> written("r2"), written("best_on_test_r2"), written("accuracy")
    ('R2', 'best on test R2', 'accuracy')
    """
    return (
        " ".join(word.upper() if word in ABBREVIATIONS else word for word in metric.split("_"))
        if metric.strip("_")
        else metric
    )


def bounds_of(about: Mapping[str, Any], metric: str) -> Bounds:
    """Return the bounds that a record's task declares for a metric: ``about["bounds"][metric] = [low, high]``.

    A damaged declaration (not two numbers in order) gives no bounds.

    >>> bounds_of({"bounds": {"r2": [None, 100.0]}}, "r2")
    Bounds(low=-inf, high=100.0)
    """
    declared = about.get("bounds")
    if not isinstance(declared, Mapping):
        main = metric == about.get("metric")
        unit = str(about.get("unit") or "") if main else {"accuracy": "%", "r2": "%"}.get(metric, "")
        return UNDECLARED.get((metric, unit), UNBOUNDED)
    ends = declared.get(metric)
    if not isinstance(ends, list | tuple) or len(ends) != 2:
        return UNBOUNDED
    low, high = (infinite if end is None else end for end, infinite in zip(ends, (-math.inf, math.inf), strict=True))
    sound = all(isinstance(end, int | float) and not isinstance(end, bool) for end in (low, high))
    return Bounds(float(low), float(high)) if sound and low < high else UNBOUNDED


def declare(bounds: Mapping[str, tuple[float, float]]) -> dict[str, list[float | None]]:
    """Convert bounds for a record. JSON has no infinity, so an end without a bound becomes None."""
    return {metric: [None if math.isinf(end) else float(end) for end in ends] for metric, ends in bounds.items()}
