"""What the sources of afbench's own entries were when their results were last looked at: ``python -m tests.sources``.

A changed source with the same version fails a test (``test_sources.py``). If results change, raise the entry's
``version`` (of the loop: ``LOOP`` in ``afbench/version.py``); if they do not, or after that, renew the file with the
command. Comments, docstrings and layout do not count.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import afbench
from afbench.records import sources
from afbench.registry.entries import ACTIVATIONS, TASKS
from afbench.version import LOOP as LOOP_VERSION

FILE = Path(__file__).with_suffix(".json")
FOLLOWED = ("activations", "kernels", "models", "data", "tasks")
"""Folders of afbench whose code enters an entry's results."""
APART = ("afbench.tasks.base", "afbench.tasks.settings", "afbench.kernels.library")
"""Not these: the first two are the loop's, the third only finds the compiled kernels."""
LOOP = ("afbench.training.train", "afbench.tasks.base", "afbench.tasks.settings", "afbench.streams")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/|\s+", re.DOTALL)


def follows(module: str) -> bool:
    """Tell whether a module's code enters the results of entries that use it."""
    inside = module.split(".")
    return inside[0] == "afbench" and len(inside) > 1 and inside[1] in FOLLOWED and module not in APART


def digest(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def own(target: type) -> str:
    """Hash a class that comes with afbench, its bases, and the kernels, networks and data that they use."""
    bases = [base for base in getattr(target, "__mro__", (target,)) if follows(base.__module__)]
    parts = [sources.closure(base.__module__, {base.__qualname__.partition(".")[0]}, follows) for base in bases]
    return digest([text for part in parts for text in part])


def current() -> dict[str, dict[str, object]]:
    """Return version and source of every entry, of the loop, and of the compiled kernels."""
    found: dict[str, dict[str, object]] = {}
    for registry in (ACTIVATIONS, TASKS):
        for entry in registry:
            if sources.is_own(entry.target):
                version = getattr(entry.target, "version", 1) if entry.kind == "task" else entry.version
                found[f"{entry.kind} {entry.name}"] = {"version": version, "source": own(entry.target)}
    loop = [text for name in LOOP for text in sources.closure(name, None, lambda other: False)]
    found["loop"] = {"version": LOOP_VERSION, "source": digest(loop)}
    folder = Path(afbench.__file__).parent / "kernels" / "native"
    native = [COMMENT.sub("", file.read_text()) for file in sorted(folder.rglob("*")) if file.suffix in (".cpp", ".h")]
    found["compiled kernels"] = {"version": 0, "source": digest(native)}
    return found


def recorded() -> dict[str, dict[str, object]]:
    """Return what the file holds."""
    return dict(json.loads(FILE.read_text()))


def complaints(held: dict[str, dict[str, object]], now: dict[str, dict[str, object]]) -> list[str]:
    """Say what has changed since, a line each."""
    lines = [f"{name} is not in {FILE.name}" for name in now.keys() - held.keys()]
    lines += [f"{name} is gone" for name in held.keys() - now.keys()]
    for name in now.keys() & held.keys():
        if now[name]["version"] != held[name]["version"]:
            lines.append(f"{name} has another version ({held[name]['version']} -> {now[name]['version']})")
        elif now[name] != held[name]:
            lines.append(f"{name} has another source under the same version {now[name]['version']}")
    return sorted(lines)


if __name__ == "__main__":
    after = current()
    for line in complaints(recorded() if FILE.exists() else {}, after):
        print(line)
    rows = (f"{json.dumps(name)}: {json.dumps(after[name])}" for name in sorted(after))
    FILE.write_text("{\n" + ",\n".join(rows) + "\n}\n")
    print(f"written: {FILE.name}, {len(after)} entries")
