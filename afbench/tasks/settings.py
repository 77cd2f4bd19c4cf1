"""A task's settings: read from its fields, and set by a budget."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any, cast

from ..errors import UsageError
from ..registry import numerals
from ..registry.settings import Setting, Value, from_annotation


def task_settings(target: type[Any]) -> dict[str, Setting]:
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


def spend(target: type[Any], settings: Mapping[str, Setting], budget: str) -> dict[str, Value]:
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
