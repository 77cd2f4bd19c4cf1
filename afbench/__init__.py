"""afbench: trainable activation functions as correct layers, and an honest benchmark of them."""

from typing import TYPE_CHECKING, Any

from .errors import AfbenchError, UsageError
from .factory import create, list_activations
from .parameters import count_parameters, param_groups, penalty
from .registry import activation
from .runner import run
from .settings import Range
from .tasks.base import Regression, Splits, Task, list_tasks, task
from .version import __version__

if TYPE_CHECKING:
    from .conversion import convert
    from .report.results import load

__all__ = [
    "AfbenchError",
    "Range",
    "Regression",
    "Splits",
    "Task",
    "UsageError",
    "__version__",
    "activation",
    "convert",
    "count_parameters",
    "create",
    "list_activations",
    "list_tasks",
    "load",
    "param_groups",
    "penalty",
    "run",
    "task",
]


def __getattr__(name: str) -> Any:
    """Import ``load`` when it is first asked for: it needs pandas, which ``import afbench`` does not load."""
    if name == "load":
        from .report.results import load

        return load
    if name == "convert":
        from .conversion import convert

        return convert
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
