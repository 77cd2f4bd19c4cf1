"""What the arrays of each plot must be. They come from disk, so a plot draws none that has not passed here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...files.arrays import Array, Damaged

Arrays = dict[str, Array]

LARGEST = 1e30
"""Magnitude. Squares and differences of larger numbers overflow, and no axis can be drawn for them."""
SIDE = 1024
"""Cells of a picture's side at most: more than a printed panel has dots."""
CLASSES = 256
"""Of a classifier: regions and labels are stored as bytes."""
SLIM = 10.0
"""Ratio of a picture's sides at most."""
LONG = 1_000_000
"""Values of a line at most."""


def curve(arrays: Arrays) -> Arrays:
    """Check epochs, losses and validation metrics, each [E].

    Raises:
        Damaged: as all of these do, if an array is missing or not what it must be.
    """
    found = {f"curve/{name}": vector(arrays, f"curve/{name}") for name in ("epoch", "loss", "validation")}
    alike(found)
    rising(found, "curve/epoch")
    return found


def regions(arrays: Arrays) -> Arrays:
    """Check regions [H, W], their extent, and points [N, 2] with labels [N]."""
    cells = classes(arrays, "picture/regions", 2)
    points, labels = finite(get(arrays, "picture/points"), "picture/points"), classes(arrays, "picture/labels", 1)
    sides("picture/regions", cells)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise Damaged(f"'picture/points' has the shape {points.shape}, not (points, 2)")
    if len(points) != len(labels):
        raise Damaged(f"{len(points)} 'picture/points' and {len(labels)} 'picture/labels'")
    extent = corners(arrays)
    return {
        "picture/regions": cells,
        "picture/extent": extent,
        "picture/points": points,
        "picture/labels": labels,
    }


def surface(arrays: Arrays) -> Arrays:
    """Check target and prediction, each [H, W], and their extent."""
    found = {}
    for name in ("picture/target", "picture/prediction"):
        found[name] = finite(get(arrays, name), name)
        sides(name, found[name])
    alike(found)
    return found | {"picture/extent": corners(arrays)}


def nodes(arrays: Arrays) -> Arrays:
    """Check inputs, target and fit, each [P], and nodes [P, K] before and after; nodes may have poles."""
    found = {f"picture/{name}": vector(arrays, f"picture/{name}") for name in ("x", "f", "fit")}
    alike(found)
    rising(found, "picture/x", 2)
    hidden = {}
    for name in ("picture/before", "picture/after"):
        hidden[name] = values = mostly(get(arrays, name), name)
        if values.ndim != 2 or not values.shape[1] or len(values) != len(found["picture/x"]):
            raise Damaged(f"{name!r} has the shape {values.shape}, not ({len(found['picture/x'])}, nodes)")
    alike(hidden)
    return found | hidden


def place(arrays: Arrays, where: str) -> Arrays:
    """Check the shape of an activation at a place: inputs [P], outputs [P] or [P, C]; outputs may have poles."""
    found = {f"{where}/x": vector(arrays, f"{where}/x")}
    rising(found, f"{where}/x", 2)
    count, channels = len(found[f"{where}/x"]), set()
    for name in (f"{where}/before", f"{where}/after"):
        values = mostly(get(arrays, name), name)
        if values.ndim not in (1, 2) or len(values) != count or not values.size:
            raise Damaged(f"{name!r} has the shape {values.shape}, not ({count},) or ({count}, channels)")
        found[name] = values.reshape(count, -1)
        channels.add(found[name].shape[1])
    if len(channels - {1}) > 1:
        raise Damaged(f"'{where}/before' and '{where}/after' differ in their channels")
    return found


def histogram(arrays: Arrays, where: str) -> Arrays:
    """Check the histogram of a place's inputs: counts [B + 2], the ends for what lies beyond, and edges [B + 1]."""
    found = {name: vector(arrays, name) for name in (f"{where}/hist", f"{where}/edges")}
    counts, edges = found.values()
    rising(found, f"{where}/edges", 2)
    if len(counts) != len(edges) + 1:
        raise Damaged(f"'{where}/hist' has {len(counts)} counts, not the {len(edges) + 1} of its edges")
    if counts.min() < 0 or not counts.sum() > 0:
        raise Damaged(f"'{where}/hist' holds no counts")
    return found


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
    """Return an array of classes, counted from 0."""
    values = finite(get(arrays, name), name)
    if values.ndim != dimensions:
        raise Damaged(f"{name!r} has {values.ndim} dimensions, not {dimensions}")
    if values.min() < 0 or values.max() >= CLASSES or (values != values.round()).any():
        raise Damaged(f"{name!r} holds numbers that are no class from 0 to {CLASSES - 1}")
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


def sides(name: str, values: Array) -> None:
    """Raise ``Damaged`` unless an array is a picture of at least 2 x 2 cells."""
    if values.ndim != 2 or min(values.shape) < 2 or max(values.shape) > SIDE:
        raise Damaged(f"{name!r} has the shape {values.shape}, not one from (2, 2) to ({SIDE}, {SIDE})")


def alike(arrays: Mapping[str, Array]) -> None:
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


def shape(arrays: Arrays) -> tuple[Arrays, list[str]]:
    """Check the shapes of a network place by place, and say what is wrong with those that are left out."""
    found: Arrays = {}
    problems = []
    for where in dict.fromkeys(name.rpartition("/")[0] for name in arrays if name.startswith("shape/")):
        try:
            found |= place(arrays, where)
            if f"{where}/hist" in arrays or f"{where}/edges" in arrays:  # older records have none
                found |= histogram(arrays, where)
        except Damaged as error:  # a place without its histogram is still drawn
            problems.append(str(error))
    return found, problems


@dataclass(frozen=True)
class Check:
    """What a plot is drawn from: the arrays that are its own, and the check of all that it needs."""

    own: Sequence[str]
    check: Callable[[Arrays], tuple[Arrays, list[str]]]

    def concerns(self, arrays: Arrays) -> bool:
        """Tell whether any of these arrays is the plot's own."""
        return any(name in arrays or name[-1] == "/" and any(n.startswith(name) for n in arrays) for name in self.own)


def picture(check: Callable[[Arrays], Arrays]) -> Callable[[Arrays], tuple[Arrays, list[str]]]:
    """Turn a check of all or nothing into one that says its problem."""

    def checked(arrays: Arrays) -> tuple[Arrays, list[str]]:
        try:
            return check(arrays), []
        except Damaged as error:
            return {}, [str(error)]

    return checked


CHECKS: dict[str, Check] = {
    "boundary": Check(("picture/regions", "picture/points", "picture/labels"), picture(regions)),
    "surface": Check(("picture/target", "picture/prediction"), picture(surface)),
    "nodes": Check(("picture/x", "picture/f", "picture/fit", "picture/before", "picture/after"), picture(nodes)),
    "curve": Check(("curve/",), picture(curve)),
    "shape": Check(("shape/",), shape),
}
"""By the plot's name."""
