"""The verdicts on two folders, and the sentences about what is refused."""

import json

import pytest

from afbench.compare import Verdict, compare
from afbench.errors import UsageError


def both(a, b):
    for folder in (a, b):
        folder.environment()


def test_slower_faster_and_unchanged_times(a, b, verdicts):
    both(a, b)
    for name, seconds, factor in (("pau", 2e-3, 1.2), ("gelu", 2e-3, 0.8), ("relu", 2e-3, 1.01)):
        a.cost(name, seconds)
        b.cost(name, factor * seconds, copy=2.0 * factor, commit="b" * 40)
    found = compare(a.path, b.path)
    held = verdicts(found)
    assert held["pau", "forward, cold"] == "slower"
    assert held["gelu", "forward, cold"] == "faster"
    assert held["relu", "forward, cold"] == "unchanged"
    assert [c.activation for c in found.regressions] == ["pau"]
    assert found.regressions[0].effect == pytest.approx(1.2) and found.regressions[0].low > 1
    assert (found.a.commits, found.b.commits) == (("a" * 40,), ("b" * 40,))


def test_the_threshold_is_a_share_of_either_direction(a, b):
    both(a, b)
    a.cost("pau")
    b.cost("pau", 1.08 * 2e-3, copy=2.16, spread=0.005)
    assert compare(a.path, b.path).regressions
    assert not compare(a.path, b.path, threshold=0.1).regressions
    with pytest.raises(UsageError, match="threshold must be at least 0"):
        compare(a.path, b.path, threshold=-1)


def test_a_wide_interval_is_no_change(a, b, verdicts):
    both(a, b)
    a.cost("pau", spread=0.6)
    b.cost("pau", 1.1 * 2e-3, copy=2.2, spread=0.6)
    assert verdicts(compare(a.path, b.path))["pau", "forward, cold"] == "unchanged"


def test_an_unstable_figure_is_named_and_never_counted(a, b):
    both(a, b)
    a.cost("pau")
    b.cost("pau", 4e-3, copy=4.0, unstable=["quartiles 25 % apart"])
    found = compare(a.path, b.path)
    assert not found.regressions
    (change,) = [c for c in found.changes if c.verdict is Verdict.UNCLEAR]
    assert change.reason == "unstable in B: quartiles 25 % apart" and change.unstable


def test_a_machine_that_was_busier_makes_nothing_slower(a, b):
    both(a, b)
    a.cost("pau")
    b.cost("pau", 2.6e-3, copy=2.0)  # 1.3 times the seconds, the same beside a copy
    (change,) = [c for c in compare(a.path, b.path).changes if c.kind == "time"]
    assert (change.verdict, change.reason) == (Verdict.UNCLEAR, "relative to a copy in the same rounds it is 1.00x")


def test_a_step_in_a_network_is_judged_beside_its_baseline(a, b, verdicts):
    both(a, b)
    a.network("pau").network("relu", ratio=1.0)
    b.network("pau", 2.6e-3, 1.95).network("relu", 2.6e-3, ratio=1.0)
    held = verdicts(compare(a.path, b.path))
    assert (held["pau", "training step"], held["relu", "training step"]) == ("slower", "unclear")


def test_an_old_network_cost_without_quartiles_of_seconds_is_judged_by_its_ratio(a, b):
    both(a, b)
    for folder, ratio in ((a, 1.5), (b, 2.0)):
        step = {"ratio": ratio, "quartiles": [ratio, ratio], "rounds": 15, "seconds": ratio * 1e-3}
        folder.network("pau", step=step)
    (change,) = compare(a.path, b.path).regressions
    assert change.verdict is Verdict.SLOWER and change.effect == change.low == pytest.approx(4 / 3)
    assert change.reason == "judged by its ratio to relu, because the file keeps no spread of its seconds"


def test_bytes_are_counted_not_sampled(a, b, verdicts):
    both(a, b)
    a.cost("pau", saved=4000).cost("relu", saved=0).cost("gelu", saved=0)
    b.cost("pau", saved=4400).cost("relu", saved=0).cost("gelu", saved=8)
    held = verdicts(compare(a.path, b.path))
    assert [held[name, "saved for backward"] for name in ("pau", "relu", "gelu")] == ["heavier", "unchanged", "heavier"]
    json.dumps(compare(a.path, b.path).to_json(), allow_nan=False)


def test_scores_are_paired_over_the_seeds_that_both_hold(a, b):
    # B - A over seeds 1, 2, 3: -1, -2, -3. Mean -2, standard error 1 / sqrt(3), t(0.975, 2) = 4.302653
    a.trials("pau", [50.0, 91.0, 93.0, 95.0])
    b.trials("pau", [90.0, 91.0, 92.0], seeds=[1, 2, 3])
    (change,) = [c for c in compare(a.path, b.path).changes if c.kind == "score"]
    assert (change.effect, change.n, change.a, change.b) == (-2.0, 3, 93.0, 91.0)
    assert (change.low, change.high) == pytest.approx((-2 - 4.302653 / 3**0.5, -2 + 4.302653 / 3**0.5), abs=1e-5)
    assert change.verdict is Verdict.UNCHANGED


@pytest.mark.parametrize(("higher", "verdict"), [(True, "worse"), (False, "better")])
def test_the_direction_is_the_tasks(a, b, verdicts, higher, verdict):
    about = {"metric": "accuracy", "higher_is_better": higher}
    a.trials("pau", [90.0, 92.0, 94.0, 91.0], about=about)
    b.trials("pau", [89.0, 90.9, 93.1, 90.0], about=about)
    assert verdicts(compare(a.path, b.path))["pau", "accuracy"] == verdict


def test_from_twenty_seeds_on_it_is_a_bootstrap(a, b):
    import numpy as np

    rng = np.random.default_rng(0)
    gains = rng.exponential(size=30) - 2.0
    a.trials("pau", [90.0] * 30)
    b.trials("pau", list(90.0 + gains))
    (change,) = [c for c in compare(a.path, b.path).changes if c.kind == "score"]
    means = rng.choice(gains, size=(20_000, 30)).mean(axis=1)
    assert (change.low, change.high) == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.15)
    assert change.verdict is Verdict.WORSE


def test_the_same_numbers_are_unchanged(a, b):
    for folder in (a, b):
        folder.environment().trials("pau", [90.0, 92.0, 93.0]).cost("pau").network("relu")
    assert set(compare(a.path, b.path).counts.items()) >= {(Verdict.UNCHANGED, 6)}
    assert not compare(a.path, b.path).regressions


def test_one_common_seed_says_nothing(a, b):
    a.trials("pau", [90.0, 92.0])
    b.trials("pau", [50.0])
    (change,) = [c for c in compare(a.path, b.path).changes if c.kind == "score"]
    assert change.verdict is Verdict.UNCLEAR and change.reason == "1 common seed with a number, 2 are needed"


def test_what_began_to_fail_is_broken(a, b):
    both(a, b)
    a.trials("pau", [90.0, 92.0, 93.0]).cost("pau")
    b.trials("pau", [90.0, 92.0, None]).cost("pau", status="error", error={"message": "boom"})
    broken = [c for c in compare(a.path, b.path).regressions if c.verdict is Verdict.BROKEN]
    assert [c.reason for c in broken] == [
        "1 of 3 seeds failed in B only; seed 2: diverged at step 3",
        "error in B: boom",
    ]
    back = compare(b.path, a.path)
    assert back.counts[Verdict.MENDED] == 2 and not back.regressions


def test_what_was_killed_is_unclear_not_broken(a, b):
    both(a, b)
    a.cost("pau")
    b.cost("pau", status="oom", error={"message": "no room"})
    (change,) = compare(a.path, b.path).changes
    assert (change.verdict, change.reason) == (Verdict.UNCLEAR, "oom in B: no room")


def test_training_times_are_shown_and_never_counted(a, b):
    both(a, b)
    a.trials("pau", [90.0, 92.0, 93.0])
    b.trials("pau", [90.0, 92.0, 93.0], seconds=6.0)
    found = compare(a.path, b.path)
    (change,) = [c for c in found.changes if c.kind == "trial time"]
    assert change.verdict is Verdict.UNCLEAR and change.effect == pytest.approx(4.0) and not found.regressions


def test_what_one_side_alone_holds_is_counted(a, b):
    both(a, b)
    a.cost("pau").cost("relu").trials("gelu", [1.0, 2.0])
    b.cost("pau")
    found = compare(a.path, b.path)
    assert (found.only_a, found.only_b) == (2, 0)


def test_of_several_costs_of_a_case_the_newest_counts(a, b):
    both(a, b)
    a.cost("pau", 9e-3, copy=9.0, key="old").cost("pau", measured="2026-02-01T00:00:00+00:00")
    b.cost("pau")
    assert not [c for c in compare(a.path, b.path).changes if c.verdict is not Verdict.UNCHANGED]


def test_half_written_and_damaged_files_are_left_out_and_named(a, b):
    both(a, b)
    a.cost("pau").spoil("costs", "half.json").spoil("trials", "half.json").spoil("costs", ".x.json.1.tmp")
    b.cost("pau").spoil("environments", "e9.json")
    found = compare(a.path, b.path)
    assert sorted(problem.split(": ")[1] for problem in found.problems) == [
        "not JSON (line 1",
        "not JSON (line 1",
    ]
    assert (found.a.costs, found.a.trials) == (1, 0)


# What cannot be compared.


def refusal(a, b):
    with pytest.raises(UsageError) as caught:
        compare(a.path, b.path)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    "machine", [{"processor": "Epyc"}, {"cores": 8}, {"cuda": ["A100"]}, {"memory_bytes": 64 * 2**30}]
)
def test_times_of_another_machine_are_refused(a, b, machine):
    a.environment().cost("pau")
    b.environment("e2", machine).cost("pau", environment="e2")
    text = refusal(a, b)
    assert f"the machines differ: Xeon, 2 cores, 16 GiB in A, {machine.get('processor', 'Xeon')}" in text
    assert "their metrics may come from different machines, their times may not" in text


def test_a_new_kernel_and_torch_on_one_machine_are_said_and_refuse_nothing(a, b):
    a.environment().cost("pau")
    b.environment("e2", {"release": "6.2", "memory_bytes": 16 * 2**30 - 2**20}, packages={"torch": "2.14.0"})
    b.cost("pau", environment="e2")
    assert compare(a.path, b.path).notes == ("changed from A to B: torch 2.13.0 -> 2.14.0, kernel release 6.1 -> 6.2",)


def test_machines_that_nobody_described_are_refused(a, b):
    a.cost("pau")
    b.cost("pau", environment="e2")
    assert "the machines may differ: environment e1 without a description" in refusal(a, b)


def test_metrics_of_another_machine_are_compared_and_times_are_not(a, b, verdicts):
    a.environment().cost("pau").trials("pau", [90.0, 92.0, 93.0])
    b.environment("e2", {"cores": 8}).cost("pau", environment="e2")
    b.trials("pau", [80.0, 82.1, 83.0], environment="e2")
    found = compare(a.path, b.path)
    assert verdicts(found) == {("pau", "accuracy"): "worse"}
    assert found.refused[0].startswith("the machines differ") and found.refused[0].endswith("(1 cost)")
    assert found.notes[-1].startswith("training times of gmm are not compared: the machines differ")


def test_training_times_of_another_concurrency_are_refused(a, b):
    a.environment().trials("pau", [90.0, 92.0])
    b.environment().trials("pau", [90.0, 92.0], concurrency=4)
    found = compare(a.path, b.path)
    assert found.notes == ("training times of gmm are not compared: the number of jobs differs: 1 in A, 4 in B",)
    assert not [c for c in found.changes if c.kind == "trial time"]


def test_costs_of_another_concurrency_are_refused(a, b):
    both(a, b)
    a.cost("pau")
    b.cost("pau", concurrency=2)
    assert "the number of jobs differs: 1 in A, 2 in B" in refusal(a, b)


def test_another_schema_is_refused(a, b):
    both(a, b)
    a.cost("pau")
    b.cost("pau", schema=3)
    assert "schema 3 is newer than this afbench reads (2): upgrade afbench" in refusal(a, b)
    b.spoil("trials", "x.json", {"schema": 9})
    assert "schema 9 is newer than this afbench reads (1): upgrade afbench" in refusal(a, b)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"device": "cuda:0"}, "device cpu in A, cuda:0 in B"),
        ({"dtype": "bfloat16"}, "dtype float32 in A, bfloat16 in B"),
        ({"threads": 2}, "threads 1 in A, 2 in B"),
        ({"mode": "compile"}, "mode eager in A, compile in B"),
        ({"shape": [5, 8]}, "shape 4x8 in A, 5x8 in B"),
        ({"activation": "gelu"}, "activation pau in A, gelu in B"),
    ],
)
def test_costs_without_a_common_case_say_in_what_they_differ(a, b, changes, said):
    both(a, b)
    a.cost("pau")
    b.cost(**{"activation": "pau", **changes})
    assert f"no cost of A has the same case as one of B: {said}. Both folders need" in refusal(a, b)


def test_another_kernels_path_is_refused(a, b):
    both(a, b)
    a.cost("pau")
    b.cost("pau", versions={"kernels": "native"})
    assert "the kernels path differs: plain in A, native in B (1 cost). Both folders need" in refusal(a, b)


def test_other_tasks_settings_devices_and_dtypes_are_refused(a, b):
    a.trials("pau", [90.0])
    b.trials("pau", [90.0], resolved={"task": {"device": "cuda", "dtype": "float32"}})
    assert "no common task, settings, device and dtype: gmm@cpu/float32 in A, gmm@cuda/float32 in B" in refusal(a, b)


def test_other_metrics_activations_and_seeds_are_refused(a, b, tmp_path):
    a.trials("pau", [90.0])
    b.trials("pau", [90.0], about={"metric": "mse", "higher_is_better": False})
    assert "the metric of gmm differs: accuracy in A, MSE in B" in refusal(a, b)
    c, d = type(a)(tmp_path / "c").trials("gelu", [90.0]), type(a)(tmp_path / "d").trials("pau", [90.0], seeds=[7])
    assert "trials of gmm have no common activation" in refusal(a, c)
    assert "trials of gmm pau have no common seed: 0 in A, 7 in B" in refusal(a, d)


def test_trials_against_costs_and_a_folder_against_itself_are_refused(a, b):
    a.trials("pau", [90.0])
    b.cost("pau")
    assert "A holds trials, B holds costs" in refusal(a, b)
    assert "are the same folder" in refusal(a, a)


def test_a_task_whose_results_changed_is_said(a, b):
    a.environment().trials("pau", [90.0, 91.0], versions={"task": 1})
    b.environment().trials("pau", [90.0, 91.0], versions={"task": 2})
    assert compare(a.path, b.path).notes == (
        "gmm: the version of the task is 1 in A, 2 in B, so its results are expected to differ",
    )
