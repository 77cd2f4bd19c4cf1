"""The networks that tasks train; each takes an activation factory."""

from .cnn import cnn
from .lenet import lenet5
from .mlp import mlp
from .preact_resnet import preact_resnet18
from .standardize import Standardize

__all__ = ["Standardize", "cnn", "lenet5", "mlp", "preact_resnet18"]
