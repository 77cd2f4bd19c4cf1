"""A task's settings: read from its fields, set by a budget, and compared with their defaults."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from ..errors import UsageError
from ..registry import numerals
from ..registry.settings import Setting, Value, differing, from_annotation

if TYPE_CHECKING:
    from .base import Task


def settings_of(target: type[Task]) -> dict[str, Setting]:
    """Read a task's settings from its fields.

    Raises:
        UsageError: if a field has a type that ``--set`` cannot give.
    """
    hints = typing.get_type_hints(target, include_extras=True)
    setting_by_name: dict[str, Setting] = {}
    for field in dataclasses.fields(target):
        default = field.default
        setting = None
        if default is not dataclasses.MISSING:
            setting = from_annotation(field.name, hints[field.name], default)
            setting = bounded(target, setting) if setting is not None else None
        if setting is None:
            raise UsageError(
                f"task field {field.name!r} needs a default and a type among bool, int, float, str, Literal"
            )
        setting_by_name[field.name] = setting
    return setting_by_name


def bounded(target: type, setting: Setting) -> Setting:
    """Add the range of a base class to a field that a subclass annotates again without a range."""
    if setting.range is not None or setting.choices:
        return setting
    for base in target.__mro__[1:]:
        if dataclasses.is_dataclass(base) and setting.name in base.__dict__.get("__annotations__", {}):
            hint = typing.get_type_hints(base, include_extras=True)[setting.name]
            declared = from_annotation(setting.name, hint, setting.default)
            if declared is not None and declared.type is setting.type and declared.range is not None:
                return dataclasses.replace(setting, range=declared.range)
    return setting


def spend(target: type[Task], settings: Mapping[str, Setting], budget: str) -> dict[str, Value]:
    """Convert a budget into settings: ``default``, a budget of the task, or a fraction of its epochs."""
    if budget == "default":
        return {}
    if budget in target.budgets:
        return dict(target.budgets[budget])
    try:
        fraction = numerals.real(budget)
    except ValueError:
        fraction = 0.0
    if not 0 < fraction <= 1:
        takes = f"--budget takes {', '.join(['default', *target.budgets])} or a fraction above 0 and at most 1"
        if budget == "paper":
            raise UsageError(f"task {target.name!r} has no published length; {takes}")
        raise UsageError(f"{takes}, not {budget!r}")
    return {"epochs": max(1, round(cast(int, settings["epochs"].default) * fraction))}


def changed(task: Task) -> dict[str, Value]:
    """Return the settings that differ from the task's defaults; they are part of a trial's key."""
    return differing(settings_of(type(task)), task.settings)
