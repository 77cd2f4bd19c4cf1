"""The plan: which trials, in which order, and what of them the store has already settled."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pytest
import torch
from torch import nn

import afbench
from afbench.campaign import plan
from afbench.campaign.plan import Pending, Plan
from afbench.errors import UsageError
from afbench.records.checks import NewerSchema
from afbench.records.environment import versions
from afbench.records.store import Store
from afbench.records.trial import Record, Status, Trial
from afbench.registry.entries import TASKS
from afbench.tasks.base import create_task


@pytest.fixture(autouse=True)
def toy() -> Iterator[None]:
    """Register a task for the length of a test."""

    @afbench.task("toy")
    class Toy(afbench.Task):
        """Nothing that is ever trained."""

        size: Annotated[int, afbench.Range(at_least=1)] = 4

        def data(self, rng: torch.Generator) -> afbench.Splits:
            raise AssertionError("a plan makes no data")

        def network(self, act: object) -> nn.Module:
            raise AssertionError("a plan builds no network")

    yield
    del TASKS.entries["toy"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path, write=True)


def make(acts: str = "relu,gelu", seeds: int = 2, baseline: str = "relu", **settings: object) -> Plan:
    return plan.make_plan(create_task("toy", settings), acts, seeds, baseline)


def leave(store: Store, made: Plan, status: Status = Status.OK, of: int = 0, **changes: object) -> Record:
    """Put into the store what the trial number ``of`` would have left today."""
    trial = made.trials[of]
    error = None if status is Status.OK else {"type": "", "message": "", "traceback": ""}
    current = versions(made.choice(trial).entry, made.task.version)
    source = made.sources[trial.activation]
    record = Record(trial, status, versions=current, source=source, error=error).with_(**changes)
    store.write(record)
    return record


def older(made: Plan, name: str, of: int = 0) -> dict[str, object]:
    """Versions of which one is not today's."""
    return versions(made.choice(made.trials[of]).entry, made.task.version) | {name: 0}


def left(found: Pending) -> tuple[int, int, int]:
    return len(found.todo), len(found.done), len(found.stale)


# Making it


def test_trials_go_seed_by_seed() -> None:
    order = [(t.seed, t.activation) for t in make("relu,gelu", seeds=2).trials]
    assert order == [(0, "relu"), (0, "gelu"), (1, "relu"), (1, "gelu")]


def test_a_trial_holds_the_canonical_spec_and_only_settings_that_differ() -> None:
    first = make("leaky_relu[slope=1]", 1, "leaky_relu[slope=1]", size="5", lr=0.001, epochs=30).trials[0]
    assert first == Trial("toy", "leaky_relu[slope=1.0]", 0, {"size": 5})


def test_the_same_settings_given_differently_make_the_same_keys() -> None:
    one = make("leaky_relu[slope=2],relu", lr="0.5", size=7)
    other = make("leaky_relu[slope=2.0],relu", size="7", lr=0.5)
    assert [t.key for t in one.trials] == [t.key for t in other.trials]


def test_the_baseline_is_added_first_if_it_was_not_chosen() -> None:
    made = make("gelu", seeds=1)
    assert [t.activation for t in made.trials] == ["relu", "gelu"]
    assert made.added_baseline


def test_the_baseline_is_not_added_twice() -> None:
    made = make("gelu,relu", seeds=1)
    assert [t.activation for t in made.trials] == ["gelu", "relu"]
    assert not made.added_baseline


def test_the_baseline_may_be_any_spec() -> None:
    made = make("relu", 1, "leaky_relu[slope=0.2]")
    assert made.baseline.spec == "leaky_relu[slope=0.2]"
    assert [t.activation for t in made.trials] == ["leaky_relu[slope=0.2]", "relu"]


def test_a_trial_finds_its_activation() -> None:
    made = make("gelu,leaky_relu[slope=0.2]", seeds=1)
    assert [made.choice(t).spec for t in made.trials] == [t.activation for t in made.trials]


@pytest.mark.parametrize("seeds", [0, -1])
def test_fewer_than_one_seed_is_refused(seeds: int) -> None:
    with pytest.raises(UsageError, match=f"--seeds must be at least 1, not {seeds}"):
        make(seeds=seeds)


@pytest.mark.parametrize("acts", ["rellu", "relu,-relu", "leaky_relu[slpe=1]", "leaky_relu[slope=x]", "", "tag:nope"])
def test_what_selects_nothing_or_is_wrong_is_refused(acts: str) -> None:
    with pytest.raises(UsageError):
        make(acts)


def test_a_wrong_baseline_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'relu'"):
        make(baseline="rellu")


def test_settings_that_only_the_constructor_can_judge_are_refused_before_anything_runs() -> None:
    @afbench.activation("choosy_for_plan")
    class Choosy(nn.Module):
        """Wants a below b."""

        def __init__(self, a: float = 0.0, b: float = 1.0) -> None:
            super().__init__()
            if not a < b:
                raise ValueError(f"a must lie below b, not a={a}, b={b}")

    try:
        with pytest.raises(UsageError, match="a must lie below b"):
            make("choosy_for_plan[a=2,b=-1]")
    finally:
        del afbench.registry.entries.ACTIVATIONS.entries["choosy_for_plan"]


# Against the store


def test_everything_is_to_do_where_there_is_no_folder_yet(tmp_path: Path) -> None:
    made = make()
    found = plan.pending(made, Store.open(tmp_path / "none", write=True))
    assert found.todo == [(trial, 1) for trial in made.trials]
    assert left(found) == (4, 0, 0)


@pytest.mark.parametrize("status", [Status.OK, Status.DIVERGED, Status.ERROR])
def test_what_would_end_the_same_way_is_not_run_again(store: Store, status: Status) -> None:
    made = make()
    record = leave(store, made, status, of=1)
    found = plan.pending(made, store)
    assert found.done == [record]
    assert [trial for trial, _ in found.todo] == [made.trials[i] for i in (0, 2, 3)]


@pytest.mark.parametrize("status", [Status.LOST, Status.OOM, Status.TIMEOUT, Status.UNAVAILABLE])
def test_what_may_end_differently_is_run_again_as_the_next_attempt(store: Store, status: Status) -> None:
    made = make(seeds=1)
    leave(store, made, status, attempt=3)
    found = plan.pending(made, store)
    assert found.todo == [(made.trials[0], 4), (made.trials[1], 1)]
    assert found.done == []


def test_retry_runs_every_failure_again_and_nothing_that_is_ok(store: Store) -> None:
    made = make()
    for of, status in enumerate([Status.OK, Status.DIVERGED, Status.ERROR, Status.LOST]):
        leave(store, made, status, of)
    found = plan.pending(made, store, retry=True)
    assert found.todo == [(made.trials[1], 2), (made.trials[2], 2), (made.trials[3], 2)]
    assert [record.trial for record in found.done] == [made.trials[0]]


def test_trials_of_other_settings_do_not_count(store: Store) -> None:
    leave(store, make(size=5))
    assert left(plan.pending(make(), store)) == (4, 0, 0)


def test_records_outside_the_plan_are_passed_over(store: Store) -> None:
    leave(store, make("tanh", seeds=9), of=17)
    assert left(plan.pending(make(), store)) == (4, 0, 0)


@pytest.mark.parametrize("name", ["task", "activation", "loop"])
@pytest.mark.parametrize("status", [Status.OK, Status.ERROR, Status.LOST])
def test_a_record_of_other_versions_is_stale_and_starts_over(store: Store, name: str, status: Status) -> None:
    made = make()
    record = leave(store, made, status, versions=older(made, name), attempt=2)
    found = plan.pending(made, store)
    assert found.stale == [record]
    assert found.todo[0] == (made.trials[0], 1)
    assert found.done == []


@pytest.mark.parametrize("name", ["afbench", "torch", "kernels"])
def test_other_versions_of_libraries_make_nothing_stale(store: Store, name: str) -> None:
    made = make()
    leave(store, made, versions=older(made, name))
    assert left(plan.pending(made, store)) == (3, 1, 0)


def test_keep_stale_counts_records_of_other_versions(store: Store) -> None:
    made = make()
    record = leave(store, made, versions=older(made, "activation"))
    found = plan.pending(made, store, keep_stale=True)
    assert found.done == [record]
    assert left(found) == (3, 1, 0)


def test_keep_stale_still_runs_what_was_lost(store: Store) -> None:
    made = make()
    leave(store, made, Status.LOST, versions=older(made, "loop"))
    found = plan.pending(made, store, keep_stale=True)
    assert found.todo[0] == (made.trials[0], 2)


def test_a_raised_version_makes_what_is_there_stale(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make()
    leave(store, made)
    assert left(plan.pending(made, store)) == (3, 1, 0)
    monkeypatch.setattr(type(made.task), "version", 2)
    assert left(plan.pending(made, store)) == (4, 0, 1)


@pytest.mark.parametrize("source", ["", "task=0123456789abcdef", "activation=0123456789abcdef task=0123456789abcdef"])
def test_a_record_of_another_source_is_stale_also_one_from_before_sources_were_kept(store: Store, source: str) -> None:
    made = make()
    assert made.sources["relu"].startswith("task="), "the task of this file does not come with afbench"
    record = leave(store, made, source=source)
    assert left(plan.pending(made, store)) == (4, 0, 1)
    kept = plan.pending(made, store, keep_stale=True)
    assert left(kept) == (3, 1, 0)
    assert kept.kept == [record]


def test_comparing_moves_nothing(store: Store) -> None:
    made = make()
    record = leave(store, made, versions=older(made, "loop"))
    plan.pending(made, store)
    assert store.records() == [record]


@pytest.mark.parametrize("content", ["not JSON", "{}"])
def test_a_file_that_is_no_record_in_a_planned_place_is_refused(store: Store, content: str) -> None:
    made = make()
    file = store.path / "trials" / f"{made.trials[2].key}.json"
    file.parent.mkdir()
    file.write_text(content)
    with pytest.raises(UsageError, match=f"{file.name}.*move it away to run relu seed 1 again"):
        plan.pending(made, store)
    assert file.read_text() == content


def test_a_file_that_is_no_record_elsewhere_stops_nothing(store: Store) -> None:
    (store.path / "trials").mkdir()
    (store.path / "trials" / "notes.json").write_text("not JSON")
    assert left(plan.pending(make(), store)) == (4, 0, 0)
    assert "notes" in store.problems


def test_a_record_of_a_newer_schema_is_refused(store: Store) -> None:
    (store.path / "trials").mkdir()
    (store.path / "trials" / "future.json").write_text(json.dumps({"schema": 2}))
    with pytest.raises(NewerSchema, match="future.json"):
        plan.pending(make(), store)
