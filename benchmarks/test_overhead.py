"""The suite's own overhead: import, plan, store, table, and what a trial adds to a bare training loop.

    python -m pytest benchmarks/test_overhead.py --benchmark-only

prints each figure beside its bar. Set AFBENCH_STRICT=1 to fail where a bar is missed: on a busy machine they are.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch

from afbench.campaign import plan
from afbench.errors import Unavailable
from afbench.records.store import Store
from afbench.records.trial import Record, Status, Trial
from afbench.report.summary import tables
from afbench.streams import forked, stream
from afbench.tasks.base import create_task
from afbench.training import train
from afbench.training.attempt import Attempt, attempt

RECORDS = 10_000
MANY = 100_000
ACTIVATIONS, SEEDS = 40, 25
"""Of a table's task: 100 tasks of them are 100,000 records."""
ABOUT = {
    "headline": "Two moons",
    "metric": "accuracy",
    "unit": "%",
    "higher_is_better": True,
    "target": 97.0,
    "references": {"Bayes-optimal accuracy": 98.25},
    "plots": ["curve"],
}
VERSIONS = {"task": 1, "activation": 1, "loop": 1, "afbench": "0.1.0", "torch": "2.13.0", "kernels": "plain"}
SETTINGS = {"device": "cpu", "dtype": "float32", "epochs": 50, "lr": 0.01, "batch_size": 128, "threads": 1}


def record(index: int) -> Record:
    """The record of one trial of a long campaign, as a run leaves it."""
    seed, rest = index % SEEDS, index // SEEDS
    name, task = rest % ACTIVATIONS, rest // ACTIVATIONS
    score = 90 + name / 10 + (index * 7919 % 1000) / 500
    return Record(
        Trial(f"task_{task}", "relu" if name == 0 else f"act_{name}", seed),
        Status.OK,
        about=ABOUT,
        resolved={"task": SETTINGS, "activation": {}},
        metrics={"accuracy": score, "cross_entropy": 1 / score},
        parameters={"activation": name, "trainable": 1200 + name, "total": 1200 + name},
        seconds=1.5,
        versions=VERSIONS,
        source="0123456789abcdef",
        environment="ab12",
        started="2026-01-01T00:00:00+00:00",
    )


def bare(folder: Path, count: int) -> Store:
    """Fill a store as fast as it goes, without the care that a run takes."""
    store = Store.open(folder, write=True)
    (folder / "trials").mkdir(parents=True)
    for index in range(count):
        one = record(index)
        (folder / "trials" / f"{one.key}.json").write_text(one.to_json())
    return store


def test_import(benchmark, bar):
    code = "import time; t = time.perf_counter(); import torch; u = time.perf_counter(); import afbench"
    code += "; print(u - t, time.perf_counter() - u)"

    def once():
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return [float(word) for word in done.stdout.split()]

    parts = []
    benchmark.pedantic(lambda: parts.append(once()), rounds=5)
    own, of_torch = (statistics.median(part[i] for part in parts) for i in (1, 0))
    bar("import afbench, torch's own left out", own, note=f"torch itself takes {of_torch:.2f} s")


def test_plan_of_10000_trials(benchmark, bar):
    task = create_task("gmm")
    acts = [f"elu[alpha={1 + (i + 1) / 1000}]" for i in range(399)]
    benchmark.pedantic(lambda: plan.make_plan(task, acts, 25), rounds=3)
    made = plan.make_plan(task, acts, 25)
    assert len(made.trials) == 10_000
    bar("plan of 10,000 trials", benchmark.stats.stats.median)


def test_pending_of_10000_trials_with_half_done(benchmark, bar, tmp_path):
    task = create_task("gmm")
    made = plan.make_plan(task, [f"elu[alpha={1 + (i + 1) / 1000}]" for i in range(399)], 25)
    folder = tmp_path / "trials"
    folder.mkdir()
    for trial in made.trials[::2]:
        one = record(0).with_(trial=trial, versions={})
        (folder / f"{trial.key}.json").write_text(one.to_json())
    store = Store.open(tmp_path)
    left = benchmark.pedantic(lambda: plan.pending(made, store), rounds=2)
    assert (len(left.todo), len(left.done)) == (5_000, 5_000)
    bar("what is left of 10,000 trials, 5,000 done", benchmark.stats.stats.median)


def test_store_write_of_10000_records(benchmark, bar, tmp_path):
    store, made = Store.open(tmp_path / "out", write=True), [record(index) for index in range(RECORDS)]

    def write():
        for one in made:
            store.write(one)

    benchmark.pedantic(write, rounds=1)
    assert len(list((tmp_path / "out" / "trials").iterdir())) == RECORDS
    each = 1e3 * benchmark.stats.stats.median / RECORDS
    bar("store: write 10,000 records", benchmark.stats.stats.median, note=f"{each:.2f} ms each, two fsyncs in it")


def test_store_read_of_10000_records(benchmark, bar, tmp_path):
    store = bare(tmp_path / "out", RECORDS)
    found = benchmark.pedantic(store.records, rounds=3)
    assert len(found) == RECORDS and not store.problems
    bar("store: read 10,000 records", benchmark.stats.stats.median)


class Held(Store):
    """A store whose records are in memory already."""

    def records(self) -> list[Record]:
        return self.held


def test_table_from_100000_records(benchmark, bar, tmp_path):
    store = Held(tmp_path)
    store.held = [record(index) for index in range(MANY)]
    made = benchmark.pedantic(lambda: tables(store), rounds=1)
    assert len(made) == 100 and all(len(table.rows) == ACTIVATIONS for table in made)
    bar("table from 100,000 records in memory", benchmark.stats.stats.median, 3.0)


def test_table_from_a_folder_of_100000_records(benchmark, bar, tmp_path):
    store = bare(tmp_path / "out", MANY)
    made = benchmark.pedantic(lambda: tables(store), rounds=1)
    assert len(made) == 100
    bar("table from a folder of 100,000 records", benchmark.stats.stats.median, 3.0)


def worked() -> tuple[str, dict[str, object]]:
    """The task that overhead is measured on: Fashion-MNIST if it is here, else gmm."""
    try:
        create_task("fashion_mnist").prepare()
        return "fashion_mnist", {"epochs": 1}
    except Unavailable:
        return "gmm", {"epochs": 20}


def plain_loop(name: str, settings: dict[str, object]) -> None:
    """Train as a script would, with nothing around it. Data, evaluation and the step are the task's own."""
    task = create_task(name, settings)
    with train.pinned(task.threads):
        splits = task.data(stream(0, "data"))
        with forked(0, "weights"):
            network = task.network(lambda **_: torch.nn.ReLU())
        optimizer, order = train.make_optimizer(task, network), stream(0, "order")
        for _ in range(task.epochs):
            network.train()
            for inputs, targets in task.batches(splits, order):
                optimizer.zero_grad(set_to_none=True)
                loss = task.loss(network(inputs), targets)
                loss.backward()
                optimizer.step()
            score(task, network, splits.validation)
        score(task, network, splits.test)


@torch.no_grad()
def score(task, network, split) -> dict[str, float]:
    network.eval()
    return task.metrics(torch.cat([network(chunk) for chunk in split[0].split(train.CHUNK)]), split[1])


def trial(name: str, settings: dict[str, object], store: Store, seed: int) -> float:
    """Run a trial as an engine does, and write its record; returns the seconds that writing took."""
    done, arrays = attempt(Attempt(Trial(name, "relu", seed, settings)))
    start = time.perf_counter()
    store.write(done, arrays)
    assert done.status is Status.OK, done.reason
    return time.perf_counter() - start


def test_overhead_of_a_trial(benchmark, bar, tmp_path):
    """In processor time, since a neighbour would be in the clock's; what the disk takes is added."""
    name, settings = worked()
    store = Store.open(tmp_path, write=True)
    plain_loop(name, settings)
    trial(name, settings, store, 999)
    ours, theirs, clocks = [], [], []

    def one(which: str) -> None:
        wall, start, written = time.perf_counter(), time.process_time(), 0.0
        if which == "ours":
            written = trial(name, settings, store, len(ours))
        else:
            plain_loop(name, settings)
        (ours if which == "ours" else theirs).append(time.process_time() - start + written)
        clocks.append((which, time.perf_counter() - wall))

    def round_() -> None:
        for which in ("ours", "theirs") if len(ours) % 2 else ("theirs", "ours"):
            one(which)

    benchmark.pedantic(round_, rounds=int(os.environ.get("AFBENCH_ROUNDS", "9")))
    gap = statistics.median(a - b for a, b in zip(ours, theirs, strict=True))
    share = statistics.median(a / b for a, b in zip(ours, theirs, strict=True)) - 1
    least = {which: min(t for w, t in clocks if w == which) for which in ("ours", "theirs")}
    note = f"{name}, {settings['epochs']} epochs of {statistics.median(theirs):.2f} s; by the clock, least of each: "
    note += f"{1e3 * (least['ours'] - least['theirs']):+.0f} ms"
    bar("a trial over a bare loop", 100 * share, 2.0, "%", note)
    bar("a trial over a bare loop", 1e3 * gap, 50.0, "ms", note)
