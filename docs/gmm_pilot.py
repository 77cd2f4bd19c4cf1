"""The pilot that chose the sizes of the ``gmm`` task, by the rule in gmm-pilot.md. Fixed activations only.

Run it from a checkout: ``python docs/gmm_pilot.py``. It takes some 10 minutes of one core, writes every trial to
docs/gmm-pilot.csv, goes on from there if it was stopped, and prints the tables that gmm-pilot.md shows.
"""

from __future__ import annotations

import csv
import itertools
import math
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from torch import nn

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
SPREADS = (0.15, 0.20, 0.25, 0.30, 0.35, 0.40)
WANTED_BAYES = 90.0
PER_CLASS = 200
EPOCHS = {10: 80, 20: 40, 40: 20}
HIDDEN = {"16": (16, 1), "32": (32, 1), "16-16": (16, 2), "32-32": (32, 2)}
RATES = (1e-3, 5e-3)
SCREENING = (1000,), (1000, 1001, 1002)
CONFIRMATION = (1001, 1002), (1003, 1004, 1005, 1006, 1007)
FINALISTS = 3
CANDIDATE = ["classes", "hidden", "lr"]


class Candidate(NamedTuple):
    """Sizes and a learning rate that the task might have."""

    classes: int
    hidden: str
    lr: float

    def task(self, mixture: int) -> GaussianMixture:
        """Make the task with these sizes on a mixture."""
        width, depth = HIDDEN[self.hidden]
        return GaussianMixture(
            mixture=mixture,
            classes=self.classes,
            spread=spread(self.classes),
            samples=PER_CLASS * self.classes,
            width=width,
            depth=depth,
            epochs=EPOCHS[self.classes],
            lr=self.lr,
        )


def spread(classes: int) -> float:
    """Choose the spread whose Bayes-optimal accuracy, averaged over ten mixtures, is nearest to 90 %."""

    def distance(value: float) -> float:
        found = [random_mixture(classes, value, seed).bayes_accuracy for seed in range(1000, 1010)]
        return abs(sum(found) / len(found) - WANTED_BAYES)

    if classes not in _spreads:
        _spreads[classes] = min(SPREADS, key=distance)
    return _spreads[classes]


_spreads: dict[int, float] = {}


def trial(task: GaussianMixture, activation: type[nn.Module], seed: int) -> dict[str, float]:
    """Train once, by the recipe of the task; returns accuracies in percent and seconds."""
    clock = time.perf_counter()
    splits, order = task.data(stream(seed, "data")), stream(seed, "order")
    with forked(seed, "weights"):
        network = task.network(lambda channels=None, channel_dim=1: activation())
    optimizer = torch.optim.Adam(network.parameters(), lr=task.lr, fused=True)
    before_late = 0.0
    for epoch in range(task.epochs):
        for group in optimizer.param_groups:
            group["lr"] = task.lr * 0.5 * (1 + math.cos(math.pi * epoch / task.epochs))
        for inputs, targets in task.batches(splits, order):
            optimizer.zero_grad()
            task.loss(network(inputs), targets).backward()
            optimizer.step()
        if epoch + 1 == task.epochs * 3 // 4:
            before_late = accuracy(task, network, splits.validation)
    return {
        "accuracy": accuracy(task, network, splits.test),
        "late": accuracy(task, network, splits.validation) - before_late,
        "parameters": sum(p.numel() for p in network.parameters()),
        "seconds": round(time.perf_counter() - clock, 3),
    }


@torch.no_grad()
def accuracy(task: GaussianMixture, network: nn.Module, split: Batch) -> float:
    """Measure on a split."""
    inputs, targets = split
    return round(task.metrics(network(inputs), targets)["accuracy"], 4)


def measure(stage: str, candidates: Iterable[Candidate], mixtures: Iterable[int], seeds: Iterable[int]) -> pd.DataFrame:
    """Run a stage's trials that are not in the file yet; returns all rows of these candidates and the stage."""
    candidates = list(candidates)
    columns = ["stage", *CANDIDATE, "spread", "mixture", "seed", "activation", "bayes"]
    done = read()
    names = ["stage", *CANDIDATE, "mixture", "seed", "activation"]
    known = set(done[names].itertuples(index=False, name=None)) if len(done) else set()
    with FILE.open("a", newline="") as file:
        writer = csv.DictWriter(file, [*columns, "accuracy", "late", "parameters", "seconds"], lineterminator="\n")
        if not len(done):
            writer.writeheader()
        for candidate, mixture, seed, name in itertools.product(candidates, mixtures, seeds, FIXED):
            if (stage, *candidate, mixture, seed, name) in known:
                continue
            task = candidate.task(mixture)
            row = dict(zip(columns, (stage, *candidate, task.spread, mixture, seed, name), strict=False))
            row["bayes"] = round(task.source.bayes_accuracy, 4)
            writer.writerow(row | trial(task, FIXED[name], seed))
            file.flush()
    rows = read()
    keys = rows[CANDIDATE].apply(tuple, axis=1)
    return rows[(rows.stage == stage) & keys.isin([tuple(c) for c in candidates])]


def read() -> pd.DataFrame:
    """Read the trials so far."""
    return pd.read_csv(FILE, dtype={"hidden": str}) if FILE.exists() else pd.DataFrame()


def judge(rows: pd.DataFrame) -> dict[str, float]:
    """Measure one candidate by the rule; ``met`` counts the conditions that hold."""
    per_mixture = [on_mixture(group) for _, group in rows.groupby("mixture")]
    between = math.sqrt(sum(m["between"] ** 2 for m in per_mixture) / len(per_mixture))
    within = math.sqrt(sum(m["within"] ** 2 for m in per_mixture) / len(per_mixture))
    found = {
        "parameters": rows.parameters.iloc[0],
        "bayes": rows.groupby("mixture").bayes.first().mean(),
        "least gap": min(m["best"] for m in per_mixture),
        "largest least gap": max(m["best"] for m in per_mixture),
        "worst gap": min(m["worst"] for m in per_mixture),
        "between": between,
        "within": within,
        "ratio": between / within,
        "range": sum(m["worst"] - m["best"] for m in per_mixture) / len(per_mixture),
        "late": rows.late.mean(),
        "seconds": rows[rows.activation == "relu"].seconds.median(),
    }
    conditions = [
        found["least gap"] >= 0.5 and found["largest least gap"] <= 3,
        found["worst gap"] > 3,
        found["ratio"] >= 1,
        found["range"] >= 1.5,
        found["late"] <= 1,
    ]
    failed = " ".join(str(i) for i, holds in enumerate(conditions, 1) if not holds)
    return found | {"met": sum(conditions), "fails": failed or "-"}


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
    accepted = judged[judged.met == 5]
    near = accepted[accepted.ratio >= 0.9 * accepted.ratio.max()]
    return None if near.empty else near.sort_values(["parameters", "classes", "lr"]).iloc[0]


def markdown(frame: pd.DataFrame) -> str:
    """Print a table for gmm-pilot.md."""
    lines = ["| " + " | ".join(frame.columns) + " |", "|" + " --- |" * len(frame.columns)]
    for row in frame.itertuples(index=False):
        cells = (f"{v:.2f}" if isinstance(v, float) and abs(v) >= 0.01 else f"{v}" for v in row)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Screen, confirm, choose, and print what was found."""
    torch.set_num_threads(1)
    grid = [Candidate(*c) for c in itertools.product(EPOCHS, HIDDEN, RATES)]
    print("spread:", {classes: spread(classes) for classes in EPOCHS}, flush=True)
    screened = table(measure("screening", grid, *SCREENING))
    print(f"\nScreening\n\n{markdown(screened)}", flush=True)
    finalists = [Candidate(*c) for c in screened[CANDIDATE].head(FINALISTS).itertuples(index=False, name=None)]
    rows = measure("confirmation", finalists, *CONFIRMATION)
    confirmed = table(rows)
    print(f"\nConfirmation\n\n{markdown(confirmed)}")
    gaps = rows.assign(gap=rows.bayes - rows.accuracy).pivot_table("gap", [*CANDIDATE, "mixture"], "activation")
    print(f"\nGaps to the Bayes-optimal accuracy in points\n\n{markdown(gaps.reset_index())}")
    chosen = choose(confirmed)
    print("\nChosen:", "none meets all five conditions" if chosen is None else chosen[CANDIDATE].to_dict())


if __name__ == "__main__":
    main()
