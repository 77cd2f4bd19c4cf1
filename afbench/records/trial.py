"""A trial is one training; a record is what it left. Their JSON form carries a schema version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from ..errors import UsageError
from ..registry.settings import Value
from .checks import check_record, check_schema, reading

SCHEMA = 1
KEY_LENGTH = 16
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


class Status(StrEnum):
    """How a trial ended."""

    OK = "ok"
    DIVERGED = "diverged"
    """Loss or parameters were not finite."""
    OOM = "oom"
    TIMEOUT = "timeout"
    ERROR = "error"
    """The activation or the task raised."""
    UNAVAILABLE = "unavailable"
    """Data or a device is missing here."""
    LOST = "lost"
    """Its process died."""

    @property
    def done(self) -> bool:
        """Whether a rerun would end the same way: such a trial counts as done until ``--retry``."""
        return self in (Status.OK, Status.DIVERGED, Status.ERROR)


@dataclass(frozen=True)
class Trial:
    """One training to be done: task, canonical spec, seed, and the task's settings that differ from its defaults."""

    task: str
    activation: str
    seed: int
    settings: Mapping[str, Value] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        """The trial's name in the store: the head of a SHA-256 of its canonical JSON."""
        return digest({"task": self.task, "activation": self.activation, "seed": self.seed, "settings": self.settings})

    def __str__(self) -> str:
        """Name the trial in a line."""
        return f"{self.activation} seed {self.seed}"


@dataclass(frozen=True)
class Record:
    """What a trial left: status, metrics, parameters, versions, environment, and all that was resolved."""

    trial: Trial
    status: Status
    about: Mapping[str, Any] = field(default_factory=dict)
    resolved: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    concurrency: int = 1
    stacked: bool = False
    versions: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    """The source of what does not come with afbench: ``activation=9f3c... task=1a2b...``, empty if all does."""
    environment: str = ""
    started: str = ""
    attempt: int = 1
    error: Mapping[str, str] | None = None

    @property
    def key(self) -> str:
        """The trial's key."""
        return self.trial.key

    @property
    def reason(self) -> str:
        """One line on what went wrong, empty if nothing did."""
        return self.error["message"] if self.error else ""

    def with_(self, **changes: Any) -> Record:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    def to_json(self) -> str:
        """Print the record as JSON."""
        return json.dumps({"schema": SCHEMA, "key": self.key, **asdict(self)}, indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Record:
        """Read a record.

        Raises:
            NewerSchema: if a later afbench wrote it.
            UsageError: if it is not a record.
        """
        with reading("record"):
            content = json.loads(text)
            check_schema(content, SCHEMA)
            check_record(content)
            fields = {name: content[name] for name in cls.__dataclass_fields__ if name in content}
            fields["trial"] = Trial(**content["trial"])
            fields["status"] = Status(content["status"])
            if "=" not in fields.get("source", ""):
                fields["source"] = ""  # until 0.1 a hash of all code, which nothing read
            record = cls(**fields)
            key = record.key
        if content.get("key") != key:
            raise UsageError(f"its key is {content.get('key')!r:.80}, but its trial has the key {key}")
        return record


def digest(content: object) -> str:
    """Hash JSON-like content: the head of the SHA-256 of its canonical text."""
    return hashlib.sha256(_CANONICAL.encode(content).encode()).hexdigest()[:KEY_LENGTH]
