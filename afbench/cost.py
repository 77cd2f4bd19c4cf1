"""What a training step costs with an activation, beside the same step with the baseline: time, saved bytes, peak."""

from __future__ import annotations

import gc
import random
import statistics
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from . import attempt
from .factory import choose
from .parameters import penalty
from .streams import stream
from .tasks.base import Batch, Task, create_task
from .train import build, descend, make_optimizer, move, pinned
from .trial import SCHEMA, digest

ROUNDS = 15
WARM_UP = 3
SAMPLE_SECONDS = 4e-3
"""A sample repeats the step until it takes about as long: shorter ones are lost in noise."""


@dataclass(frozen=True)
class CostJob:
    """One activation to be measured in a task's network, on this machine."""

    task: str
    activation: str
    baseline: str
    environment: str
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The cost's name in the store."""
        return digest(vars(self))


@dataclass
class Bench:
    """A network ready to take training steps on one fixed batch."""

    task: Task
    network: nn.Module
    optimizer: torch.optim.Optimizer
    batch: Batch

    def step(self) -> None:
        """Take one step."""
        descend(self.task, self.network, self.optimizer, self.batch)

    def time(self, repeats: int) -> float:
        """Return the seconds of a step, the mean over ``repeats``."""
        synchronize(self.task)
        start = time.perf_counter()
        for _ in range(repeats):
            self.step()
        synchronize(self.task)
        return (time.perf_counter() - start) / repeats


def measure(job: CostJob) -> dict[str, Any]:
    """Measure a cost; like a trial, it never raises for what the activation does.

    The step time is a ratio to the baseline's within the same round, the order drawn anew each round; the median and
    the quartiles over the rounds are kept. Saved bytes are those kept for backward by the whole network and its loss.
    """
    cost: dict[str, Any] = {
        "schema": SCHEMA,
        "key": job.key,
        **vars(job),
        "status": "ok",
        "measured": attempt.now(),
    }
    try:
        task, choice = create_task(job.task, job.settings), choose(job.activation)
        cost |= {"threads": task.threads, "device": task.device, "versions": attempt.versions(task, choice)}
        with pinned(task.threads):
            own, base = bench(task, job.activation), bench(task, job.baseline)
            cost["step"] = step_time(own, base)
            bytes_, base_bytes = saved_bytes(own), saved_bytes(base)
            cost["saved"] = {"bytes": bytes_, "baseline_bytes": base_bytes, "ratio": bytes_ / base_bytes}
            cost["peak"] = peak(own, base)
    except Exception as error:
        failed = attempt.failure(error)
        cost |= {"status": failed["status"], "error": failed["error"]}
    return cost


def bench(task: Task, spec: str) -> Bench:
    """Build a task's network and take its first batch."""
    splits = move(task.data(stream(0, "data")), task)
    network, _ = build(task, choose(spec), 0)
    batch = next(iter(task.batches(splits, stream(0, "order"))))
    return Bench(task, network.train(), make_optimizer(task, network), batch)


def step_time(own: Bench, base: Bench) -> dict[str, Any]:
    """Time two networks in turn and compare them within each round."""
    repeats = {}
    for one in (own, base):
        for _ in range(WARM_UP):
            one.step()
        repeats[id(one)] = max(1, round(SAMPLE_SECONDS / min(one.time(1) for _ in range(WARM_UP))))
    shuffle = random.Random(0)
    times: dict[int, list[float]] = {id(own): [], id(base): []}
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(ROUNDS):
            for one in shuffle.sample([own, base], 2):
                times[id(one)].append(one.time(repeats[id(one)]))
    finally:
        if collecting:
            gc.enable()
    ratios = [a / b for a, b in zip(times[id(own)], times[id(base)], strict=True)]
    return {
        "ratio": statistics.median(ratios),
        "quartiles": [float(q) for q in np.quantile(ratios, [0.25, 0.75])],
        "rounds": ROUNDS,
        "seconds": statistics.median(times[id(own)]),
        "baseline_seconds": statistics.median(times[id(base)]),
    }


def saved_bytes(one: Bench) -> int:
    """Count the bytes kept for backward: each storage once, parameters left out."""
    left_out = {p.untyped_storage().data_ptr() for p in one.network.parameters()}
    kept: dict[int, int] = {}
    alive: list[Tensor] = []

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in left_out:
            kept[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)  # held, so that no address is used twice
        return tensor

    inputs, targets = one.batch
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        _ = one.task.loss(one.network(inputs), targets) + penalty(one.network)
    return sum(kept.values())


def peak(own: Bench, base: Bench) -> dict[str, int] | None:
    """Return the allocator's peak of a step on CUDA above what was held before it; None elsewhere."""
    if not own.task.device.startswith("cuda"):
        return None
    peaks = []
    for one in (own, base):
        torch.cuda.synchronize(one.task.device)
        torch.cuda.reset_peak_memory_stats(one.task.device)
        held = torch.cuda.memory_allocated(one.task.device)
        one.step()
        torch.cuda.synchronize(one.task.device)
        peaks.append(torch.cuda.max_memory_allocated(one.task.device) - held)
    return {"bytes": peaks[0], "baseline_bytes": peaks[1]}


def synchronize(task: Task) -> None:
    """Wait for the device, so that the clock sees its work."""
    if task.device.startswith("cuda"):
        torch.cuda.synchronize(task.device)
