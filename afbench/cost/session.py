"""A cost run, as the command ``cost`` does it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..device import resolve_device
from ..engines import ENGINES, Setup
from ..engines.signals import terminable
from ..engines.witness import check_choices, put_back
from ..errors import UsageError, did_you_mean
from ..records import environment
from ..records.store import Store
from ..registry.entries import load_plugins
from ..registry.factory import choose
from ..registry.numerals import count
from ..registry.selecting import select
from ..tasks.base import create_task
from .case import SHAPES, cases
from .listening import CostListener, Measured
from .rounds import ROUNDS
from .work import by_key, carry_out, plan_alone, plan_network

MOST_ROUNDS = 100_000


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
    listener: CostListener | None = None,
) -> Measured:
    """Measure what activations cost, alone on shapes or in a task's network. Each cost is stored once it is measured.

    Costs that the store holds from this machine and these versions are not measured again. In a script, call this
    function under ``if __name__ == "__main__":``, as any code that starts processes.

    Args:
        acts: what ``--acts`` takes: ``"all"``, ``"trainable,-pau"``, specs.
        task: a task's name; its settings give dtype and threads. None measures activations alone.
        shapes: such as ``"32x64x56x56,8x197x3072"`` (4-D is NCHW, else channels are last), or ``"scaling"``.
        dtypes: ``float32``, ``bfloat16``, ``float16``, ``float64``, separated by commas.
        modes: ``eager``, ``compile``, on CUDA also ``graph``, separated by commas.
        threads: numbers of threads, separated by commas.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``.
        settings: the task's settings that are to differ.
        baseline: the reference of the ratios in a task's network.
        out: the results folder.
        rounds: how many rounds, at least 5.
        again: whether to measure again what the store holds.
        engine: ``process``, or ``inline`` to debug.
        plugins: Python files that register activations or tasks.
        listener: hears how the run goes.

    Raises:
        UsageError: if the call is wrong; nothing is written then.
        Unavailable: if the task's data is missing.
    """
    listener = listener or CostListener()
    files = load_plugins(plugins)
    if engine not in ENGINES:
        raise UsageError(f"unknown engine {engine!r}{did_you_mean(engine, ENGINES)} (engines: {', '.join(ENGINES)})")
    if count("--rounds", rounds, MOST_ROUNDS) < 5:
        raise UsageError(f"--rounds must be at least 5, not {rounds}: quartiles need five values")
    choices = select(acts, put_back)
    check_choices(choices)
    machine, resolved = environment.read()["id"], resolve_device(device)
    store = Store.open(out, write=True)
    stored = {} if again else by_key(store.costs())
    if task is None:
        plan = plan_alone(choices, cases(shapes, dtypes, modes, resolved, threads), machine, stored, rounds)
    else:
        own = resolve_device(str((settings or {}).get("device", resolved)))
        if device != "auto" and own != resolved:
            raise UsageError(f"--device {device} and --set device={own} contradict each other: give one of them")
        created = create_task(task, {"device": resolved, **(settings or {})})
        plan = plan_network(created, choices, choose(baseline), machine, stored, rounds)
        created.prepare()
    setup = Setup.of(plan.entries, files, engine)
    done = Measured(store)
    store.make()
    store.sweep()
    with terminable():
        try:
            carry_out(plan, done, engine, setup, listener)
        except KeyboardInterrupt:
            done.interrupted = True
    return done
