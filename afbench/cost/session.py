"""A cost run, as the verb ``cost`` does it: what is asked for minus what the store holds, in batches, kept at once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..device import resolve_device
from ..engines import ENGINES, Setup
from ..engines.signals import terminable
from ..errors import UsageError, did_you_mean
from ..records import environment
from ..records.cost import Cost
from ..records.sources import source_of
from ..records.store import Store
from ..registry import origin
from ..registry.discovery import load_plugin
from ..registry.entries import ACTIVATIONS, TASKS
from ..registry.factory import Choice, check, choose, select
from ..registry.numerals import count
from ..tasks.base import create_task
from ..tasks.settings import changed
from ..training import attempt
from .alone import alone_key, batches, measure_alone, versions
from .case import SHAPES, cases
from .listening import Listener, Measured, Silent
from .network import CostJob
from .rounds import ROUNDS
from .work import carry_out, members, one_network

MOST_ROUNDS = 100_000
BATCH = 8
"""Activations in a batch at most: a kill loses at most these, and a round stays short."""
BATCH_ELEMENTS = 8e6
"""Elements of all activations of a batch together, though two are always one: slow ones take minutes."""


def measure(
    acts: str | Iterable[str] = "all",
    *,
    task: str | None = None,
    shapes: str = SHAPES,
    dtypes: str = "float32",
    modes: str = "eager",
    threads: str = "1",
    device: str = "auto",
    settings: Mapping[str, object] | None = None,
    baseline: str = "relu",
    out: str | Path = "results/cost",
    rounds: int = ROUNDS,
    again: bool = False,
    engine: str = "process",
    plugins: Iterable[str | Path] = (),
    listener: Listener | None = None,
) -> Measured:
    """Measure what activations cost, alone on shapes or in a task's network, and keep each figure as it is there.

    What the store already holds, from this machine and these versions, is not measured again. In a script, call it
    under ``if __name__ == "__main__":``, as any code that starts processes.

    Args:
        acts: what ``--acts`` takes: ``"all"``, ``"trainable,-pau"``, specs.
        task: a task's name; its settings say dtype and threads. None measures alone.
        shapes: such as ``"32x64x56x56,8x197x3072"`` (4-D is NCHW, else channels are last), or ``"scaling"``.
        dtypes: ``float32``, ``bfloat16``, ``float16``, ``float64``, by commas.
        modes: ``eager``, ``compile``, on CUDA also ``graph``, by commas.
        threads: numbers of threads, by commas.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``.
        settings: the task's settings that are to differ.
        baseline: what costs in a task's network are ratios to.
        out: the results folder.
        rounds: how many rounds, at least 5.
        again: whether to measure what is there already.
        engine: ``process``, or ``inline`` to debug.
        plugins: Python files that register activations or tasks.
        listener: told how it goes.

    Raises:
        UsageError: if the call is wrong; nothing is written then.
        Unavailable: if the task's data is not here.
    """
    listener = listener or Silent()
    files = tuple(str(Path(plugin).resolve()) for plugin in plugins)
    for file in files:
        load_plugin(file, ACTIVATIONS, TASKS)
    if engine not in ENGINES:
        raise UsageError(f"unknown engine {engine!r}{did_you_mean(engine, ENGINES)} (engines: {', '.join(ENGINES)})")
    if count("--rounds", rounds, MOST_ROUNDS) < 5:
        raise UsageError(f"--rounds must be at least 5, not {rounds}: fewer have no quartiles")
    choices = [check(choice.spec) for choice in select(acts)]
    here, resolved = environment.read(), resolve_device(device)
    store = Store.open(out, write=True)
    held = {} if again else {cost.key: cost for cost in store.costs()}
    found = Measured(store)
    about = [TASKS.find(task)[0], choose(baseline).entry] if task is not None else []
    setup = Setup(files, tuple(sys.path))
    if engine != "inline":
        files, modules = origin.loads([*about, *(choice.entry for choice in choices)], files)
        setup = Setup(files, tuple(sys.path), modules=modules)
    around = dict(zip(("task", "baseline"), about, strict=False))
    sources = {choice.spec: source_of({"activation": choice.entry, **around}) for choice in choices}
    jobs: list[Any]
    work: Callable[[Any], list[Cost]]
    if task is None:
        asked = cases(shapes, dtypes, modes, resolved, threads)
        jobs, work = [], measure_alone
        for case in asked:
            keys = {choice.spec: alone_key(case, choice.spec, here["id"]) for choice in choices}
            missing = [spec for spec, key in keys.items() if not counts(held.get(key), versions(spec), sources[spec])]
            found.held += [held[key] for spec, key in keys.items() if spec not in missing]
            size = min(BATCH, max(2, int(BATCH_ELEMENTS / case.elements)))
            jobs += batches(case, missing, here["id"], size, rounds=rounds)
        what = f"{len(choices)} activations x {len(asked)} cases, each beside relu, gelu and a copy"
    else:
        own = resolve_device(str((settings or {}).get("device", resolved)))
        if device != "auto" and own != resolved:
            raise UsageError(f"--device {device} and --set device={own} contradict each other: give one of them")
        planned = network_jobs(task, choices, baseline, {"device": resolved, **(settings or {})}, here["id"])
        jobs, work = (
            [job for job, current in planned if not counts(held.get(job.key), current, sources[job.activation])],
            partial(one_network, rounds=rounds),
        )
        found.held += [held[job.key] for job, _ in planned if job not in jobs]
        what = f"{len(choices)} activations in the network of {task}, each beside {baseline}"
    store.make()
    store.sweep()
    left = sum(len(members(job)) for job in jobs)
    listener.planned(left + len(found.held), len(found.held), what, store)
    if jobs:
        store.write_json("environments", here["id"], here)
    with terminable():
        try:
            carry_out(found, work, jobs, engine, setup, listener, sources)
        except KeyboardInterrupt:
            found.interrupted = True
    return found


def counts(cost: Cost | None, current: Mapping[str, Any], source: str) -> bool:
    """Tell whether a cost that is held need not be measured again: this code, and no failure that may pass."""
    if cost is None or cost.status not in ("ok", "error"):
        return False
    return (cost.versions, cost.source) == (current, source)


def network_jobs(
    task: str, choices: Sequence[Choice], baseline: str, settings: Mapping[str, object], environment_id: str
) -> list[tuple[CostJob, dict[str, Any]]]:
    """Plan costs in a task's network, each with the versions that it goes stale with."""
    made, base = create_task(task, settings), choose(baseline)
    made.prepare()
    return [
        (CostJob(made.name, one.spec, base.spec, environment_id, changed(made)), attempt.versions(made, one))
        for one in choices
    ]
