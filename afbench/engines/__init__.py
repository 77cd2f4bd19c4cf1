"""Engines: what runs work items. Items in, outcomes out as they finish.

A module of this package that defines a function of its own name is an engine: ``process.py`` has ``process``.
"""

from importlib import import_module

from ..lazy import defining
from .outcome import Failure, Setup

__all__ = ["ENGINES", "Failure", "Setup"]

ENGINES = {name: getattr(import_module(f"{__name__}.{name}"), name) for name in defining("engines", "{}")}
"""The engines by name."""
