"""What reports take the parts of a cost file for: a file that is otherwise is no cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .trial import number

NEEDED = ("key", "activation")
WORDS = ("task", "baseline", "environment", "device", "status", "measured", "kind", "mode", "dtype", "commit")
PARTS = (
    *("settings", "versions", "error", "step", "inference", "saved", "peak"),
    *("forward", "training", "batch", "parameters"),
)


def check_cost(held: object) -> Mapping[str, Any]:
    """See that what reports read of a cost has the type that they take it for; figures are read with care anyway.

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
        sound[name] = isinstance(held[name], dict) and isinstance(held[name].get("quartiles") or [], list)
    for name, right in sound.items():
        if not right:
            raise TypeError(f"its {name} is damaged")
    for name, value in held.items():
        if not readable(name) or not readable(value):
            raise TypeError(f"its {name!a} holds what cannot be printed")
    return held


def whole(value: object) -> bool:
    """Tell whether something is an integer of a size that occurs."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def readable(value: object) -> bool:
    """Tell whether all texts in something can be written in UTF-8, and all numbers fit into a float."""
    if isinstance(value, str):
        return value.isprintable() or not any("\ud800" <= sign <= "\udfff" for sign in value)
    if isinstance(value, dict):
        return all(readable(key) and readable(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(map(readable, value))
    return value is None or isinstance(value, bool) or number(value)
