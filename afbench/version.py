"""The version of afbench."""

__version__ = "0.1.0"

LOOP = 1
"""The version of the training loop and of what it builds on: raised when its results change."""
