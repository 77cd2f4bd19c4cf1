"""Engines: what runs work items. Items in, outcomes out as they finish."""

from .inline import inline
from .outcome import Failure, Setup
from .process import process

__all__ = ["ENGINES", "Failure", "Setup", "inline", "process"]

ENGINES = {"process": process, "inline": inline}
