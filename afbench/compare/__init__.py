"""Two results folders compared: what became faster, slower, better, worse; and what cannot be compared, and why."""

from .change import Change, Verdict
from .comparison import Comparison, compare

__all__ = ["Change", "Comparison", "Verdict", "compare"]
