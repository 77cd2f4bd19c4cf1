"""The version of afbench."""

__version__ = "0.1.0"
