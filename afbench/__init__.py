"""afbench: trainable activation functions as correct layers, and an honest benchmark of them.

``import afbench`` loads nothing; each public name, and each submodule, is imported when it is first asked for.
"""

from typing import TYPE_CHECKING

from .lazy import public
from .version import __version__

if TYPE_CHECKING:
    from .campaign.run import run
    from .conversion.convert import convert
    from .errors import AfbenchError, UsageError
    from .registry.entries import activation
    from .registry.factory import create, list_activations
    from .registry.parameters import count_parameters, param_groups, penalty
    from .registry.settings import Range
    from .report.results import load
    from .tasks.base import Regression, Splits, Task, list_tasks, task
else:
    __getattr__, __dir__ = public(
        __name__,
        {
            "conversion.convert": ["convert"],
            "errors": ["AfbenchError", "UsageError"],
            "registry.factory": ["create", "list_activations"],
            "registry.parameters": ["count_parameters", "param_groups", "penalty"],
            "registry.entries": ["activation"],
            "report.results": ["load"],
            "campaign.run": ["run"],
            "registry.settings": ["Range"],
            "tasks.base": ["Regression", "Splits", "Task", "list_tasks", "task"],
        },
    )

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
