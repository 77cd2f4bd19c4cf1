"""Run the activation contract on a spec or a class."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from torch import nn

from ..registry.discovery import last_line
from ..registry.spec import Spec
from . import accuracy, derivatives, handling, state, surroundings, tracing, values
from .subject import Subject

Check = Callable[[Subject], None]


def _named(checks: Iterable[Check]) -> dict[str, Check]:
    return {check.__name__.removeprefix("check_"): check for check in checks}


CHECKS: Mapping[str, Check] = _named(
    check for module in (values, accuracy, derivatives, state, handling, surroundings) for check in module.CHECKS
)
"""The checks of the contract by name; an entry's ``exceptions`` use these names."""

SLOW_CHECKS: Mapping[str, Check] = _named(tracing.CHECKS)
"""Checks that take seconds each; run on request."""


def check_activation(
    activation: str | Spec | type[nn.Module],
    *,
    only: str | Iterable[str] | None = None,
    slow: bool = False,
    channels: int = 4,
    exceptions: Mapping[str, str] | None = None,
) -> None:
    """Check an activation against the contract: values, accuracy, derivatives, state, handling, surroundings.

    All checks run, except those that the entry declares as exceptions; the error names every check that fails.

    Args:
        activation: a spec such as ``"pau"``, or a class, registered or not.
        only: names of checks to run instead of all, from ``CHECKS`` and ``SLOW_CHECKS``.
        slow: whether to run ``SLOW_CHECKS`` too.
        channels: the channels of the instances that are built.
        exceptions: further exceptions, as in the ``activation`` decorator.

    Raises:
        AssertionError: if a check fails; the message names each failed check and what it found.
        UsageError: if the spec is wrong.

    >>> check_activation("relu", only=["shape", "dtype"])
    """
    subject = Subject.of(activation, channels, exceptions)
    every = {**CHECKS, **SLOW_CHECKS}
    chosen = [only] if isinstance(only, str) else list(only or (every if slow else CHECKS))
    unknown = [name for name in (*chosen, *subject.exceptions) if name not in every]
    if unknown:
        raise AssertionError(f"unknown check {unknown[0]!r} (checks: {', '.join(every)})")
    failures = {name: _failure(every[name], subject) for name in chosen if name not in subject.exceptions}
    lines = [f"{name}: {failure}" for name, failure in failures.items() if failure]
    if lines:
        raise AssertionError(f"{subject.choice.spec} breaks the activation contract\n" + "\n".join(lines))


def _failure(check: Check, subject: Subject) -> str:
    try:
        check(subject)
    except AssertionError as error:
        return str(error)
    except Exception as error:  # the activation may raise anything
        return last_line(error)
    return ""
