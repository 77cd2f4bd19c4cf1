import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit

from afbench.records.wording import ranges
from afbench.report.summary import tables
from afbench.report.tables.rows import Published

T2 = 4.302653  # t(0.975, 2)


def one(store, **kwargs):
    (table,) = tables(store, **kwargs)
    return table


def rows(table):
    return {row.activation: row for row in table.rows}


def said(table, activation):
    return [table.footnotes[mark - 1] for mark in rows(table)[activation].marks]


def test_a_table_worked_by_hand(store, worked):
    # relu 90 92 94: mean 92, deviation 2; pau 91 94 97: mean 94, deviation 3; differences 1 2 3: mean 2, deviation 1
    table = one(store)
    assert [row.activation for row in table.rows] == ["pau", "relu"]
    pau, relu = table.rows
    assert (pau.mean.mean, relu.mean.mean) == (94.0, 92.0)
    for row, values in ((relu, [90, 92, 94]), (pau, [91, 94, 97])):  # accuracy lies within 0 and 100: log-odds
        odds, slope = logit(np.mean(values) / 100), 100 / (np.mean(values) * (100 - np.mean(values)))
        half = T2 * np.std(values, ddof=1) / 3**0.5 * slope
        assert (row.mean.low, row.mean.high) == pytest.approx(
            (100 * expit(odds - half), 100 * expit(odds + half)), 1e-6
        )
    assert (pau.versus.low, pau.versus.high) == pytest.approx((2 - T2 / 3**0.5, 2 + T2 / 3**0.5), abs=1e-5)
    assert pau.versus.n == 3 and pau.p == pau.p_holm == 2 / 8 and not pau.significant
    assert relu.versus is None and relu.is_baseline and math.isnan(relu.p)
    assert pau.best and relu.best  # the difference to the best, -2, has an interval that contains 0
    assert (pau.parameters, relu.parameters) == (20, 0)
    assert (table.comparisons, table.testable, table.seeds) == (1, False, (0, 1, 2))
    assert (table.metric, table.unit, table.target) == ("accuracy", "%", 97.0)
    assert not table.footnotes and not table.notes


def test_bold_marks_all_that_cannot_be_told_from_the_best(store, put):
    for seed, luck in enumerate([0.0, 5.0, -4.0, 2.0]):
        put("relu", seed, 80 + luck)
        put("best", seed, 90 + luck)
        put("close", seed, 89.9 + luck + (-1) ** seed * 0.5)
        put("behind", seed, 89.0 + luck + (-1) ** seed * 0.1)
    table = one(store)
    assert [row.activation for row in table.rows if row.best] == ["best", "close"]
    behind = rows(table)["behind"].mean
    assert behind.low < rows(table)["best"].mean.mean < behind.high  # its own interval alone would not tell


def test_an_activation_that_failed_is_never_among_the_best_nor_judges_the_others(store, put):
    for seed in range(4):
        put("relu", seed, 90.0 + seed)
        put("pau", seed, 91.0 + seed + seed % 2)
        if seed < 3:
            put("lucky", seed, 97.0 + seed)
    put("lucky", 3, status="diverged", message="diverged at step 212 (loss inf)")
    table = one(store)
    assert table.rows[0].activation == "lucky" and not table.rows[0].best
    assert rows(table)["pau"].best
    assert said(table, "lucky") == [
        "1 of 4 seeds diverged; seed 3: at step 212 (loss inf)",
        "vs relu: over the 3 seeds that both finished",
    ]


def test_differences_are_over_the_seeds_that_both_finished(store, put):
    for seed, (relu, pau) in enumerate([(90, 91), (80, None), (None, 70), (92, 95)]):
        put("relu", seed, relu, status="ok" if relu else "timeout", message="" if relu else "after 60 s")
        put("pau", seed, pau, status="ok" if pau else "diverged", message="" if pau else "loss inf")
    pau = rows(one(store))["pau"]
    assert (pau.ok, pau.seeds, pau.versus.n, pau.versus.mean) == (3, (0, 1, 2, 3), 2, 2.0)
    assert pau.mean.mean == pytest.approx((91 + 70 + 95) / 3)


def test_failures_are_counted_by_status_and_those_without_a_number_stand_last(store, put, worked):
    for seed, status in enumerate(["error", "oom", "error"]):
        put("broken", seed, status=status, message=f"reason {seed}")
    put("nan", 0, math.nan)
    put("nan", 1)
    table = one(store)
    assert [row.activation for row in table.rows] == ["pau", "relu", "broken", "nan"]
    broken, nan = rows(table)["broken"], rows(table)["nan"]
    assert [(f.status, f.count, f.seed, f.reason) for f in broken.failures] == [
        ("error", 2, 0, "reason 0"),
        ("oom", 1, 1, "reason 1"),
    ]
    assert math.isnan(broken.mean.mean) and broken.versus is None and not broken.best
    assert [(f.status, f.count) for f in nan.failures] == [("no finite accuracy", 2)]
    assert "2 of 2 seeds ended with no finite accuracy" in said(table, "nan")
    assert table.comparisons == 1  # what gave no number was not compared


def test_a_failed_trial_gives_no_number_even_if_it_left_one(store, put, worked):
    put("pau", 3, 12.0, status="diverged", message="loss inf")
    pau = rows(one(store))["pau"]
    assert (pau.ok, pau.mean.mean, pau.versus.n) == (3, 94.0, 3)


def test_lower_is_better_turns_the_order_and_the_best(store, put):
    about = {"metric": "mse", "unit": "", "higher_is_better": False}
    for seed in range(3):
        put("relu", seed, about=about, metrics={"mse": 0.5 + seed / 100})
        put("pau", seed, about=about, metrics={"mse": 0.1 + seed / 100 + seed % 2 / 1000})
    table = one(store)
    assert [(row.activation, row.best) for row in table.rows] == [("pau", True), ("relu", False)]


def test_other_settings_devices_and_dtypes_give_other_tables(store, put):
    for seed in range(2):
        put("relu", seed, 90.0)
        put("relu", seed, 10.0, settings={"epochs": 3})
        put("relu", seed, 20.0, settings={"device": "cuda"})
        put("relu", seed, 30.0, settings={"dtype": "float64"})
        put("relu", seed, 40.0, task="spiral")
    found = {(t.group.task, t.group.settings): t for t in tables(store)}
    assert list(found) == [
        ("moons", ""),
        ("moons", "device=cuda"),
        ("moons", "dtype=float64"),
        ("moons", "epochs=3"),
        ("spiral", ""),
    ]
    assert [t.rows[0].mean.mean for t in found.values()] == [90.0, 20.0, 30.0, 10.0, 40.0]
    assert found["moons", "epochs=3"].title == "moons: Two moons (epochs=3)"


def test_a_task_whose_default_device_changed_gives_two_tables(store, put):
    put("relu", 0, 90.0)
    put("relu", 1, 80.0, resolved={"task": {"device": "cuda", "dtype": "float32"}})
    assert [(t.group.device, t.rows[0].mean.mean) for t in tables(store)] == [("cpu", 90.0), ("cuda", 80.0)]


def test_a_lost_trial_that_never_told_its_device_is_counted_in_its_table(store, put, worked):
    put("pau", 3, status="lost", message="killed", about={}, resolved={}, versions={})
    table = one(store)
    assert rows(table)["pau"].failures[0].status == "lost" and table.group.device == "cpu"


def test_significance_needs_seeds_and_survives_holm(store, put):
    for seed in range(8):
        put("relu", seed, 90.0 + seed)
        put("pau", seed, 91.0 + seed + 0.01 * seed)
        put("noise", seed, 90.0 + seed + (-1) ** seed)
    table = one(store)
    assert table.testable and table.comparisons == 2
    pau, noise = rows(table)["pau"], rows(table)["noise"]
    assert pau.p == 2 / 2**8 and pau.p_holm == 2 * pau.p and pau.significant
    assert noise.p_holm == 1.0 and not noise.significant


def test_twenty_seeds_use_the_bootstrap(store, put):
    for seed in range(20):
        put("relu", seed, 90.0 + math.sin(seed))
    assert one(store).rows[0].mean.method == "BCa bootstrap"


def test_one_seed_has_no_interval_and_no_best(store, put):
    put("relu", 0, 90.0)
    put("pau", 0, 95.0)
    pau = one(store).rows[0]
    assert not pau.mean.known and pau.versus.mean == 5.0 and not pau.versus.known and not pau.best


def test_without_the_baseline_nothing_is_compared(store, worked):
    table = one(store, baseline="gelu")
    assert all(row.versus is None for row in table.rows) and table.comparisons == 0
    assert table.notes == ("no paired differences: the baseline gelu is not among the results",)


def test_a_baseline_that_failed_is_said(store, put):
    put("relu", 0, status="error", message="boom")
    put("pau", 0, 90.0)
    assert one(store).notes == ("no paired differences: the baseline relu has no number",)


def test_mixed_versions_and_environments_are_said(store, put, worked):
    versions = {"task": 2, "activation": 3, "loop": 1, "afbench": "0.1.0", "torch": "2.11.0"}
    put("pau", 3, 95.0, versions=versions, environment="cd34", parameters={"activation": 20})
    put("relu", 3, 93.0)
    table = one(store)
    assert table.notes == (
        "mixed versions of task: 1 (7 trials), 2 (1 trial)",
        "mixed versions of torch: 2.13.0 (7 trials), 2.11.0 (1 trial)",
        "trials from 2 environments (7 + 1)",
    )
    assert said(table, "pau") == [
        "seeds of this row ran with different versions of activation: 1 (3 trials), 3 (1 trial)"
    ]
    assert said(table, "relu") == []


def test_two_activations_may_have_two_versions(store, put):
    put("relu", 0, 90.0, versions={"activation": 1})
    put("pau", 0, 90.0, versions={"activation": 2})
    assert not one(store).notes and not one(store).footnotes


def test_the_newest_record_rules_where_they_disagree_on_the_task(store, put):
    put("relu", 0, 90.0, about={"metric": "accuracy", "target": 97.0}, started="2026-01-01")
    put("relu", 1, 91.0, about={"metric": "accuracy", "target": 98.0}, started="2026-02-01")
    table = one(store)
    assert table.target == 98.0
    assert table.notes[0] == "the trials disagree on the task's target (97.0 or 98.0); the newest record's is used"


def test_uneven_seeds_are_said(store, put, worked):
    put("relu", 3, 93.0)
    put("relu", 7, 93.0)
    assert said(one(store), "pau") == [
        "only seeds 0-2 of 0-3, 7 were run",
        "vs relu: over the 3 seeds that both finished",
    ]


def test_rows_with_the_same_footnote_share_it(store, put, worked):
    put("relu", 3, 93.0)
    for seed in range(3):
        put("swish", seed, 90.0 + seed)
    table = one(store)
    assert rows(table)["pau"].marks == rows(table)["swish"].marks == (1, 2) and len(table.footnotes) == 2


def test_every_other_metric_is_summarised(store, put):
    for seed in range(3):
        put("relu", seed, metrics={"accuracy": 90.0, "mse": 0.1 * (seed + 1)})
        put("pau", seed, metrics={"accuracy": 91.0})
    table = one(store)
    reach = stats.t.ppf(0.975, 2) * 0.1 / math.sqrt(3) / 0.2  # of log(mse), whose slope at the mean 0.2 is 1 / 0.2
    assert table.extras == ("mse",)
    mse = rows(table)["relu"].extras["mse"]
    assert (mse.low, mse.high) == pytest.approx((0.2 * math.exp(-reach), 0.2 * math.exp(reach)))
    assert rows(table)["pau"].extras["mse"].n == 0


def test_published_numbers_stand_apart(store, worked):
    table = one(store, published={"moons": Published("Molina et al. 2020, table 2", {"pau": 99.5})})
    assert (rows(table)["pau"].published, rows(table)["relu"].published) == (99.5, None)
    assert rows(table)["pau"].mean.mean == 94.0 and table.source == "Molina et al. 2020, table 2"


def test_no_trial_that_came_far_enough(store, put):
    put("relu", 0, status="unavailable", message="no data", about={})
    table = one(store)
    assert table.rows[0].ok == 0 and "every trial failed before its metric was known" in table.notes


def test_an_empty_folder_has_no_tables(store):
    (store.path / "trials").mkdir(parents=True)
    assert tables(store) == []


@pytest.mark.parametrize(("seeds", "text"), [([], ""), ([3], "3"), ([0, 1, 2, 4], "0-2, 4"), ([5, 4], "4-5")])
def test_ranges(seeds, text):
    assert ranges(seeds) == text
