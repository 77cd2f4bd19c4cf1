"""What is bold: the best of all rows, and who is not distinguishably worse on shared seeds. The oracle is SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from afbench.report.summary import tables
from afbench.report.tables.formats import FORMATS, render
from afbench.report.tables.task_grid import task_grid
from afbench.report.tables.wide import wide_grid, widen


def rows(store):
    (table,) = tables(store)
    return table, {row.activation: row for row in table.rows}


def fill(put, name, scores):
    for seed, score in scores.items():
        put(name, seed, score)


def test_a_weak_row_of_many_seeds_is_not_bold_above_a_strong_one_of_few(store, put):
    rng = np.random.default_rng(0)
    fill(put, "relu", dict(enumerate(70 + rng.normal(size=30))))
    fill(put, "opau", dict(enumerate(96 + rng.normal(size=5))))
    table, by_name = rows(store)
    assert [row.activation for row in table.rows] == ["opau", "relu"]
    assert by_name["opau"].best and not by_name["relu"].best
    words = " ".join(render(task_grid(table), "text").split())
    assert "means over 5 to 30 seeds (column n)" in words and "to the best row over shared seeds (not in the" in words
    assert [line.split()[-5:] for line in render(task_grid(table)).splitlines() if "relu " in line and "[" in line]
    assert r"\textbf{70" not in render(task_grid(table), "latex") and "**70" not in render(task_grid(table), "md")
    assert "<strong>70" not in render(task_grid(table), "html")


def test_the_counts_are_a_column_where_they_differ(store, put):
    fill(put, "relu", dict.fromkeys(range(30), 70.0) | {0: 71.0})
    fill(put, "opau", {0: 95.0, 1: 96.0, 2: 97.0})
    put("opau", 3, status="diverged", message="loss inf")
    lines = render(map(task_grid, tables(store))).splitlines()
    assert lines[2].split()[:2] == ["activation", "n"]
    assert {line.split()[0]: line.split()[2] for line in lines[3:5]} == {"opau": "3/4", "relu": "30"} or any(
        "3/4" in line for line in lines[3:5]
    )
    assert "means over 3 to 30 seeds (column n)" in " ".join(" ".join(lines).split())


def bold(scores, higher=True):
    """The rule, written apart: the best mean, and all whose t interval over shared seeds is not on the worse side."""
    sign = 1 if higher else -1
    top = max(scores, key=lambda name: sign * np.mean(list(scores[name].values())))
    found = set()
    for name, its in scores.items():
        shared = sorted(set(its) & set(scores[top]))
        gap = sign * np.array([its[seed] - scores[top][seed] for seed in shared])
        if len(its) < 2 or len(shared) < 2:
            continue
        end = gap.mean() + stats.t.ppf(0.975, len(gap) - 1) * gap.std(ddof=1) / np.sqrt(len(gap))
        if name == top or end >= 0:
            found.add(name)
    return found


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("higher", [True, False])
def test_bold_agrees_with_the_rule_written_apart_over_random_seeds(store, put, seed, higher):
    rng = np.random.default_rng(seed)
    luck = rng.normal(0, 3, 12)
    scores = {}
    for name in ("relu", "a", "b", "c", "d"):
        has = np.sort(rng.choice(12, rng.integers(1, 12), replace=False))
        scores[name] = {int(s): float(50 + luck[s] + rng.normal(rng.normal(0, 2), 1)) for s in has}
        for s, score in scores[name].items():
            put(name, s, metrics={"score": score}, about={"metric": "score", "higher_is_better": higher})
    _, by_name = rows(store)
    assert {name for name, row in by_name.items() if row.best} == bold(scores, higher)


def test_fewer_than_two_shared_seeds_are_not_compared_and_a_footnote_says_so(store, put):
    fill(put, "relu", {0: 80.0, 1: 81.0, 2: 82.0})
    fill(put, "pau", {2: 90.0, 3: 91.0, 4: 92.0})
    fill(put, "elu", {7: 85.0, 8: 86.0})
    table, by_name = rows(store)
    assert [name for name, row in by_name.items() if row.best] == ["pau"]
    said = {name: [table.footnotes[mark - 1] for mark in row.marks] for name, row in by_name.items()}
    assert "not compared with the best row (pau) and so not bold: they share 1 seed" in said["relu"]
    assert "not compared with the best row (pau) and so not bold: they share no seeds" in said["elu"]


def test_a_single_lucky_seed_is_not_bold_and_hides_no_better_row(store, put):
    fill(put, "relu", {0: 70.0, 1: 71.0, 2: 70.5})
    fill(put, "opau", {0: 96.0})
    _, by_name = rows(store)
    assert not by_name["relu"].best and not by_name["opau"].best


def test_a_better_row_with_a_failed_trial_keeps_a_clearly_worse_one_from_being_bold(store, put):
    fill(put, "relu", dict(enumerate([70.0, 71.0, 70.5, 69.5, 70.2])))
    fill(put, "opau", dict(enumerate([96.0, 96.5, 95.5, 96.2])))
    put("opau", 4, status="diverged", message="loss inf")
    _, by_name = rows(store)
    assert not by_name["opau"].best and not by_name["relu"].best


def test_a_row_that_is_better_on_every_shared_seed_is_bold(store, put):
    fill(put, "relu", {0: 96.0, 1: 97.0, 2: 96.5})
    fill(put, "pau", {0: 97.0, 1: 98.1, 2: 97.4} | dict.fromkeys(range(3, 9), 80.0))
    _, by_name = rows(store)
    assert by_name["relu"].best and by_name["pau"].best


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "csv"])
def test_wide_tables_mark_the_same_rows(store, put, format):
    for task in ("moons", "rings"):
        for seed in range(30):
            put("relu", seed, 70.0 + seed % 3, task=task)
        for seed in range(5):
            put("opau", seed, 96.0 + seed % 2, task=task)
    shown = render(wide_grid(widen(tables(store))), format)
    sign = {"text": "> 7", "md": "**7", "latex": r"\textbf{7", "html": "<strong>7"}[format]
    assert sign not in shown and sign.replace("7", "9") in shown
    assert "5 to 30 seeds" in " ".join(shown.split())
