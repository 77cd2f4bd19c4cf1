"""What activations cost: time, memory and parameters, alone and in a task's network."""

from .session import Measured, measure

__all__ = ["Measured", "measure"]
