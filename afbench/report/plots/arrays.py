"""The arrays of plots: what they must be, and which trials left sound ones.

Arrays come from disk, so a plot draws only arrays that passed these checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps

import numpy as np

from ...errors import UsageError
from ...files.arrays import Array, Damaged
from .kind import KINDS, Plot
from .trials import Arrays, Trials

LARGEST = 1e30
"""Magnitude. Squares and differences of larger numbers overflow, and no axis can be drawn for them."""
SIDE = 1024
"""Most cells of a picture's side: more than a printed panel has dots."""
CLASSES = 256
"""Most classes of a classifier: regions and labels are stored as bytes."""
SLIM = 10.0
"""Largest ratio of a picture's sides."""
LONG = 1_000_000
"""Most values of a line."""


def holding(trials: Trials, plot: Plot) -> dict[str, list[int]]:
    """Return the seeds of each activation whose trials left sound arrays for a plot, the best activation first.

    ``trials.arrays`` then returns only these. The store's problems name the others.

    Raises:
        UsageError: if there are none, or none of an activation that was asked for; it says how to get them.
    """
    seeds_of: dict[str, list[int]] = {}
    damaged: dict[str, int] = {}
    for name, seeds in trials.ok.items():
        for seed in sorted(seeds) if trials.wanted(name) else ():
            sound, problems = checked(trials, plot, name, seed)
            if sound:
                seeds_of.setdefault(name, []).append(seed)
            if problems or f"arrays/{trials.ok[name][seed].key}" in trials.store.problems:  # or it could not be read
                damaged[name] = damaged.get(name, 0) + 1
    missing = [name for name in trials.named if name in trials.explicit and name not in seeds_of]
    if not seeds_of or missing:
        count = damaged.get(missing[0], 0) if seeds_of else sum(damaged.values())
        raise UsageError(lacking(trials, plot, f"{missing[0]} in {trials.label}" if seeds_of else trials.label, count))
    return seeds_of


def checked(trials: Trials, plot: Plot, activation: str, seed: int) -> tuple[Arrays, list[str]]:
    """Keep those arrays of a trial that a plot can be drawn from, and say what is wrong with others."""
    arrays, key = trials.arrays(activation, seed), trials.ok[activation][seed].key
    if not any(name.startswith(own) if own.endswith("/") else name == own for own in plot.arrays for name in arrays):
        return {}, []
    sound, problems = plot.check(arrays)
    if sound:
        trials.keep(key, sound)
    if problems and plot.name in (trials.about.get("plots") or ()):
        more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
        where = trials.store.path / "arrays" / f"{key}.npz"
        problem = f"{where}: {problems[0]}{more}; left out of plot {plot.name!r}"
        trials.store.problems[f"arrays/{key}/{plot.name}"] = problem
    return sound, problems


def lacking(trials: Trials, plot: Plot, where: str, damaged: int) -> str:
    """Word the error for a plot whose arrays are missing or damaged, or that the task does not have."""
    plots = [str(name) for name in trials.about.get("plots") or ()]
    if plot.name not in plots:
        others = [name for name, other in KINDS.items() if not other.arrays and not other.of_costs]
        return f"{trials.label} cannot draw {plot.name!r}. Available: {', '.join(dict.fromkeys([*plots, *others]))}."
    arrays, task = trials.store.path / "arrays", trials.records[0].trial.task
    again = f"run again into a new folder (afbench run --task {task} --out DIR)"
    if damaged:
        files = f"{damaged} {'file is' if damaged == 1 else 'files are'}"
        return f"plot {plot.name!r} of {where} needs arrays, but in {arrays} {files} damaged; {again}"
    return (
        f"plot {plot.name!r} of {where} needs arrays, and there are none in {arrays}. Copy the folder arrays next to "
        f"trials, or {again}"
    )


def whole(check: Callable[[Arrays], Arrays]) -> Callable[[Arrays], tuple[Arrays, list[str]]]:
    """Turn a check that raises ``Damaged`` into one that returns the arrays and what is wrong with them."""

    @wraps(check)
    def check_all(arrays: Arrays) -> tuple[Arrays, list[str]]:
        try:
            return check(arrays), []
        except Damaged as error:
            return {}, [str(error)]

    return check_all


def get(arrays: Arrays, name: str) -> Array:
    """Return an array; a missing or an empty one is damage."""
    if name not in arrays:
        raise Damaged(f"{name!r} is missing")
    if not arrays[name].size:
        raise Damaged(f"{name!r} is empty")
    return arrays[name]


def finite(values: Array, name: str) -> Array:
    """Return an array in double precision if all its values are finite."""
    if not np.isfinite(values).all():
        raise Damaged(f"{name!r} holds {'NaN' if np.isnan(values).any() else 'infinity'}")
    return bounded(values, name)


def mostly(values: Array, name: str) -> Array:
    """Return an array in double precision if any of its values is finite."""
    if not np.isfinite(values).any():
        raise Damaged(f"{name!r} holds no finite number")
    return bounded(values, name)


def bounded(values: Array, name: str) -> Array:
    """Return an array in double precision if its finite values are of a size that can be drawn."""
    kept = values.astype(float)
    kept[np.abs(kept) < 1 / LARGEST] = 0.0
    if values.size > LONG or np.abs(kept[np.isfinite(kept)]).max() > LARGEST:
        raise Damaged(
            f"{name!r} holds " + (f"{values.size} values" if values.size > LONG else f"more than {LARGEST:g}")
        )
    return kept


def vector(arrays: Arrays, name: str) -> Array:
    """Return an array of one dimension."""
    values = finite(get(arrays, name), name)
    if values.ndim != 1:
        raise Damaged(f"{name!r} has {values.ndim} dimensions, not 1")
    return values


def classes(arrays: Arrays, name: str, dimensions: int) -> Array:
    """Return an array of classes, numbered from 0."""
    values = finite(get(arrays, name), name)
    if values.ndim != dimensions:
        raise Damaged(f"{name!r} has {values.ndim} dimensions, not {dimensions}")
    if values.min() < 0 or values.max() >= CLASSES or (values != values.round()).any():
        raise Damaged(f"{name!r} holds numbers outside the classes 0 to {CLASSES - 1}")
    return values.astype(int)


def corners(arrays: Arrays) -> Array:
    """Return a picture's extent: xmin, xmax, ymin, ymax."""
    extent = vector(arrays, "picture/extent")
    if len(extent) != 4 or not (extent[0] < extent[1] and extent[2] < extent[3]):
        raise Damaged("'picture/extent' is not xmin < xmax, ymin < ymax")
    width, height = float(extent[1] - extent[0]), float(extent[3] - extent[2])
    if not 1 / SLIM <= height / width <= SLIM or width < 1e-9 * np.abs(extent).max():
        raise Damaged(f"'picture/extent' is {width:.3g} wide and {height:.3g} high")
    return extent


def check_picture(name: str, values: Array) -> None:
    """Raise ``Damaged`` unless an array is a picture of at least 2 x 2 cells."""
    if values.ndim != 2 or min(values.shape) < 2 or max(values.shape) > SIDE:
        raise Damaged(f"{name!r} has the shape {values.shape}, not one from (2, 2) to ({SIDE}, {SIDE})")


def check_shapes(arrays: Mapping[str, Array]) -> None:
    """Raise ``Damaged`` unless all arrays have one shape."""
    first, *others = arrays
    for name in others:
        if arrays[name].shape != arrays[first].shape:
            raise Damaged(f"{first!r} has the shape {arrays[first].shape}, {name!r} {arrays[name].shape}")


def rising(arrays: Arrays, name: str, fewest: int = 1) -> None:
    """Raise ``Damaged`` unless an array's values rise, far enough to be told apart."""
    values = arrays[name]
    if len(values) < fewest:
        raise Damaged(f"{name!r} has {len(values)} value")
    if (np.diff(values) <= 1e-9 * np.abs(values).max()).any():
        raise Damaged(f"{name!r} does not rise")
