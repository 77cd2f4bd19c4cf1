"""The activation contract as functions that run on afbench's entries and on your own classes."""

from .activation import CHECKS, SLOW_CHECKS, check_activation
from .subject import Subject

__all__ = ["CHECKS", "SLOW_CHECKS", "Subject", "check_activation"]
