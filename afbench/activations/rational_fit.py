"""Fit the starts of PAU and OPAU that nobody published: ``python -m afbench.activations.rational_fit``.

The command writes what ``starts/fitted.json`` lacks and keeps what it has: starts are a part of results. With a spec,
such as ``'pau[degree=4:3,start=mish]'``, it shows that start and its errors instead.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from ..errors import UsageError
from ..kernels.orthogonal import Basis, Centring
from ..kernels.rational import degrees
from .rational_least_squares import Problem, entry, problem
from .rational_starts import FITTED, PUBLISHED, find, key, named, pau_start

DEGREES = ("5:4", "2:2", "3:2", "7:6")
PLAIN_DEGREES = ("3:3", "4:3", "4:4", "5:5", "6:5", "6:6", "7:7", "8:8")
"""Of these PAU's starts alone are stored, and no zero-centred ones."""
ALL_CASES = "5:4"


def problems() -> Iterator[tuple[str, Problem]]:
    """Go through all that is stored as a fit, by its key."""
    published = json.loads(PUBLISHED.read_text())
    for name, stated in every_problem():
        if name not in published:
            yield name, stated
        elif name.startswith("b ") and f"n{name[1:]}" not in published:  # whose sum may be negative
            yield f"n{name[1:]}", stated


def every_problem() -> Iterator[tuple[str, Problem]]:
    """Go through all that has a stored start, published or not."""
    for degree in (*DEGREES, *PLAIN_DEGREES):
        n, m = degrees(degree)
        for name, function in named().items():
            for centred in (False, True) if degree in DEGREES else (False,):
                if centred and name == "sigmoid":  # 1/2 at 0
                    continue
                for form in "ab":
                    if form == "a" or m % 2 == 0:
                        yield key(form, degree, name, centred), problem(form, n, m, function, centred)
            for basis in get_args(Basis) if degree in DEGREES else ():
                cases: tuple[Centring, ...] = (False, True, "case1", "case2") if degree == ALL_CASES else (False, True)
                for case in cases:
                    if (case and name == "sigmoid") or (basis == "laguerre" and case not in (False, True)):
                        continue
                    yield key(basis, degree, name, case), problem(basis, n, m, function, case)
                    if case not in (False, True):
                        unsafe = f"{basis}-unsafe"
                        yield key(unsafe, degree, name, case), problem(unsafe, n, m, function, case)


def main(path: Path = FITTED) -> None:
    """Fit what is not stored yet, and write all, one a line."""
    stored = json.loads(path.read_text()) if path.is_file() else {}
    lines = []
    for name, stated in problems():
        if name not in stored:
            stored[name] = entry(*stated)
            print(name, stored[name], flush=True)
        lines.append(f"{json.dumps(name)}: {json.dumps(stored[name])}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def show(spec: str) -> None:
    """Print where a PAU or OPAU starts, and its errors.

    Raises:
        UsageError: if the spec is wrong, or is of neither.
    """
    from ..registry.factory import choose

    choice = choose(spec)
    settings: Any = choice.resolved
    rest = settings.get("degree"), settings.get("start"), settings.get("zero_centred")
    if choice.entry.name not in ("pau", "opau") or not settings.get("safe", True):
        raise UsageError(f"{choice.spec} has no start to show; pau, and opau with safe=true, have one")
    form = settings.get("version") or settings["basis"]
    start = pau_start(form, *rest) if "version" in settings else find(form, *rest)
    for name, values in (("numerator", start.numerator), ("denominator", start.denominator)):
        print(f"{name:12}", *(f"{value:.7g}" for value in values))
    print(f"rmse {start.rmse:g} and at most {start.max_error:g} on [-3, 3]; at most {start.far:g} |x| beyond")


if __name__ == "__main__":
    try:
        show(sys.argv[1]) if sys.argv[1:] else main()
    except UsageError as error:
        print(f"rational_fit: {error}", file=sys.stderr)
        sys.exit(2)
