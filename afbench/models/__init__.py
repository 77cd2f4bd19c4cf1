"""The networks that tasks train: small, plain, and built around an activation factory."""

from .cnn import cnn
from .mlp import mlp

__all__ = ["cnn", "mlp"]
