"""The store: a folder of records. Files are written whole or not at all; merging two folders is copying files."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..errors import AfbenchError, UsageError
from ..files.arrays import Damaged, read_arrays
from ..files.write import move, write_whole
from .checks import NewerSchema
from .cost import Cost
from .trial import Record, Status

T = TypeVar("T")

FOLDERS = ("trials", "arrays", "costs", "environments", "stale", "tables", "plots")
DATA = ("trials", "costs")
"""A results folder has at least one of these."""

ABANDONED_AFTER = 24 * 3600.0
"""Seconds after which a temporary file cannot belong to a run that still writes it."""


NAMED = 3
"""Most damaged arrays of a file that a message names."""


class Conflict(AfbenchError):
    """The store keeps another result of the same key."""


@dataclass
class Store:
    """A results folder: ``trials/``, ``arrays/``, ``costs/``, ``environments/``; tables and plots are made from them.

    Reading never changes it. ``problems`` says which files are damaged; they stay and are not counted.
    """

    path: Path
    problems: dict[str, str] = field(default_factory=dict)

    @classmethod
    def open(cls, path: str | Path, *, write: bool = False) -> Store:
        """Open a results folder; with ``write``, check that it can be written.

        Raises:
            UsageError: if it is a file, cannot be written, or (to read) does not exist.
        """
        if not str(path):
            raise UsageError("the results path is empty; --out takes a folder")
        if "\0" in str(path):
            raise UsageError(f"results path {str(path)!r} contains a NUL character")
        path = Path(path)
        try:
            path.exists()
        except OSError as error:
            raise UsageError(f"results path {path}: {error.strerror}") from None
        if path.is_symlink() and not path.exists():
            raise UsageError(f"results path {path} is a broken link")
        if path.exists() and not path.is_dir():
            raise UsageError(f"results path {path} is a file; give a folder")
        if not write and not any((path / name).is_dir() for name in DATA):
            below = sorted({str(folder.parent) for name in DATA for folder in path.glob(f"*/{name}")})
            if below:
                raise UsageError(f"no results in {path} itself; name a folder in it: {', '.join(below)}")
            raise UsageError(f"no results in {path}; make some with: python -m afbench run --task TASK --out {path}")
        if write:
            nearest = next(p for p in (path, *path.absolute().parents) if p.exists())
            if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
                raise UsageError(f"results folder {path} cannot be written ({nearest} is not writable)")
            for folder in (path / name for name in FOLDERS):
                if (folder.exists() or folder.is_symlink()) and not (
                    folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
                ):
                    raise UsageError(f"results folder {path} cannot be written ({folder} is not a writable folder)")
        return cls(path)

    def make(self) -> None:
        """Create the folder, before a run prints its plan.

        Raises:
            UsageError: if it cannot be created; ``open`` cannot always foresee that, as in ``/proc``.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"results folder {self.path} cannot be created ({error.strerror})") from None

    def records(self) -> list[Record]:
        """Read all records, in the order of their trials.

        Raises:
            UsageError: if a later afbench wrote one of them.
        """
        self.problems.clear()
        records = []
        for file, record in self._read("trials", "", Record.from_json):
            if record.key == file.stem:
                records.append(record)
            else:
                why = f"it holds the record {record.key}, not {file.stem}"
                self.problems[file.stem] = f"{file}: {why}; the file stays and is not counted"
        return sorted(records, key=lambda r: (r.trial.task, r.trial.activation, r.trial.seed))

    def _read(self, folder: str, prefix: str, parse: Callable[[str], T]) -> Iterator[tuple[Path, T]]:
        """Read the JSON files of a folder; ``problems`` names the others, by ``prefix`` and key."""
        for file in sorted((self.path / folder).glob("*.json"), key=str):
            try:
                parsed = parse(content(file))
            except NewerSchema as error:
                raise NewerSchema(f"{file}: {error}") from None
            except FileNotFoundError:  # another run has moved it to stale/ meanwhile
                if file.is_symlink():
                    self.problems[prefix + file.stem] = f"{file}: a broken link; the file stays and is not counted"
            except (ValueError, OSError) as error:
                self.problems[prefix + file.stem] = f"{file}: {error}; the file stays and is not counted"
            else:
                yield file, parsed

    def arrays(self, key: str) -> dict[str, np.ndarray[Any, Any]]:
        """Read a trial's arrays; an empty dict if it left none. ``problems`` says which are damaged and left out."""
        file = self.path / "arrays" / f"{key}.npz"
        try:
            arrays, damaged = read_arrays(file)
        except FileNotFoundError:
            return {}
        except Damaged as error:
            self.problems[f"arrays/{key}"] = f"{file}: {error}; left out"
            return {}
        if damaged:
            reasons = [f"{name[:40]!r}: {why}" for name, why in itertools.islice(damaged.items(), NAMED)]
            more = f" and {len(damaged) - NAMED} more" if len(damaged) > NAMED else ""
            self.problems[f"arrays/{key}"] = f"{file}: {'; '.join(reasons)}{more}; left out"
        return arrays

    def write(self, record: Record, arrays: Mapping[str, np.ndarray[Any, Any]] | None = None) -> None:
        """Write a trial's arrays, then its record; a record that exists is whole.

        Raises:
            Conflict: if the folder has a record of the same key and status ``ok`` with other metrics; that one stays.
        """
        target = self.path / "trials" / f"{record.key}.json"
        if target.is_symlink() and not target.exists():
            raise Conflict(f"{target} is a broken link; it stays, and the new record is not written")
        with contextlib.suppress(FileNotFoundError):
            try:
                existing = Record.from_json(content(target))
            except FileNotFoundError:
                raise
            except (UsageError, UnicodeDecodeError, OSError):
                raise Conflict(
                    f"{target} is not a record that this afbench can read; it stays, and the new record is not written"
                ) from None
            if existing.status is Status.OK:
                if record.status is Status.OK and existing.metrics == record.metrics:
                    return
                raise Conflict(f"{target} already holds a different result of {record.trial}; it stays")
        if arrays:
            packed = io.BytesIO()
            np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]
            write_whole(self.path / "arrays" / f"{record.key}.npz", packed.getvalue())
        write_whole(target, record.to_json().encode())

    def retire(self, record: Record) -> None:
        """Move a stale record to ``stale/``; earlier ones of the same key stay there."""
        number = 1
        while (self.path / "stale" / "trials" / retired(record.key, number, "json")).exists():
            number += 1
        for folder, ending in (("arrays", "npz"), ("trials", "json")):
            source = self.path / folder / f"{record.key}.{ending}"
            with contextlib.suppress(FileNotFoundError):  # it left none, or another run has moved it meanwhile
                move(source, self.path / "stale" / folder / retired(record.key, number, ending))

    def costs(self) -> list[Cost]:
        """Read all costs; ``problems`` names the files that are no costs.

        Raises:
            NewerSchema: if a later afbench wrote one of them.
        """
        return [cost for _, cost in self._read("costs", "costs/", Cost.from_json)]

    def write_cost(self, cost: Cost) -> None:
        """Write a cost; one of the same key is replaced."""
        write_whole(self.path / "costs" / f"{cost.key}.json", cost.to_json().encode())

    def write_json(self, folder: str, name: str, content: Mapping[str, Any]) -> None:
        """Write an environment."""
        text = json.dumps(content, indent=1, sort_keys=True) + "\n"
        write_whole(self.path / folder / f"{name}.json", text.encode())

    def sweep(self) -> None:
        """Remove temporary files that a killed run left long ago."""
        for file in self.path.glob("*/.*.tmp"):
            with contextlib.suppress(OSError):
                if time.time() - file.stat().st_mtime > ABANDONED_AFTER:
                    file.unlink()


class Snapshot(Store):
    """A results folder whose records and costs are read once, for all tables and plots of a command."""

    @cached_property
    def _records(self) -> list[Record]:
        return super().records()

    @cached_property
    def _costs(self) -> list[Cost]:
        return super().costs()

    def records(self) -> list[Record]:
        """Return all records, as the first call read them."""
        return self._records

    def costs(self) -> list[Cost]:
        """Return all costs, as the first call read them."""
        return self._costs


def retired(key: str, number: int, ending: str) -> str:
    """Name a stale file: ``KEY.json``, then ``KEY.2.json``."""
    return f"{key}.{ending}" if number == 1 else f"{key}.{number}.{ending}"


def content(path: Path) -> str:
    """Read a text file. A pipe or a device raises: reading it could block for ever.

    Raises:
        OSError: if it does not exist or is not a file.
    """
    if not path.is_file() and path.exists():
        raise OSError("not a file")
    with open(path, encoding="utf-8") as file:
        return file.read()
