"""A run: what comes into the folder, what is not done twice, and what is refused before anything is written."""

import contextlib
import functools
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import afbench
from afbench.campaign.plan import Pending, Plan
from afbench.campaign.run import RunListener, Summary, resolve_device
from afbench.cost import measure
from afbench.cost.work import by_key, plan_network
from afbench.engines import ENGINES, Failure
from afbench.engines.inline import inline
from afbench.errors import UsageError
from afbench.records.cost import Cost
from afbench.records.store import Store
from afbench.records.trial import Record, Status, Trial
from afbench.registry.entries import ACTIVATIONS, TASKS

PLUGIN = '''
import os, signal
import afbench, torch
from torch import nn
from afbench.models import mlp

@afbench.task("ran")
class Ran(afbench.Task):
    """The sign of a sum, MLP 2-4-2."""

    epochs: int = 2

    def data(self, rng: torch.Generator) -> afbench.Splits:
        points = torch.randn(12, 2, generator=rng)
        batch = points, (points.sum(1) > 0).long()
        return afbench.Splits(batch, batch, batch)

    def network(self, act):
        return mlp(2, 4, 2, act=act)

@afbench.activation("raises")
class Raises(nn.Module):
    """Raises."""
    def forward(self, x):
        raise ValueError("not today")

@afbench.activation("choosy_one")
class ChoosyOne(nn.Module):
    """Cannot be built."""
    def __init__(self):
        raise ValueError("not now")

@afbench.activation("choosy_two")
class ChoosyTwo(nn.Module):
    """Cannot be built either."""
    def __init__(self):
        raise ValueError("not ever")

@afbench.activation("interrupts")
class Interrupts(nn.Module):
    """Sends its own process a signal."""
    def __init__(self, sent: int = 2):
        super().__init__()
        self.sent = sent
    def forward(self, x):
        os.kill(os.getpid(), self.sent)
        return x
'''


class Heard(RunListener):
    """A listener that remembers."""

    def __init__(self) -> None:
        self.plans: list[tuple[Plan, Pending, int]] = []
        self.records: list[Record] = []
        self.costs: list[tuple[int, int]] = []
        self.warnings: list[str] = []

    def planned(self, plan: Plan, pending: Pending, jobs: int, store: Store) -> None:
        self.plans.append((plan, pending, jobs))

    def finished(self, record: Record) -> None:
        self.records.append(record)

    def measured(self, cost: Cost, count: int, total: int, left: float) -> None:
        self.costs.append((count, total))

    def warned(self, message: str) -> None:
        self.warnings.append(message)


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[Path]:
    """A file with a task and bad activations; what it registers is forgotten after."""
    file = tmp_path / "my_plugin.py"
    file.write_text(PLUGIN)
    before = [(r, dict(r.entries), dict(r.aliases)) for r in (ACTIVATIONS, TASKS) if r.names()]
    path = [*sys.path]
    yield file
    sys.path[:] = path
    for registry, entries, aliases in before:
        registry.entries, registry.aliases = entries, aliases


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def run(plugin: Path, out: Path, heard: Heard, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return ``afbench.run`` for this plugin and folder, in this process and without the cost pass.

    With the cost pass, costs have five rounds, without a full garbage collection before them.
    """
    monkeypatch.setattr("afbench.campaign.run.plan_network", functools.partial(plan_network, rounds=5))
    monkeypatch.setattr("afbench.cost.rounds.quiet", contextlib.nullcontext)

    def call(acts: str = "relu,gelu", **changes: Any) -> Summary:
        given = {"seeds": 2, "out": out, "engine": "inline", "cost": False, "plugins": [plugin], "listener": heard}
        return afbench.run("ran", acts, **given | changes)

    return call


def names(records: list[Record]) -> list[tuple[str, int]]:
    return [(record.trial.activation, record.trial.seed) for record in records]


def files(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


ALL = [("relu", 0), ("gelu", 0), ("relu", 1), ("gelu", 1)]

# What a run leaves


def test_a_run_leaves_a_record_and_arrays_of_every_trial(run: Any, out: Path) -> None:
    summary = run()
    assert names(summary.new) == ALL
    assert (len(summary.ok), summary.failed, summary.skipped, summary.interrupted) == (4, [], [], False)
    store = Store.open(out)
    assert sorted(names(store.records())) == sorted(ALL)
    for record in store.records():
        assert record.status is Status.OK
        assert 0 <= record.metrics["accuracy"] <= 100
        assert "curve/loss" in store.arrays(record.key)


def test_every_record_names_an_environment_that_is_there(run: Any, out: Path) -> None:
    run()
    [file] = (out / "environments").iterdir()
    here = json.loads(file.read_text())
    assert here["id"] == file.stem
    assert here["packages"]["torch"] == torch.__version__
    assert {record.environment for record in Store.open(out).records()} == {file.stem}


def test_nothing_is_left_but_what_the_design_names(run: Any, out: Path) -> None:
    run()
    assert {name.partition("/")[0] for name in files(out)} == {"trials", "arrays", "environments"}


def test_the_default_folder_is_results_slash_task(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run("relu", out=None, seeds=1)
    assert len(Store.open(tmp_path / "results" / "ran").records()) == 1


def test_settings_and_budget_are_part_of_the_trial(run: Any, out: Path) -> None:
    run("relu", seeds=1, settings={"lr": "0.5"}, budget="0.5")
    [record] = Store.open(out).records()
    assert record.trial == Trial("ran", "relu", 0, {"epochs": 1, "lr": 0.5})
    assert record.resolved["task"]["epochs"] == 1


def test_the_listener_hears_the_plan_and_every_trial(run: Any, heard: Heard) -> None:
    summary = run(jobs=1)
    [(plan, pending, jobs)] = heard.plans
    assert (len(plan.trials), len(pending.todo), jobs) == (4, 4, 1)
    assert heard.records == summary.new
    assert heard.warnings == []


def test_more_jobs_than_cores_are_cut_with_a_word(run: Any, heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("afbench.records.environment.cores", lambda: 2)
    run("relu", seeds=1, jobs=64)
    assert [jobs for _, _, jobs in heard.plans] == [2]
    assert heard.warnings == ["--jobs 64 exceeds the 2 cores of this machine; 2 jobs run at once"]


def test_a_trial_is_in_the_store_before_the_listener_hears_of_it(run: Any, out: Path) -> None:
    class Looking(RunListener):
        def finished(self, record: Record) -> None:
            assert record in Store.open(out).records()

    assert len(run(listener=Looking()).new) == 4


# What is not done twice


def test_a_second_call_runs_nothing_and_changes_nothing(run: Any, out: Path) -> None:
    first = run()
    before = files(out)
    second = run()
    assert (second.new, names(second.skipped)) == ([], ALL)
    assert [r.metrics for r in second.skipped] == [r.metrics for r in first.new]
    assert files(out) == before


def test_more_seeds_and_activations_run_only_what_is_new(run: Any) -> None:
    run("relu", seeds=1)
    summary = run("relu,gelu", seeds=2)
    assert names(summary.new) == ALL[1:]
    assert names(summary.skipped) == ALL[:1]


def test_a_failure_stops_nothing_and_is_a_row(run: Any, out: Path) -> None:
    summary = run("raises,relu", seeds=1)
    assert names(summary.ok) == [("relu", 0)]
    assert [(r.status, r.reason) for r in summary.failed] == [(Status.ERROR, "ValueError: not today")]
    assert len(Store.open(out).records()) == 2


def test_a_failure_that_was_there_before_is_still_told(run: Any) -> None:
    run("raises", seeds=1)
    again = run("raises", seeds=1)
    assert again.new == []
    assert names(again.failed) == [("raises", 0)]


def test_retry_tries_failures_again_and_counts_the_attempts(run: Any, out: Path) -> None:
    run("raises", seeds=1)
    again = run("raises", seeds=1, retry=True)
    assert names(again.new) == [("raises", 0)]
    assert {r.trial.activation: r.attempt for r in Store.open(out).records()} == {"raises": 2, "relu": 1}


@pytest.fixture
def aged(run: Any, monkeypatch: pytest.MonkeyPatch) -> Summary:
    """A run that was made by an earlier loop."""
    summary = run()
    monkeypatch.setattr("afbench.records.environment.LOOP", 1000)
    return summary


def test_stale_records_are_moved_aside_and_run_again(run: Any, aged: Summary, out: Path) -> None:
    old = {name: content for name, content in files(out).items() if name.startswith(("trials", "arrays"))}
    again = run()
    assert names(again.new) == ALL
    assert again.skipped == []
    assert files(out / "stale") == old
    assert {record.versions["loop"] for record in Store.open(out).records()} == {1000}


def test_keep_stale_counts_them(run: Any, aged: Summary, out: Path) -> None:
    before = files(out)
    again = run(keep_stale=True)
    assert (again.new, names(again.skipped)) == ([], ALL)
    assert files(out) == before


# What was edited


SCALES = """
import torch
from torch import nn
import afbench

@afbench.activation("scales")
class Scales(nn.Module):
    '''Scales.'''
    def forward(self, x):
        return {factor} * x
"""


@pytest.fixture
def edited(run: Any, plugin: Path, tmp_path: Path) -> Any:
    """Write an activation with another factor and run it again."""
    own = tmp_path / "own.py"

    def call(factor: float, **changes: Any) -> Summary:
        own.write_text(SCALES.format(factor=factor))
        return run("scales", plugins=[plugin, own], **changes)

    return call


def test_an_edited_activation_is_run_again_and_the_rest_is_not(edited: Any, out: Path) -> None:
    first = edited(1.0)
    again = edited(-40.0, seeds=3)
    assert names(again.new) == [("scales", 0), ("scales", 1), ("relu", 2), ("scales", 2)]
    assert names(again.skipped) == [("relu", 0), ("relu", 1)]
    losses = {r.trial.seed: r.metrics for r in first.new if r.trial.activation == "scales"}
    assert all(r.metrics != losses[r.trial.seed] for r in again.new[:2])
    assert len([*(out / "stale" / "trials").iterdir()]) == 2
    sources = {(r.trial.activation, r.source) for r in Store.open(out).records()}
    assert len(sources) == 2, "each activation's records are all of one source"


def test_an_edit_and_its_undoing_keep_all_that_was_made(edited: Any, out: Path) -> None:
    for factor in (1.0, 2.0, 1.0):
        edited(factor, seeds=1)
    stale = [json.loads(file.read_text())["source"] for file in sorted((out / "stale" / "trials").iterdir())]
    assert len(set(stale)) == 2


def test_keep_stale_keeps_results_of_the_edited_code_as_what_they_are(edited: Any, out: Path) -> None:
    edited(1.0)
    again = edited(2.0, seeds=3, keep_stale=True)
    assert names(again.new) == [("relu", 2), ("scales", 2)]
    assert len({r.source for r in Store.open(out).records() if r.trial.activation == "scales"}) == 2


def test_a_comment_is_no_edit(edited: Any) -> None:
    assert len(edited("1.0").new) == 4
    assert edited("(  1.0  )").new == []


@pytest.mark.slow
def test_a_cost_of_edited_code_is_measured_anew(edited: Any, out: Path) -> None:
    edited(1.0, seeds=1, cost=True)
    before = {cost.activation: cost for cost in Store.open(out).costs()}
    edited(2.0, seeds=1, cost=True)
    after = {cost.activation: cost for cost in Store.open(out).costs()}
    assert after["relu"] == before["relu"]
    assert after["scales"].source != before["scales"].source


# What is odd


def test_a_file_that_is_no_record_is_warned_of_and_left_alone(run: Any, out: Path, heard: Heard) -> None:
    (out / "trials").mkdir(parents=True)
    (out / "trials" / "notes.json").write_text("not JSON")
    assert len(run().ok) == 4
    [warning] = heard.warnings
    assert "notes.json" in warning
    assert "the file stays" in warning
    assert (out / "trials" / "notes.json").read_text() == "not JSON"


def test_another_result_that_appears_meanwhile_is_kept_and_warned_of(run: Any, out: Path) -> None:
    other = Record(Trial("ran", "gelu", 0), Status.OK, metrics={"accuracy": -1.0})

    class Meddling(Heard):
        def finished(self, record: Record) -> None:
            if record.trial.activation == "relu":
                Store.open(out).write(other)

    heard = Meddling()
    run(seeds=1, listener=heard)
    [warning] = heard.warnings
    assert other.key in warning
    assert other in Store.open(out).records()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_run_and_keeps_what_is_done(run: Any, out: Path, sent: signal.Signals) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with it ignored
    before = signal.getsignal(sent)
    summary = run(f"relu,interrupts[sent={int(sent)}],gelu", seeds=1, cost=True)
    assert summary.interrupted
    assert names(summary.new) == names(Store.open(out).records()) == [("relu", 0)]
    assert signal.getsignal(sent) is before


def test_costs_are_measured_of_what_is_ok_and_once(run: Any, out: Path) -> None:
    heard = Heard()
    run("relu,gelu,raises", seeds=1, cost=True, listener=heard)
    costs = Store.open(out).costs()
    assert {cost.activation: cost.status for cost in costs} == {"relu": "ok", "gelu": "ok"}
    assert heard.costs == [(1, 2), (2, 2)]
    before, heard = files(out), Heard()
    run("relu,gelu,raises", seeds=1, cost=True, listener=heard)
    assert heard.costs == []
    assert files(out) == before


def test_the_costs_of_a_run_are_those_of_the_verb_cost(run: Any, out: Path, plugin: Path, tmp_path: Path) -> None:
    run("relu,gelu", seeds=1, cost=True)
    given = {"task": "ran", "engine": "inline", "plugins": [plugin]}
    again = measure("relu,gelu", out=out, **given)
    assert not again.new and by_key(again.held) == by_key(Store.open(out).costs()) and len(again.held) == 2
    measured = measure("relu,gelu", out=tmp_path / "cost", rounds=5, **given).new
    for cost, other in zip(sorted(again.held, key=lambda c: c.key), sorted(measured, key=lambda c: c.key), strict=True):
        assert cost.to_dict().keys() == other.to_dict().keys() and cost.times.keys() == other.times.keys()
        assert (cost.key, cost.saved, cost.parameters) == (other.key, other.saved, other.parameters)
        assert [t.ratios.keys() for t in cost.times.values()] == [t.ratios.keys() for t in other.times.values()]
    heard = Heard()
    (out / "costs").rename(out / "kept")
    (tmp_path / "cost" / "costs").rename(out / "costs")
    run("relu,gelu", seeds=1, cost=True, listener=heard)
    assert heard.costs == []


def test_the_cost_pass_honours_the_engine(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    used = []

    def engine(work: Any, items: Any, **options: Any) -> Iterator[Any]:
        used.append(work.__name__)
        yield from inline(work, items, **options)

    monkeypatch.setitem(ENGINES, "mine", engine)
    run("relu", seeds=1, cost=True, engine="mine")
    assert used == ["attempt", "measure_job"]


def test_a_cost_that_fails_leaves_a_record_and_a_warning(run: Any, out: Path, heard: Heard, monkeypatch: Any) -> None:
    def engine(work: Any, items: Any, **options: Any) -> Iterator[Any]:
        if work.__name__ == "attempt":
            yield from inline(work, items, **options)
        else:
            yield from ((item, Failure("lost", "its process died (exit code 9)")) for item in items)

    monkeypatch.setitem(ENGINES, "dies", engine)
    run("relu", seeds=1, cost=True, engine="dies")
    (cost,) = Store.open(out).costs()
    assert (cost.activation, cost.status, cost.reason) == ("relu", "lost", "its process died (exit code 9)")
    assert (cost.task, cost.device, cost.threads) == ("ran", "cpu", 1) and not cost.times
    assert heard.warnings == ["no cost for relu: lost its process died (exit code 9)"]
    assert heard.costs == [(1, 1)]


# What is refused, with nothing written


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"acts": "rellu"}, "did you mean 'relu'"),
        ({"acts": "relu,-relu"}, "no activation is selected"),
        ({"acts": "relu["}, "relu"),
        ({"acts": "leaky_relu[slope=steep]"}, "slope must be a float"),
        ({"baseline": "rellu"}, "did you mean 'relu'"),
        ({"seeds": 0}, "--seeds must be at least 1, not 0"),
        ({"jobs": 0}, "--jobs must be at least 1, not 0"),
        ({"timeout": 0}, "--timeout must be above 0"),
        ({"timeout": float("nan")}, "--timeout must be above 0"),
        ({"engine": "proces"}, "did you mean 'process'"),
        ({"settings": {"epoch": 3}}, "did you mean 'epochs'"),
        ({"settings": {"epochs": "many"}}, "epochs must be an int"),
        ({"settings": {"epochs": 0}}, "epochs must be"),
        ({"budget": "huge"}, "--budget takes default, smoke or"),
        ({"device": "tpu9"}, "device 'tpu9'"),
        ({"device": "meta"}, "unknown device 'meta'"),
        ({"seeds": 2.5}, "--seeds must be an integer, not 2.5"),
        ({"seeds": "3"}, "--seeds must be an integer, not '3'"),
        ({"seeds": True}, "--seeds must be an integer, not True"),
        ({"jobs": 1.5}, "--jobs must be an integer"),
        ({"settings": {"epochs": 1e23}}, "epochs must be an int"),
        ({"acts": [f"leaky_relu[slope=0.{i:04}]" for i in range(1, 9999)], "seeds": 9999}, "more than 200000 trials"),
        ({"acts": "choosy_one,choosy_two"}, "choosy_one: not now; choosy_two: not ever"),
        ({"plugins": ["none.py"]}, "plugin .*none.py not found"),
    ],
)
def test_a_wrong_call_says_what_would_be_right_and_writes_nothing(
    run: Any, out: Path, wrong: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        run(**wrong)
    assert not out.exists()


def test_an_unknown_task_writes_nothing(plugin: Path, out: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'ran'"):
        afbench.run("rann", "relu", out=out, plugins=[plugin])
    assert not out.exists()


def test_a_folder_that_is_a_file_is_refused(run: Any, out: Path) -> None:
    out.write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        run()
    assert out.read_text() == "mine"


@pytest.mark.parametrize("content", ["not JSON", json.dumps({"schema": 2, "key": "x"})])
def test_a_planned_place_that_is_taken_by_something_else_is_refused(run: Any, out: Path, content: str) -> None:
    file = out / "trials" / f"{Trial('ran', 'gelu', 1).key}.json"
    file.parent.mkdir(parents=True)
    file.write_text(content)
    with pytest.raises(UsageError, match=file.name):
        run()
    assert files(out) == {f"trials/{file.name}": content.encode()}


@pytest.mark.parametrize("device", ["cuda:99", "cuda"] if not torch.cuda.is_available() else ["cuda:99"])
def test_a_device_that_is_not_here_is_refused(device: str) -> None:
    with pytest.raises(UsageError, match="is not available"):
        resolve_device(device)


def test_auto_is_the_gpu_if_there_is_one() -> None:
    assert resolve_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    assert resolve_device("cpu") == "cpu"


def test_the_number_of_jobs_is_that_of_the_cores_over_the_threads(run: Any, heard: Heard) -> None:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    run("relu", seeds=1)
    run("relu", seeds=1, settings={"threads": cores})
    assert [jobs for _, _, jobs in heard.plans] == [cores, 1]
