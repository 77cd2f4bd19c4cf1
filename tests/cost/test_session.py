"""Cost runs: what is kept when, what is not measured again, and what a kill loses."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import afbench
from afbench.cost import alone, measure, rounds, work
from afbench.cost.listening import CostListener
from afbench.errors import UsageError
from afbench.kernels import library
from afbench.records import environment
from afbench.records.store import Store

SHAPE = "4x8"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A small cache, and no full garbage collection, which takes longer than these measurements."""
    monkeypatch.setattr(alone, "cache_bytes", lambda: 2**12)
    monkeypatch.setattr(rounds, "quiet", contextlib.nullcontext)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "cost"


def call(out, acts="relu,gelu", **options):
    return measure(acts, **{"shapes": SHAPE, "out": out, "rounds": 5, "engine": "inline", **options})


def names(costs):
    return sorted(cost.activation for cost in costs)


def test_costs_lie_in_the_store_with_environment_and_commit(out):
    done = call(out)
    held = {cost.activation: cost for cost in Store.open(out).costs()}
    assert names(done.new) == sorted(held) == ["gelu", "relu"]
    here = json.loads((out / "environments" / f"{held['relu'].environment}.json").read_text())
    assert here["id"] == environment.read()["id"] and here["commit"] == held["relu"].commit == environment.commit()
    assert {path.name for path in (out / "costs").iterdir()} == {f"{cost.key}.json" for cost in held.values()}


@pytest.mark.slow
def test_what_is_held_is_not_measured_again_and_what_is_missing_is(out):
    first = call(out)
    second = call(out, "relu,gelu,silu", shapes=f"{SHAPE},16")
    assert names(second.held) == ["gelu", "relu"]
    assert names(second.new) == ["gelu", "relu", "silu", "silu"]
    assert {cost.measured for cost in second.held} == {cost.measured for cost in first.new}
    third = call(out, "relu,gelu,silu", shapes=f"{SHAPE},16")
    assert not third.new and len(third.held) == 6


@pytest.mark.slow
def test_a_ratio_never_leaves_its_batch(out):
    """Who is measured later is measured beside a ReLU of its own, and says so."""
    call(out, "gelu")
    later = call(out, "gelu,silu").new[0]
    assert later.batch["activations"] == ["silu"]
    assert later.time("forward_cold").beside["relu"].samples == 5


@pytest.mark.slow
def test_again_measures_anew(out):
    call(out)
    assert len(call(out, again=True).new) == 2


@pytest.mark.slow
def test_other_versions_are_measured_anew(out, monkeypatch):
    call(out)
    monkeypatch.setattr(library, "path", lambda: "native-of-another-kind")
    assert len(call(out).new) == 2
    assert len(call(out).held) == 2


def test_failures_that_may_pass_are_tried_again(out):
    """``test_work.py`` goes through the statuses."""
    for cost, status in zip(call(out, "relu,gelu").new, ("error", "lost"), strict=True):
        Store.open(out).write_cost(cost.with_(status=status, error={"message": "so"}))
    done = call(out, "relu,gelu")
    assert names(done.new) == ["gelu"] and names(done.failed) == ["relu"]


def test_in_a_network(out):
    done = call(out, "relu,gelu", task="gmm", settings={"batch_size": 32})
    assert [cost.task for cost in done.new] == ["gmm", "gmm"]
    assert done.new[0].settings == {"batch_size": 32}
    assert done.new[1].time("inference").ratio("relu").samples == 5
    assert len(call(out, "relu,gelu", task="gmm", settings={"batch_size": 32}).held) == 2


@pytest.mark.slow
def test_batches_are_written_as_they_end(out, monkeypatch):
    seen = []

    class Watch(CostListener):
        def measured(self, cost, count, total, left):
            seen.append((len(list((out / "costs").iterdir())), count, total, left))
            if count == 3:
                raise KeyboardInterrupt

    monkeypatch.setattr(work, "BATCH", 2)
    done = call(out, "relu,gelu,silu,elu,tanh", listener=Watch())
    assert done.interrupted and len(done.new) == 3
    assert [(files, count, total) for files, count, total, _ in seen] == [(1, 1, 5), (2, 2, 5), (3, 3, 5)]
    assert all(left > 0 for *_, left in seen)
    rest = call(out, "relu,gelu,silu,elu,tanh")
    assert names(rest.held) == ["gelu", "relu", "silu"] and names(rest.new) == ["elu", "tanh"]


CRASHES = """
import os
import afbench
from torch import nn

@afbench.activation("crashes")
class Crashes(nn.Module):
    \"\"\"Ends its process.\"\"\"

    def forward(self, x):
        os._exit(9)
"""


@pytest.mark.slow
def test_who_ends_the_process_is_lost_and_nobody_else(out, tmp_path):
    plugin = tmp_path / "crashes_alone.py"
    plugin.write_text(CRASHES)
    done = call(out, "relu,crashes", engine="process", plugins=[plugin])
    assert {cost.activation: cost.status for cost in done.new} == {"relu": "ok", "crashes": "lost"}
    assert "exit code 9" in done.failed[0].reason


SCRIPT = """
import sys
import torch
torch.set_num_threads(1)  # as in these tests: an environment tells how many there are
from afbench.cost import measure, work
work.BATCH = 1
if __name__ == "__main__":
    measure("relu,gelu,silu,elu,tanh,mish,selu,celu", shapes="4x8", out=sys.argv[1], rounds=5, engine="inline")
"""


@pytest.mark.slow
def test_a_kill_loses_the_batch_in_flight_alone(out, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    process = subprocess.Popen([sys.executable, str(script), str(out)])
    deadline = time.monotonic() + 120
    while len(list((out / "costs").glob("*.json"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = {cost.activation: cost.measured for cost in Store.open(out).costs()}
    assert 2 <= len(kept) <= 8 and not Store.open(out).problems
    done = call(out, "relu,gelu,silu,elu,tanh,mish,selu,celu")
    assert {cost.activation: cost.measured for cost in done.held} == kept
    assert len(done.costs) == 8


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"acts": "rellu"}, "unknown activation 'rellu'; did you mean 'relu'?"),
        ({"task": "gm"}, "unknown task 'gm'; did you mean 'gmm'?"),
        ({"shapes": "4x"}, "--shapes takes"),
        ({"rounds": 4}, "--rounds must be at least 5, not 4"),
        ({"engine": "proces"}, "did you mean 'process'?"),
        ({"device": "abacus"}, "unknown device 'abacus'"),
    ],
)
def test_a_wrong_call_writes_nothing(out, options, said):
    with pytest.raises(UsageError, match=said.replace("?", "[?]")):
        call(out, **options)
    assert not Path(out).exists()


def test_it_is_public():
    assert afbench.cost.measure is measure
