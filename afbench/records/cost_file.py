"""What reports take the parts of a cost file for: a file that is otherwise is no cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .record_file import count, finite, whole

NEEDED = ("key", "activation")
WORDS = ("task", "baseline", "environment", "device", "status", "measured", "kind", "mode", "dtype", "commit")
PARTS = (
    *("settings", "versions", "error", "step", "inference", "saved", "peak"),
    *("forward", "training", "batch", "parameters"),
)
MEASURED = ("step", "inference", "saved", "peak", "forward", "training")
"""Parts that hold figures."""


def check_cost(held: object) -> Mapping[str, Any]:
    """See that what reports read of a cost has the type that they take it for, and that figures are numbers.

    Raises:
        TypeError: naming the first part that has not.
    """
    if not isinstance(held, dict):
        raise TypeError("it is no object")
    sound = {name: isinstance(held.get(name), str) for name in NEEDED}
    sound |= {name: isinstance(held[name], str) for name in WORDS if held.get(name) is not None}
    parts = [name for name in PARTS if held.get(name) is not None]
    shape = held.get("shape")
    sound["shape"] = shape is None or (isinstance(shape, list) and all(map(whole, shape)))
    sound["threads"] = held.get("threads") is None or whole(held["threads"])
    for name in parts:
        sound[name] = isinstance(held[name], dict) and (name not in MEASURED or figures(held[name]))
    counts = held.get("parameters")
    if isinstance(counts, dict):
        sound["parameters"] = all(one is None or count(one) for one in counts.values())
    for name, right in sound.items():
        if not right:
            raise TypeError(f"its {name} is damaged")
    for name, value in held.items():
        if not readable(name) or not readable(value):
            raise TypeError(f"its {name!a} holds what cannot be printed")
    return held


def figures(part: object, name: str = "") -> bool:
    """Tell whether all figures of a part are what their names say, as deep as it goes.

    Numbers are finite and, but for differences, from 0 on; quartiles are two of them in order; reasons are words.
    """
    if isinstance(part, dict):
        return all(figures(value, key) for key, value in part.items())
    if part is None:
        return True
    if name.endswith("quartiles"):
        return isinstance(part, list) and (
            not part or (len(part) == 2 and all(map(finite, part)) and 0 <= part[0] <= part[1])
        )
    if name.endswith("unstable"):
        return isinstance(part, list) and all(isinstance(reason, str) for reason in part)
    if isinstance(part, list | str | bool):
        return False
    return finite(part) and (name.startswith("added") or part >= 0)  # type: ignore[operator]


def readable(value: object) -> bool:
    """Tell whether all texts in something can be written in UTF-8, and all numbers are finite floats."""
    if isinstance(value, str):
        return value.isprintable() or not any("\ud800" <= sign <= "\udfff" for sign in value)
    if isinstance(value, dict):
        return all(readable(key) and readable(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(map(readable, value))
    return value is None or isinstance(value, bool) or finite(value)
