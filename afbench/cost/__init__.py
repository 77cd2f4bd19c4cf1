"""What activations cost: time, memory and parameters, alone and in a task's network."""

from typing import TYPE_CHECKING

from ..lazy import public

if TYPE_CHECKING:
    from .listening import Measured
    from .session import measure
else:
    __getattr__, __dir__ = public(__name__, {"listening": ["Measured"], "session": ["measure"]})

__all__ = ["Measured", "measure"]
