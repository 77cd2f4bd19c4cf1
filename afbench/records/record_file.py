"""What reports take the parts of a record for: a file that is otherwise is no record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

LARGEST = 2**63
NEWEST = 1000
"""A schema of this number or more is damage, not a later afbench."""


def check_record(held: object) -> None:
    """See that numbers that are printed are finite, counts are counts, and words are words.

    A metric that is not finite is none of this: the row of such a trial counts it as a failure.

    Raises:
        TypeError: naming the first part that is otherwise.
    """
    if not isinstance(held, Mapping):
        raise TypeError("it is no object")
    about, resolved, trial = (mapping(held.get(name)) for name in ("about", "resolved", "trial"))
    here = mapping(resolved.get("task"))
    sound = {
        "schema": count(held.get("schema", 1)) and held.get("schema", 1) < NEWEST,
        "trial": seed(trial.get("seed", 0)),
        "about": all(word(about.get(name)) for name in ("metric", "unit", "headline"))
        and (about.get("higher_is_better") is None or isinstance(about["higher_is_better"], bool))
        and (about.get("target") is None or finite(about["target"]))
        and all(map(finite, mapping(about.get("references")).values()))
        and bounds(about.get("bounds")),
        "resolved": word(here.get("device")) and word(here.get("dtype")),
        "parameters": all(map(count, mapping(held.get("parameters")).values())),
        "versions": all(map(version, mapping(held.get("versions")).values())),
        "source": isinstance(held.get("source", ""), str),
        "seconds": finite(held.get("seconds", 0.0)),
        "concurrency": whole(held.get("concurrency", 1)),
    }
    for name, right in sound.items():
        if not right:
            raise TypeError(f"its {name} is damaged")


def mapping(value: object) -> Mapping[str, Any]:
    """Return a mapping; an empty one for all else."""
    return value if isinstance(value, Mapping) else {}


def word(value: object) -> bool:
    """Tell whether something is a text, or not said."""
    return value is None or isinstance(value, str)


def whole(value: object) -> bool:
    """Tell whether something is an integer of a size that occurs."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST


def seed(value: object) -> bool:
    """Tell whether something is an integer that may be a seed."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**40


def count(value: object) -> bool:
    """Tell whether something is an integer from 0 on."""
    return whole(value) and value >= 0  # type: ignore[operator]


def finite(value: object) -> bool:
    """Tell whether something is a number that is neither NaN nor infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) < 2**1023


def version(value: object) -> bool:
    """Tell whether something is a version: a text or an integer."""
    return word(value) or whole(value)


def bounds(value: object) -> bool:
    """Tell whether something maps metrics to a lower and an upper bound, each a number or None."""
    if value is None:
        return True
    return isinstance(value, Mapping) and all(
        isinstance(ends, list | tuple) and len(ends) == 2 and all(end is None or finite(end) for end in ends)
        for ends in value.values()
    )
