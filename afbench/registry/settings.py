"""Typed settings from annotations: the values that an argument or a task's field may have, and reading them as text."""

from __future__ import annotations

import inspect
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

from ..errors import UsageError, did_you_mean
from . import numerals

Value = bool | int | float | str | None
"""What a setting can hold: it has a place in a spec, in JSON and in a table."""

LARGEST = 2**63
"""The first integer beyond those of torch."""

WORDS = {"true": True, "false": False}


@dataclass(frozen=True)
class Range:
    """Bounds of a number, to be put into an annotation: ``Annotated[int, Range(at_least=1)]``.

    >>> 0.5 in Range(above=0, at_most=1), 0 in Range(above=0, at_most=1)
    (True, False)
    """

    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None

    def __contains__(self, value: float) -> bool:
        """Tell whether a number lies within; NaN never does."""
        return (
            (self.above is None or value > self.above)
            and (self.at_least is None or value >= self.at_least)
            and (self.below is None or value < self.below)
            and (self.at_most is None or value <= self.at_most)
            and not math.isnan(value)
        )

    def __str__(self) -> str:
        """Say the bounds in words: ``above 0, at most 1``."""
        parts = [
            f"{k.replace('_', ' ')} {v:.12g}" for k, v in vars(self).items() if v is not None and not math.isinf(v)
        ]
        return ", ".join(parts)


@dataclass(frozen=True)
class Setting:
    """One setting: its name, type (``bool``, ``int``, ``float``, ``str``), default, range and choices."""

    name: str
    type: type
    default: Value
    range: Range | None = None
    choices: tuple[Value, ...] = ()
    optional: bool = False
    required: bool = False

    def describe(self) -> str:
        """Say what the setting may be: ``an int, at least 1`` or ``one of 'exact', 'nearest'``."""
        if self.choices:
            return "one of " + ", ".join(str(c).lower() if isinstance(c, bool) else repr(c) for c in self.choices)
        words = {int: "an int", float: "a float", bool: "true or false", str: "text"}[self.type]
        words += f", {self.range}" if self.range else ""
        return words + (" or none" if self.optional else "")

    def parse(self, given: object) -> Value:
        """Turn text, or a value of another type, into this setting's type.

        Raises:
            UsageError: if it cannot be that, or lies out of range.

        >>> Setting("alpha", float, 1.0).parse("-3")
        -3.0
        """
        try:
            value = self._cast(given)
        except (KeyError, ValueError, TypeError, OverflowError):
            raise self._refuse(given) from None
        if isinstance(value, float) and math.isinf(value):
            raise UsageError(f"{self.name} must be finite, not {given}")
        if self.choices and value not in self.choices:
            near = did_you_mean(str(given), map(str, self.choices))
            raise UsageError(f"{self.name} must be {self.describe()}, not {given!r}{near}")
        if self.range is not None and value is not None and value not in self.range:  # type: ignore[operator]
            raise self._refuse(given)
        if isinstance(value, int) and abs(value) >= LARGEST:
            raise UsageError(f"{self.name} must be smaller than 2**63 in magnitude, not {given}")
        return value

    def _refuse(self, given: object) -> UsageError:
        shown = given if isinstance(given, (int, float)) and not isinstance(given, bool) else repr(given)
        return UsageError(f"{self.name} must be {self.describe()}, not {shown}")

    def _cast(self, given: object) -> Value:
        if given is None or (self.optional and given == "none"):
            if self.optional:
                return None
            raise TypeError
        for choice in self.choices:
            if choice == given and isinstance(choice, bool) == isinstance(given, bool):
                return choice
        if self.type is bool:
            return given if isinstance(given, bool) else WORDS[str(given).lower()]
        if isinstance(given, bool):
            raise TypeError
        if self.type is int:
            if isinstance(given, str):
                return numerals.whole(given)
            whole = int(given)  # type: ignore[call-overload]
            if whole != given:
                raise ValueError
            return whole  # type: ignore[no-any-return]
        if self.type is float:
            number = numerals.real(given) if isinstance(given, str) else float(given)  # type: ignore[arg-type]
            if math.isnan(number):
                raise ValueError
            return number
        if not isinstance(given, str):
            raise TypeError
        return given


def from_annotation(name: str, annotation: object, default: object) -> Setting | None:
    """Read one annotation, or return None if it is not one that a setting can have."""
    limits: Range | None = None
    if get_origin(annotation) is Annotated:
        annotation, *extras = get_args(annotation)
        limits = next((e for e in extras if isinstance(e, Range)), None)
    optional = False
    if get_origin(annotation) in (typing.Union, types.UnionType):
        inner = [a for a in get_args(annotation) if a is not type(None)]
        if len(inner) != 1 or len(inner) == len(get_args(annotation)):
            return None
        annotation, optional = inner[0], True
        if get_origin(annotation) is Annotated:
            annotation, *extras = get_args(annotation)
            limits = limits or next((e for e in extras if isinstance(e, Range)), None)
    choices: tuple[Any, ...] = ()
    if get_origin(annotation) is Literal:
        choices = get_args(annotation)
        annotation = type(choices[0])
    if annotation not in (bool, int, float, str):
        return None
    required = default is inspect.Parameter.empty
    start = None if required else default
    if annotation is float and isinstance(start, int):
        start = float(start)
    return Setting(name, annotation, start, limits, choices, optional, required)  # type: ignore[arg-type]


def settings_of(target: Callable[..., object], skip: Iterable[str] = ()) -> dict[str, Setting]:
    """Read the settings of a class or function from the annotated arguments of its constructor.

    Raises:
        UsageError: if an argument has neither a default nor a type that a setting can have.

    >>> def Snake(alpha: float = 1): ...
    >>> settings_of(Snake)["alpha"].default
    1.0
    """
    function: Any = target.__init__ if isinstance(target, type) else target  # type: ignore[misc]
    label = getattr(target, "__qualname__", target)
    try:
        hints = typing.get_type_hints(function, include_extras=True)
        arguments = inspect.signature(target).parameters
    except (NameError, TypeError, ValueError) as error:
        raise UsageError(f"{label}: its arguments cannot be read: {error}") from error
    settings: dict[str, Setting] = {}
    for name, argument in arguments.items():
        if name in set(skip) or argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD):
            continue
        setting = from_annotation(name, hints.get(name), argument.default)
        if setting is not None:
            settings[name] = setting
        elif argument.default is argument.empty:
            raise UsageError(
                f"{label}: argument {name!r} needs a default, or a type that a spec can give (bool, int, float, str, "
                "Literal)"
            )
    return settings


def resolve(settings: Mapping[str, Setting], given: Mapping[str, object], owner: str) -> dict[str, Value]:
    """Check given values against the settings of ``owner`` and type them; unknown names raise UsageError."""
    values: dict[str, Value] = {}
    wrong: list[str] = []
    for name, value in given.items():
        if name not in settings:
            known = ", ".join(settings) or "none"
            near = did_you_mean(name, settings)
            wrong.append(f"{owner} has no setting {name!r}{near or f' (its settings: {known})'}")
            continue
        try:
            values[name] = settings[name].parse(value)
        except UsageError as error:
            wrong.append(f"{owner}: {error}")
    if wrong:
        raise UsageError("; ".join(wrong))
    missing = [name for name, setting in settings.items() if setting.required and name not in values]
    if missing:
        raise UsageError(f"{owner} needs {missing[0]} ({settings[missing[0]].describe()})")
    return values


def differing(settings: Mapping[str, Setting], values: Mapping[str, Value]) -> dict[str, Value]:
    """Keep what differs from the defaults, sorted by name: the canonical form of a trial's settings."""
    return {n: v for n, v in sorted(values.items()) if settings[n].required or v != settings[n].default}
