"""What an activation costs in a task's network, relative to the same network with the baseline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from ..engines.ambient import pinned
from ..records import environment
from ..records.cost import Cost, Timing
from ..records.environment import now
from ..records.failure import failure
from ..records.trial import digest
from ..registry.factory import Choice, choose
from ..registry.parameters import count_parameters, penalty
from ..streams import stream
from ..tasks.base import Batch, Task, create_task
from ..training.train import build, descend, make_optimizer, to_device
from .clock import Call, CpuClock
from .memory import peak_bytes, saved_bytes
from .rounds import ROUNDS, interleave

NOTHING = "identity"
"""The activation that adds no work and keeps nothing for backward: what others add is counted from it."""


@dataclass(frozen=True)
class NetworkJob:
    """One activation to be measured in a task's network, on this machine."""

    task: str
    activation: str
    baseline: str
    environment: str
    settings: dict[str, Any] = field(default_factory=dict)
    rounds: int = ROUNDS

    @property
    def activations(self) -> tuple[str]:
        """The activation, as the only one of its batch."""
        return (self.activation,)

    @property
    def key(self) -> str:
        """The cost's name in the store: what was measured, and where; not in how many rounds."""
        return digest({name: value for name, value in vars(self).items() if name != "rounds"})

    def blank(self, activation: str) -> Cost:
        """Return what is known of the cost before anything is measured."""
        return Cost(
            self.key,
            activation,
            environment=self.environment,
            task=self.task,
            settings=self.settings,
            baseline=self.baseline,
            commit=environment.commit(),
            measured=now(),
        )

    def measure(self) -> list[Cost]:
        """Measure the cost; like a trial, it never raises for what the activation does.

        Times are ratios to the baseline's within the same round, the order drawn anew each round; the median and the
        quartiles over the rounds are kept. Saved bytes are those kept for backward by the whole network and its loss;
        ``added_bytes`` is what is more than in the same network without any activation.
        """
        known: dict[str, Any] = {}
        times: dict[str, Timing] = {}
        try:
            task, choice = create_task(self.task, self.settings), choose(self.activation)
            known |= {"threads": task.threads, "device": task.device}
            known["versions"] = environment.versions(choice.entry, task.version)
            with pinned(task.threads):
                own, base = make_bench(task, choice), make_bench(task, choose(self.baseline))
                known["parameters"] = vars(count_parameters(own.network))
                times["step"] = time_both(own.step, base.step, self.baseline, task.threads, self.rounds)
                benches = own, base, make_bench(task, choose(NOTHING))
                bytes_, base_bytes, bare = (saved_by(bench) for bench in benches)
                saved = {"bytes": bytes_, "baseline_bytes": base_bytes, "ratio": bytes_ / base_bytes}
                known["saved"] = {**saved, "identity_bytes": bare, "added_bytes": bytes_ - bare}
                known["peak"] = peak(own, base)
                for bench in (own, base):
                    bench.network.eval()
                times["inference"] = time_both(own.infer, base.infer, self.baseline, task.threads, self.rounds)
        except (Exception, SystemExit) as error:
            known |= failure(error)
        return [self.blank(self.activation).with_(**known, times=times)]


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

    def infer(self) -> None:
        """Run the network on the batch's inputs; ``NetworkJob.measure`` puts it into evaluation before."""
        with torch.no_grad():
            self.network(self.batch[0])


def make_bench(task: Task, choice: Choice) -> Bench:
    """Build a task's network and take its first batch."""
    splits = to_device(task.data(stream(0, "data")), task)
    network, _ = build(task, choice, 0)
    batch = next(iter(task.batches(splits, stream(0, "order"))))
    return Bench(task, network.train(), make_optimizer(task, network), batch)


def time_both(own: Call, base: Call, baseline: str, threads: int, rounds: int) -> Timing:
    """Time two calls in turn and compare them within each round. The host's clock waits for a GPU at both ends."""
    samples = interleave({"own": own, "base": base}, CpuClock(threads), rounds)
    for measured in samples.values():
        if measured.error is not None:
            raise measured.error
    return samples["own"].timing({baseline: samples["base"]})


def saved_by(bench: Bench) -> int:
    """Count the bytes that a network and its loss keep for backward, parameters left out."""
    task, network, (inputs, targets) = bench.task, bench.network, bench.batch
    return saved_bytes(lambda: task.loss(network(inputs), targets) + penalty(network), network.parameters())


def peak(own: Bench, base: Bench) -> dict[str, int]:
    """Return by how much the allocator's memory on CUDA grows at its peak in a step, with the baseline's figure."""
    peaks = [peak_bytes(bench.step, bench.task.device) for bench in (own, base)]
    if peaks[0] is None or peaks[1] is None:
        return {}
    return {"bytes": peaks[0], "baseline_bytes": peaks[1], "added_bytes": peaks[0] - peaks[1]}
