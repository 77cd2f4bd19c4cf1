"""What activations cost: time, memory and parameters, alone and in a task's network."""

from .listening import Measured
from .session import measure

__all__ = ["Measured", "measure"]
