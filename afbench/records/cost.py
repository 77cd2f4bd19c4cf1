"""A cost is what an activation takes in time and memory: alone on a shape, or in a task's network. One JSON form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from .checks import check_cost, check_schema, is_finite, is_whole, reading

SCHEMA = 2
"""Since 2 both kinds of cost share one form. Files of schema 1 are read too."""
ALONE, NETWORK = "alone", "network"
"""The kinds of cost: an activation alone on a shape, or in a task's network."""
PASSES = ("forward", "training")
"""What is timed alone: forward in evaluation under no_grad, and forward with backward in training."""
TEMPERATURES = ("cold", "warm")
STEPS = ("step", "inference")
"""What is timed in a network: a training step, and the network in evaluation on the same batch."""


@dataclass(frozen=True)
class Figure:
    """A median over rounds with its quartiles, and the reasons why it is unstable. None where a file lacks it.

    >>> Figure(2.0, 1.75, 2.25, samples=15).spread
    0.25
    """

    median: float | None = None
    low: float | None = None
    high: float | None = None
    samples: int | None = None
    unstable: tuple[str, ...] = ()

    @property
    def spread(self) -> float | None:
        """The distance of the quartiles as a share of the median."""
        if self.low is None or self.high is None or not self.median:
            return None
        return (self.high - self.low) / self.median

    @property
    def quartiles(self) -> tuple[float, float] | None:
        """Both quartiles, if they are known."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def to_dict(self) -> dict[str, Any]:
        """Return the figure as JSON holds it."""
        return {
            "median": self.median,
            "quartiles": list(self.quartiles or ()),
            "samples": self.samples,
            "unstable": list(self.unstable),
        }

    @classmethod
    def from_dict(
        cls, content: object, names: tuple[str, ...] = ("median", "quartiles", "samples", "unstable")
    ) -> Figure:
        """Read a figure; ``names`` are the keys of median, quartiles, samples and reasons."""
        if not isinstance(content, Mapping):
            return cls()
        median, ends, samples, unstable = (content.get(name) for name in names)
        low, high = map(as_number, ends) if isinstance(ends, list) and len(ends) == 2 else (None, None)
        return cls(as_number(median), low, high, samples if is_whole(samples) else None, tuple(unstable or ()))


@dataclass(frozen=True)
class Timing:
    """The time of one call, and its ratios to what was timed in the same rounds.

    Attributes:
        seconds: of one call.
        ratios: to what was timed in the same rounds, by its name.
        beside: the seconds of what was timed in the same rounds, by its name.
        calls: how many calls make a sample.
    """

    seconds: Figure = field(default_factory=Figure)
    ratios: Mapping[str, Figure] = field(default_factory=dict)
    beside: Mapping[str, Figure] = field(default_factory=dict)
    calls: int | None = None

    def ratio(self, name: str) -> Figure:
        """Return the ratio to something; an empty figure if there is none."""
        return self.ratios.get(name, Figure())

    def to_dict(self) -> dict[str, Any]:
        """Return the timing as JSON holds it."""
        parts = {"ratios": self.ratios, "beside": self.beside}
        figures = {part: {name: f.to_dict() for name, f in by_name.items()} for part, by_name in parts.items()}
        return {"seconds": self.seconds.to_dict(), **figures, "calls": self.calls}

    @classmethod
    def from_dict(cls, content: object) -> Timing:
        """Read a timing."""
        if not isinstance(content, Mapping):
            return cls()
        ratios, beside = (figures_by_name(content.get(part)) for part in ("ratios", "beside"))
        calls = content.get("calls")
        return cls(Figure.from_dict(content.get("seconds")), ratios, beside, calls if is_whole(calls) else None)


@dataclass(frozen=True)
class Cost:
    """What an activation costs, where that was measured, and what it was measured with.

    Attributes:
        key: the name of its file: a hash of what was measured, and where.
        activation: its canonical spec.
        kind: ``alone`` or ``network``.
        times: by what was timed: ``forward_cold``, ``forward_warm``, ``training_cold``, ``training_warm``; in a network
            ``step`` and ``inference``.
        saved: bytes that autograd keeps for backward.
        peak: bytes of the CUDA allocator's peak; empty on a CPU.
        parameters: how many there are.
        status: ``ok``, or how it failed; ``error`` says why.
        source: the source of what does not come with afbench; empty if all does.
        shape: of the input, alone; so are ``dtype`` to ``batch``.
        batch: what was measured in the same rounds: an identifier, the activations, the number of rounds.
        task: whose network it is; ``settings`` are the task's that differ from its defaults.
        baseline: what the ratios in a network are to.
    """

    key: str
    activation: str
    kind: str = NETWORK
    status: str = "ok"
    error: Mapping[str, str] | None = None
    environment: str = ""
    device: str = ""
    threads: int | None = None
    concurrency: int = 1
    measured: str = ""
    commit: str = ""
    versions: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    task: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    baseline: str = ""
    shape: tuple[int, ...] = ()
    dtype: str = ""
    mode: str = ""
    channel_dim: int | None = None
    elements: int | None = None
    cache_bytes: int | None = None
    batch: Mapping[str, Any] = field(default_factory=dict)
    times: Mapping[str, Timing] = field(default_factory=dict)
    saved: Mapping[str, float] = field(default_factory=dict)
    peak: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, int] = field(default_factory=dict)

    @property
    def alone(self) -> bool:
        """Whether it was measured alone, not in a task's network."""
        return self.kind == ALONE

    @property
    def ok(self) -> bool:
        """Whether it has figures."""
        return self.status == "ok"

    @property
    def reason(self) -> str:
        """One line on what went wrong; empty if nothing did."""
        return str(self.error.get("message") or "") if self.error else ""

    @property
    def failure(self) -> str:
        """The status and the reason of a failure; empty if there is none."""
        return "" if self.ok else ": ".join(filter(None, (self.status, " ".join(self.reason.split()))))

    @property
    def step(self) -> Figure:
        """The time of a training step relative to the baseline's; empty for a failure."""
        return self.time("step").ratio(self.baseline) if self.ok else Figure()

    @property
    def saved_ratio(self) -> float | None:
        """The bytes saved for backward relative to the baseline's; None for a failure."""
        return as_number(self.saved.get("ratio")) if self.ok else None

    def time(self, name: str) -> Timing:
        """Return a timing; an empty one if that was not timed."""
        return self.times.get(name, Timing())

    def with_(self, **changes: Any) -> Cost:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the cost as JSON holds it, without what it lacks."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "times"}
        present = {name: value for name, value in values.items() if value not in (None, "", (), {})}
        times = {name: timing.to_dict() for name, timing in self.times.items()}
        return {"schema": SCHEMA, **present, **({"shape": list(self.shape)} if self.shape else {}), "times": times}

    def to_json(self) -> str:
        """Print the cost as JSON."""
        return json.dumps(self.to_dict(), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Cost:
        """Read a cost, of this schema or of the first.

        Raises:
            NewerSchema: if a later afbench wrote it.
            UsageError: if it is not a cost.
        """
        with reading("cost"):
            content = json.loads(text)
            check_schema(content, SCHEMA)
            check_cost(content)
        known = {f.name: content[f.name] for f in fields(cls) if content.get(f.name) is not None}
        for part in ("saved", "peak", "parameters"):
            known[part] = {name: value for name, value in known.get(part, {}).items() if as_number(value) is not None}
        known["shape"] = tuple(known.get("shape", ()))
        known["times"] = times_of(content)
        return cls(**known)


def times_of(content: Mapping[str, Any]) -> dict[str, Timing]:
    """Read the timings of a file of either schema."""
    if content.get("times") is not None:
        return {name: Timing.from_dict(timing) for name, timing in content["times"].items()}
    times = {}
    for which in PASSES:
        for temperature in TEMPERATURES:
            if isinstance(timing := (content.get(which) or {}).get(temperature), Mapping):
                ratios = {name: value for name, value in timing.items() if name not in ("seconds", "yardsticks")}
                form = {"seconds": timing.get("seconds"), "ratios": ratios, "beside": timing.get("yardsticks")}
                times[f"{which}_{temperature}"] = Timing.from_dict({**form, "calls": timing.get("calls")})
    for step in STEPS:
        if timing := content.get(step):
            seconds = ("seconds", "seconds_quartiles", "rounds", "seconds_unstable")
            ratio = Figure.from_dict(timing, ("ratio", "quartiles", "rounds", "unstable"))
            base = str(content.get("baseline") or "")
            beside = {base: Figure(as_number(timing.get("baseline_seconds")))}
            times[step] = Timing(Figure.from_dict(timing, seconds), {base: ratio}, beside)
    return times


def figures_by_name(content: object) -> dict[str, Figure]:
    """Read figures by name."""
    if not isinstance(content, Mapping):
        return {}
    return {name: Figure.from_dict(value) for name, value in content.items() if isinstance(value, Mapping)}


def as_number(value: object) -> float | None:
    """Return a finite number, or None."""
    return float(value) if is_finite(value) else None  # type: ignore[arg-type]
