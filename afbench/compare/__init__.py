"""Compare two results folders: what became faster, slower, better or worse, and what cannot be compared and why."""

from .change import Change, Verdict
from .comparison import Comparison, compare

__all__ = ["Change", "Comparison", "Verdict", "compare"]
