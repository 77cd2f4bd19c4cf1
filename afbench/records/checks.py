"""What a file of results must contain to be a record or a cost; a file with other content is damaged."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..errors import UsageError

NEWEST = 1000
"""A schema of this number or more is damage, not a later afbench."""
COST_TEXTS = ("task", "baseline", "environment", "device", "status", "measured", "kind", "mode", "dtype", "commit")
COST_INTEGERS = ("threads", "concurrency", "channel_dim", "elements", "cache_bytes")
COST_OBJECTS = ("settings", "versions", "error", "batch", "parameters")
COST_FIGURES = ("times", "saved", "peak", "forward", "training", "step", "inference")
"""Objects whose values are figures. Files of schema 1 have the last four in place of ``times``."""


class NewerSchema(UsageError):
    """The file was written by a later afbench."""


@contextmanager
def reading(kind: str) -> Iterator[None]:
    """Read a file within the block: an error becomes a ``UsageError`` that says what is wrong with the file."""
    try:
        yield
    except NewerSchema:
        raise
    except json.JSONDecodeError as error:
        raise UsageError(f"not JSON (line {error.lineno}: {error.msg})") from None
    except RecursionError:
        raise UsageError(f"not a {kind} (nested too deeply)") from None
    except (KeyError, TypeError, ValueError) as error:  # also an integer of more digits than Python reads
        raise UsageError(f"not a {kind} ({type(error).__name__}: {str(error)[:200]})") from None


def check_schema(content: object, newest: int) -> None:
    """Check that the content of a file is an object whose schema this afbench reads.

    Raises:
        TypeError: if it is not an object, or its schema is damaged.
        NewerSchema: if a later afbench wrote it.
    """
    if not isinstance(content, dict):
        raise TypeError("it is not an object")
    schema = content.get("schema") or 1
    if not is_count(schema) or schema >= NEWEST:
        raise TypeError("its schema is damaged")
    if schema > newest:
        raise NewerSchema(f"schema {schema} is newer than this afbench reads ({newest}): upgrade afbench")


def check_record(content: Mapping[str, Any]) -> None:
    """Check that each part of a record has the type that its readers need.

    Numbers that are printed are finite, counts are counts, and texts are texts. A metric need not be finite: the row of
    such a trial counts it as a failure.

    Raises:
        TypeError: names the first part that is damaged.
    """
    about, resolved, trial = (mapping(content.get(name)) for name in ("about", "resolved", "trial"))
    task, error, metrics = mapping(resolved.get("task")), content.get("error"), content.get("metrics", {})
    objects = ("about", "resolved", "metrics", "parameters", "versions")
    texts = ("source", "environment", "started")
    sound = {"schema": "schema" in content}
    sound |= {name: isinstance(content.get(name, {}), Mapping) for name in objects}
    sound |= {name: isinstance(content.get(name, ""), str) for name in texts}
    sound["trial"] = (
        all(isinstance(trial.get(name), str) for name in ("task", "activation"))
        and is_whole(trial.get("seed"), 10**40)
        and isinstance(trial.get("settings", {}), Mapping)
    )
    sound["about"] &= (
        all(is_text(about.get(name)) for name in ("metric", "unit", "headline"))
        and (about.get("higher_is_better") is None or isinstance(about["higher_is_better"], bool))
        and (about.get("target") is None or is_finite(about["target"]))
        and isinstance(about.get("references") or {}, Mapping)
        and all(map(is_finite, mapping(about.get("references")).values()))
        and isinstance(about.get("plots") or [], list)
        and is_bounds(about.get("bounds"))
    )
    sound["resolved"] &= isinstance(resolved.get("task", {}), Mapping) and all(
        is_text(task.get(name)) for name in ("device", "dtype")
    )
    sound["metrics"] &= all(map(is_number, mapping(metrics).values()))
    sound["parameters"] &= all(map(is_count, mapping(content.get("parameters")).values()))
    sound["versions"] &= all(is_text(value) or is_whole(value) for value in mapping(content.get("versions")).values())
    sound["seconds"] = is_finite(content.get("seconds", 0.0))
    sound["concurrency"] = is_whole(content.get("concurrency", 1))
    sound["attempt"] = isinstance(content.get("attempt", 1), int)
    sound["error"] = error is None or isinstance(mapping(error).get("message"), str)
    raise_for(sound)


def check_cost(content: Mapping[str, Any]) -> None:
    """Check that each part of a cost has the type that its readers need, and that figures are numbers.

    Raises:
        TypeError: names the first part that is damaged.
    """
    present = {name: value for name, value in content.items() if value is not None}
    sound = {name: isinstance(content.get(name), str) for name in ("key", "activation")}
    sound |= {name: isinstance(present.get(name, ""), str) for name in (*COST_TEXTS, "source")}
    sound |= {name: is_whole(present.get(name, 0)) for name in COST_INTEGERS}
    sound |= {name: isinstance(present.get(name, {}), dict) for name in COST_OBJECTS}
    sound |= {name: isinstance(part := present.get(name, {}), dict) and are_figures(part) for name in COST_FIGURES}
    shape, counts = present.get("shape", []), mapping(present.get("parameters"))
    sound["shape"] = isinstance(shape, list) and all(map(is_whole, shape))
    sound["parameters"] &= all(value is None or is_count(value) for value in counts.values())
    raise_for(sound)
    for name, value in content.items():
        if not is_readable(name) or not is_readable(value):
            raise TypeError(f"its {name!a} contains characters that cannot be printed")


def raise_for(sound: Mapping[str, bool]) -> None:
    """Raise TypeError for the first part that is not sound."""
    for name, right in sound.items():
        if not right:
            raise TypeError(f"its {name} is damaged")


def mapping(value: object) -> Mapping[str, Any]:
    """Return a mapping; an empty one for all else."""
    return value if isinstance(value, Mapping) else {}


def is_text(value: object) -> bool:
    """Tell whether something is a text, or None."""
    return value is None or isinstance(value, str)


def is_whole(value: object, beyond: int = 2**63) -> bool:
    """Tell whether something is an integer whose magnitude is below a limit."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < beyond


def is_count(value: object) -> bool:
    """Tell whether something is an integer from 0 on."""
    return is_whole(value) and value >= 0  # type: ignore[operator]


def is_number(value: object) -> bool:
    """Tell whether something is a number that a float can hold, NaN and infinity included."""
    return isinstance(value, float) or is_finite(value)


def is_finite(value: object) -> bool:
    """Tell whether something is a number that is neither NaN nor infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) < 2**1023


def is_bounds(value: object) -> bool:
    """Tell whether something maps metrics to a lower and an upper bound, each a number or None."""
    if value is None:
        return True
    return isinstance(value, Mapping) and all(
        isinstance(ends, list | tuple) and len(ends) == 2 and all(end is None or is_finite(end) for end in ends)
        for ends in value.values()
    )


def are_figures(part: object, name: str = "") -> bool:
    """Tell whether all figures of a part are what their names say, at every depth.

    Numbers are finite and, except differences, at least 0; quartiles are two of them in order; reasons are texts.
    """
    if isinstance(part, dict):
        return all(are_figures(value, key) for key, value in part.items())
    if part is None:
        return True
    if name.endswith("quartiles"):
        return isinstance(part, list) and (
            not part or (len(part) == 2 and all(map(is_finite, part)) and 0 <= part[0] <= part[1])
        )
    if name.endswith("unstable"):
        return isinstance(part, list) and all(isinstance(reason, str) for reason in part)
    if isinstance(part, list | str | bool):
        return False
    return is_finite(part) and (name.startswith("added") or part >= 0)  # type: ignore[operator]


def is_readable(value: object) -> bool:
    """Tell whether all texts in something can be written in UTF-8, and all numbers are finite floats."""
    if isinstance(value, str):
        return value.isprintable() or not any("\ud800" <= sign <= "\udfff" for sign in value)
    if isinstance(value, dict):
        return all(is_readable(key) and is_readable(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(map(is_readable, value))
    return value is None or isinstance(value, bool) or is_finite(value)
