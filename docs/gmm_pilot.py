"""Run the pilots that chose the sizes of the ``gmm`` task, by the rules in gmm-pilot.md, with fixed activations only.

Run it from a checkout: ``python docs/gmm_pilot.py``. It takes about 20 minutes on one core and writes every trial to
docs/gmm-pilot.csv. It can be stopped and started again, and prints the tables of gmm-pilot.md.
"""

from __future__ import annotations

import csv
import itertools
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor, nn

from afbench.data.mixture import random_mixture
from afbench.streams import forked, stream
from afbench.tasks.base import Batch
from afbench.tasks.gmm import GaussianMixture

FILE = Path(__file__).with_name("gmm-pilot.csv")
FIXED = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}
LINEAR = {"identity": nn.Identity}
"""Trained from the amendment on, and left out of all statistics over activations."""
SPREADS = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.40)
"""The first pilot searched from 0.15 up, the second up to 0.20; both choose the same value from this whole list."""
WANTED_BAYES = 90.0
PER_CLASS = 200
EPOCHS = {10: 80, 20: 40, 40: 20}
HIDDEN = {"16": (16, 1), "32": (32, 1), "16-16": (16, 2), "32-32": (32, 2)}
FINALISTS = 3
CANDIDATE = ["classes", "hidden", "lr", "unevenness"]


class Candidate(NamedTuple):
    """Sizes and a learning rate that the task might have."""

    classes: int
    hidden: str
    lr: float
    unevenness: float

    def task(self, mixture: int) -> GaussianMixture:
        """Make the task with these sizes on a mixture."""
        width, depth = HIDDEN[self.hidden]
        return GaussianMixture(
            mixture=mixture,
            classes=self.classes,
            spread=spread(self.classes, self.unevenness),
            unevenness=self.unevenness,
            samples=PER_CLASS * self.classes,
            width=width,
            depth=depth,
            epochs=EPOCHS[self.classes],
            lr=self.lr,
        )


class Pilot(NamedTuple):
    """A grid of candidates, the activations trained on it, and the mixtures and seeds of its two stages."""

    suffix: str
    grid: list[Candidate]
    activations: dict[str, type[nn.Module]]
    screening: tuple[Sequence[int], Sequence[int]]
    confirmation: tuple[Sequence[int], Sequence[int]]


PILOTS = (
    Pilot(
        "",
        [Candidate(*c) for c in itertools.product(EPOCHS, HIDDEN, (1e-3, 5e-3), (1.0,))],
        FIXED,
        ((1000,), range(1000, 1003)),
        ((1001, 1002), range(1003, 1008)),
    ),
    Pilot(
        " 2",
        [Candidate(*c) for c in itertools.product((20, 40), ("16-16", "32-32"), (5e-3,), (2.0, 2.5, 3.0))],
        FIXED | LINEAR,
        ((1010,), range(1010, 1013)),
        ((1011, 1012), range(1013, 1018)),
    ),
)


@cache
def spread(classes: int, unevenness: float) -> float:
    """Choose the spread whose Bayes-optimal accuracy, averaged over ten mixtures, is nearest to 90 %."""
    distance_by_spread = {}
    for value in SPREADS:
        accuracies = [random_mixture(classes, value, unevenness, seed).bayes_accuracy for seed in range(1000, 1010)]
        mean = sum(accuracies) / len(accuracies)
        distance_by_spread[value] = abs(mean - WANTED_BAYES)
        if mean < WANTED_BAYES:  # the accuracy falls as the spread grows
            break
    return min(distance_by_spread, key=distance_by_spread.__getitem__)


class Stack(nn.Module):
    """MLPs of one size, [activations x seeds], trained together; each learns on its own."""

    def __init__(self, task: GaussianMixture, activations: Iterable[type[nn.Module]], seeds: Iterable[int]) -> None:
        """Start each network as a trial of the task would."""
        super().__init__()
        self.activations = [activation() for activation in activations]
        starts = []
        for seed in seeds:
            with forked(seed, "weights"):
                starts.append([p.detach() for p in task.network(lambda **_: nn.Identity()).parameters()])
        layers = [torch.stack(values * len(self.activations)) for values in map(list, zip(*starts, strict=True))]
        self.layers = nn.ParameterList(layers)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map points [seeds, N, 2] to logits [activations * seeds, N, classes]."""
        values = inputs.repeat(len(self.activations), 1, 1)
        for i in range(0, len(self.layers), 2):
            if i:
                parts = values.chunk(len(self.activations))
                values = torch.cat([f(part) for f, part in zip(self.activations, parts, strict=True)])
            values = torch.baddbmm(self.layers[i + 1][:, None], values, self.layers[i].mT)
        return values


def train(
    task: GaussianMixture, activations: dict[str, type[nn.Module]], seeds: Sequence[int]
) -> Iterator[dict[str, object]]:
    """Train every activation with every seed by the recipe of the task; yields accuracies in percent, and seconds."""
    clock = time.perf_counter()
    splits = [task.data(stream(seed, "data")) for seed in seeds]
    orders = [stream(seed, "order") for seed in seeds]
    stack = Stack(task, activations.values(), seeds)
    optimizer = torch.optim.Adam(stack.parameters(), lr=task.lr, fused=True)
    members = len(activations) * len(seeds)
    for epoch in range(task.epochs):
        for group in optimizer.param_groups:
            group["lr"] = task.lr * 0.5 * (1 + math.cos(math.pi * epoch / task.epochs))
        for batches in zip(*map(task.batches, splits, orders), strict=True):
            inputs, targets = (torch.stack(values) for values in zip(*batches, strict=True))
            optimizer.zero_grad()
            output = stack(inputs).flatten(0, 1)
            (members * task.loss(output, targets.flatten().repeat(len(activations)))).backward()
            optimizer.step()
        if epoch + 1 == task.epochs * 3 // 4:
            before_late = accuracy(stack, [split.validation for split in splits])
    late = accuracy(stack, [split.validation for split in splits]) - before_late
    reached = accuracy(stack, [split.test for split in splits])
    seconds = (time.perf_counter() - clock) / members
    for member, (name, seed) in enumerate(itertools.product(activations, seeds)):
        yield {
            "seed": seed,
            "activation": name,
            "accuracy": round(reached[member].item(), 4),
            "late": round(late[member].item(), 4),
            "parameters": sum(p[0].numel() for p in stack.parameters()),
            "seconds": round(seconds, 3),
        }


@torch.no_grad()
def accuracy(stack: Stack, splits: Sequence[Batch]) -> Tensor:
    """Measure on a split of every seed, in percent: [activations * seeds]."""
    inputs, targets = (torch.stack(values) for values in zip(*splits, strict=True))
    correct = stack(inputs).argmax(-1) == targets.repeat(len(stack.activations), 1)
    return 100 * correct.double().mean(-1)


def measure(pilot: Pilot, stage: str, candidates: Iterable[Candidate]) -> pd.DataFrame:
    """Run a stage's trials that are not in the file yet; returns all rows of these candidates and the stage."""
    candidates = list(candidates)
    mixtures, seeds = getattr(pilot, stage)
    stage += pilot.suffix
    columns = ["stage", "classes", "hidden", "lr", "spread", "unevenness", "mixture", "seed", "activation", "bayes"]
    done = read()
    names = ["stage", *CANDIDATE, "mixture"]
    known = set(done[names].itertuples(index=False, name=None)) if len(done) else set()
    with FILE.open("a", newline="") as file:
        writer = csv.DictWriter(file, [*columns, "accuracy", "late", "parameters", "seconds"], lineterminator="\n")
        if not len(done):
            writer.writeheader()
        for candidate, mixture in itertools.product(candidates, mixtures):
            if (stage, *candidate, mixture) in known:
                continue
            task = candidate.task(mixture)
            row = {"stage": stage, **candidate._asdict(), "spread": task.spread, "mixture": mixture}
            row["bayes"] = round(task.source.bayes_accuracy, 4)
            writer.writerows([row | result for result in train(task, pilot.activations, seeds)])
            file.flush()
    rows = read()
    keys = rows[CANDIDATE].apply(tuple, axis=1)
    return rows[(rows.stage == stage) & keys.isin([tuple(c) for c in candidates])]


def read() -> pd.DataFrame:
    """Read the trials so far."""
    return pd.read_csv(FILE, dtype={"hidden": str}) if FILE.exists() else pd.DataFrame()


def judge(rows: pd.DataFrame) -> dict[str, float]:
    """Measure one candidate by the rule; ``met`` counts the conditions that hold."""
    counted = rows[rows.activation.isin(FIXED)]
    per_mixture = [on_mixture(group) for _, group in counted.groupby("mixture")]
    measures = {
        "parameters": rows.parameters.iloc[0],
        "bayes": rows.groupby("mixture").bayes.first().mean(),
        "least gap": min(m["best"] for m in per_mixture),
        "largest least gap": max(m["best"] for m in per_mixture),
        "worst gap": min(m["worst"] for m in per_mixture),
        **differences(counted),
        "late": counted.late.mean(),
        "seconds": rows[rows.activation == "relu"].seconds.median(),
    }
    conditions = [
        measures["least gap"] >= 0.5 and measures["largest least gap"] <= 3,
        measures["worst gap"] > 3,
        measures["ratio"] >= 1,
        measures["range"] >= 1.5,
        measures["late"] <= 1,
    ]
    if len(counted) < len(rows):
        mean = rows.pivot_table("accuracy", "mixture", "activation")
        measures["relu - identity"] = (mean.relu - mean.identity).min()
        conditions.append(measures["relu - identity"] >= 5)
        worst = counted.groupby("activation").accuracy.mean().idxmin()
        for name, left_out in {"tanh": "tanh", "worst": worst}.items():
            rest = differences(counted[counted.activation != left_out])
            measures |= {f"{key} without {name}": rest[key] for key in ("ratio", "range")}
    failed = " ".join(str(i) for i, holds in enumerate(conditions, 1) if not holds)
    return measures | {"met": sum(conditions), "fails": failed or "-"}


def differences(rows: pd.DataFrame) -> dict[str, float]:
    """Measure the spread between the activations of these rows, and the spread within each, over their mixtures."""
    per_mixture = [on_mixture(group) for _, group in rows.groupby("mixture")]
    between = math.sqrt(sum(m["between"] ** 2 for m in per_mixture) / len(per_mixture))
    within = math.sqrt(sum(m["within"] ** 2 for m in per_mixture) / len(per_mixture))
    span = sum(m["worst"] - m["best"] for m in per_mixture) / len(per_mixture)
    return {"between": between, "within": within, "ratio": between / within, "range": span}


def on_mixture(rows: pd.DataFrame) -> dict[str, float]:
    """Measure a candidate on one mixture: gaps of the best and the worst activation, spread between and within."""
    table = rows.pivot(index="seed", columns="activation", values="accuracy")
    gaps = rows.bayes.iloc[0] - table.mean()
    within = table.var().mean()
    between = max(0.0, table.mean().var() - within / len(table))
    return {"best": gaps.min(), "worst": gaps.max(), "between": math.sqrt(between), "within": math.sqrt(within)}


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Judge every candidate, the best first as the screening orders them."""
    judged = [dict(zip(CANDIDATE, key, strict=True)) | judge(group) for key, group in rows.groupby(CANDIDATE)]
    return pd.DataFrame(judged).sort_values(["met", "ratio"], ascending=False, ignore_index=True)


def choose(judged: pd.DataFrame) -> pd.Series | None:
    """Choose among those that meet all conditions: the largest ratio, within 10 % of it the smallest."""
    accepted = judged[judged.fails == "-"]
    near = accepted[accepted.ratio >= 0.9 * accepted.ratio.max()]
    return None if near.empty else near.sort_values(["parameters", "classes", "lr", "unevenness"]).iloc[0]


def markdown(frame: pd.DataFrame) -> str:
    """Print a table for gmm-pilot.md."""
    lines = ["| " + " | ".join(frame.columns) + " |", "|" + " --- |" * len(frame.columns)]
    for row in frame.itertuples(index=False):
        cells = (f"{v:.2f}" if isinstance(v, float) and abs(v) >= 0.01 else f"{v}" for v in row)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def run(pilot: Pilot) -> None:
    """Screen, confirm, choose, and print the results."""
    print("\nSpread:", {c[::3]: spread(*c[::3]) for c in pilot.grid}, flush=True)
    screened = table(measure(pilot, "screening", pilot.grid))
    print(f"\nScreening\n\n{markdown(screened)}", flush=True)
    finalists = [Candidate(*c) for c in screened[CANDIDATE].head(FINALISTS).itertuples(index=False, name=None)]
    rows = measure(pilot, "confirmation", finalists)
    confirmed = table(rows)
    print(f"\nConfirmation\n\n{markdown(confirmed)}")
    gaps = rows.assign(gap=rows.bayes - rows.accuracy).pivot_table("gap", [*CANDIDATE, "mixture"], "activation")
    print(f"\nGaps to the Bayes-optimal accuracy in points\n\n{markdown(gaps.reset_index())}")
    chosen = choose(confirmed)
    print("\nChosen:", "none meets all conditions" if chosen is None else chosen[CANDIDATE].to_dict())


def main() -> None:
    """Run both pilots."""
    torch.set_num_threads(1)
    for pilot in PILOTS:
        run(pilot)


if __name__ == "__main__":
    main()
