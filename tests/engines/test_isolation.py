"""Isolation: what an activation does to its process changes no number of any other trial, in either engine."""

import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import afbench
from afbench.campaign.run import Summary
from afbench.engines import ambient
from afbench.engines.witness import put_back
from afbench.errors import AfbenchError
from afbench.records.trial import Record, Status, Trial
from afbench.registry.entries import ACTIVATIONS, TASKS, load_plugins
from afbench.registry.selecting import select
from afbench.training.attempt import Attempt, attempt

PLUGIN = Path(__file__).parent / "neighbours.py"
SILENT = ("generators", "environment", "warnings", "collector", "recursion", "signals", "locale", "folder", "threads")
"""Neighbours whose change is put back without a word: it changes no number of a trial, which has its own seeds."""


@pytest.fixture(autouse=True)
def plugin(registries_as_they_were: None) -> Any:
    """Load the plugin anew: the registries are put back after each test."""
    return load()


def load() -> Any:
    for name in [name for name in sys.modules if name.startswith("afbench_plugin_neighbours")]:
        del sys.modules[name]
    load_plugins([PLUGIN])
    [module] = [held for name, held in sys.modules.items() if name.startswith("afbench_plugin_neighbours")]
    return module


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    """What relu and pau are without any neighbour, by spec and seed."""
    for registry in (ACTIVATIONS, TASKS):
        registry.populate()
    before = [(registry, dict(registry.entries), dict(registry.aliases)) for registry in (ACTIVATIONS, TASKS)]
    load()
    jobs = [Attempt(Trial("street", spec, seed)) for spec in ("relu", "pau") for seed in (0, 1)]
    results = {str(job.trial): result(*attempt(job)) for job in jobs}
    for registry, entries, aliases in before:
        registry.entries, registry.aliases = entries, aliases
    return results


def result(record: Record, arrays: dict[str, Any]) -> Any:
    assert record.status is Status.OK, record.reason
    hashed = {name: hash(np.asarray(value).tobytes()) for name, value in arrays.items()}
    return {**record.metrics, **record.parameters, **hashed}


def street(engine: str, neighbours: list[str], out: Path) -> Summary:
    """Run neighbours with relu before them, pau among them, and both again with another seed after them."""
    bad = [f"bad_{name}" for name in neighbours]
    acts = [*bad[: len(bad) // 2], "pau", *bad[len(bad) // 2 :]]
    return afbench.run("street", acts, seeds=2, out=out, engine=engine, plugins=[PLUGIN], jobs=2, cost=False)


def good(summary: Summary) -> dict[str, Any]:
    """Return what relu and pau became."""
    mine = [record for record in summary.new if record.trial.activation in ("relu", "pau")]
    arrays = {r.key: dict(np.load(summary.store.path / "arrays" / f"{r.key}.npz")) for r in mine}
    return {str(record.trial): result(record, arrays[record.key]) for record in mine}


def test_neighbours_in_processes_change_no_bit_of_others(tmp_path: Path, expected: dict[str, Any], plugin: Any) -> None:
    neighbours = [*plugin.LASTING, *plugin.ENDING]
    assert len(neighbours) > 20
    summary = street("process", neighbours, tmp_path)
    assert good(summary) == expected
    assert len(summary.new) == 2 * (len(neighbours) + 2)
    statuses = {record.trial.activation: record.status for record in summary.new}
    assert {statuses[f"bad_{name}"] for name in ("exit", "abort", "files", "keeper")} == {Status.LOST}


def test_neighbours_in_this_process_are_put_right_and_named(
    tmp_path: Path, expected: dict[str, Any], plugin: Any
) -> None:
    neighbours = list(plugin.LASTING)
    summary = street("inline", neighbours, tmp_path)
    assert good(summary) == expected
    told = {record.trial.activation.removeprefix("bad_"): record for record in summary.new}
    for name in neighbours:
        assert (told[name].status is Status.ERROR) is (name not in (*SILENT, "quiet")), (name, told[name].reason)
    assert "changed torch's default dtype from float32 to float64; this would" in told["default_dtype"].reason
    assert "replaced torch.nn.Linear.forward" in told["linear"].reason
    assert "replaced the registered activation 'relu'" in told["entry"].reason


@pytest.mark.parametrize("engine", ["inline", pytest.param("process", marks=pytest.mark.slow)])
def test_a_constructor_that_changes_this_process_while_planning_changes_no_bit(
    engine: str, tmp_path: Path, expected: dict[str, Any]
) -> None:
    held = torch.relu, torch.nn.functional.relu, torch.Tensor.relu, ambient.state()
    summary = street(engine, ["born"], tmp_path)
    assert (torch.relu, torch.nn.functional.relu, torch.Tensor.relu, ambient.state()) == held
    assert good(summary) == expected
    statuses = {r.trial.activation: r.status for r in summary.new}
    assert (statuses["bad_born"] is Status.ERROR) is (engine == "inline")


def test_choosing_the_trainable_ones_leaves_this_process_as_it_was() -> None:
    held = torch.relu, torch.nn.functional.relu, torch.Tensor.relu, ambient.state()
    assert "bad_born" in {choice.spec for choice in select("fixed", put_back)}
    assert (torch.relu, torch.nn.functional.relu, torch.Tensor.relu, ambient.state()) == held


def test_a_thread_left_in_this_process_ends_the_run_and_keeps_what_is_done(tmp_path: Path, plugin: Any) -> None:
    with pytest.raises(AfbenchError, match="left a thread running .*Use engine='process'"):
        street("inline", ["quiet", "thread"], tmp_path)
    plugin.STOP.set()
    records = afbench.load(tmp_path)
    assert dict(zip(records.activation, records.status, strict=True)) == {
        "relu": "ok",
        "bad_quiet": "ok",
        "pau": "ok",
        "bad_thread": "error",
    }


AMBIENT = {
    "dtype": (lambda: torch.set_default_dtype(torch.float64), lambda: torch.set_default_dtype(torch.float32)),
    "grad": (lambda: torch.set_grad_enabled(False), lambda: torch.set_grad_enabled(True)),
    "autocast": (
        lambda: torch.set_autocast_enabled("cpu", True),
        lambda: torch.set_autocast_enabled("cpu", False),
    ),
    "device": (lambda: torch.set_default_device("meta"), lambda: torch.set_default_device(None)),
    "precision": (
        lambda: torch.set_float32_matmul_precision("medium"),
        lambda: torch.set_float32_matmul_precision("highest"),
    ),
    "denormals": (lambda: torch.set_flush_denormal(True), lambda: torch.set_flush_denormal(False)),
}


def test_the_callers_own_state_changes_no_result_here_and_is_as_before(
    tmp_path: Path, expected: dict[str, Any]
) -> None:
    for change, _ in AMBIENT.values():
        change()
    hook = torch.nn.modules.module.register_module_forward_hook(lambda module, inputs, out: out * 1.01)
    try:
        before = ambient.state(), torch.get_num_threads(), random.getstate()
        summary = afbench.run("street", "pau", seeds=2, out=tmp_path, engine="inline", plugins=[PLUGIN], cost=False)
        assert (ambient.state(), torch.get_num_threads(), random.getstate()) == before
    finally:
        hook.remove()
        for _, back in AMBIENT.values():
            back()
    assert good(summary) == expected


def test_a_mode_that_is_active_here_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AfbenchError, match="a torch function mode is active; call afbench outside"):
        with torch.device("meta"):
            afbench.run("street", "pau", seeds=1, out=tmp_path, engine="inline", plugins=[PLUGIN], cost=False)
