import math
import sys

import pandas as pd
import pytest

from afbench.errors import UsageError
from afbench.report.results import FIRST, LAST, load

VERSIONS = ("activation", "afbench", "kernels", "loop", "task", "torch")


def test_one_row_a_record_with_all_columns(store, put):
    put("relu", 0, 91.0, settings={"lr": 0.01, "epochs": 3}, concurrency=2)
    put("pau", 0, status="diverged", message="diverged at step 7 (loss inf)")
    frame = load(store.path)
    assert list(frame.columns) == [*FIRST, "accuracy", *LAST, *(f"version_{name}" for name in VERSIONS)]
    relu = frame.set_index("activation").loc["relu"]
    assert (relu.task, relu.seed, relu.status, relu.accuracy) == ("moons", 0, "ok", 91.0)
    assert (relu.settings, relu.device, relu["dtype"]) == ("epochs=3, lr=0.01", "cpu", "float32")
    assert (relu.activation_parameters, relu.total_parameters) == (0, 1200)
    assert (relu.seconds, relu.concurrency, relu.environment, relu.version_torch) == (1.5, 2, "ab12", "2.13.0")
    pau = frame.set_index("activation").loc["pau"]
    assert pau.reason == "diverged at step 7 (loss inf)" and math.isnan(pau.accuracy)


def test_a_folder_without_records_gives_a_frame_without_rows(store):
    (store.path / "trials").mkdir(parents=True)
    frame = load(str(store.path))
    assert len(frame) == 0 and list(frame.columns) == [*FIRST, *LAST]


def test_no_folder_says_what_makes_one(tmp_path):
    with pytest.raises(UsageError, match="no results in .* run --task"):
        load(tmp_path / "nothing")


def test_what_is_no_record_is_named_and_left_out(store, put):
    put("relu", 0, 91.0)
    (store.path / "trials" / "broken.json").write_text("{")
    frame = load(store.path)
    assert len(frame) == 1 and "not JSON" in frame.attrs["problems"]["broken"]


def test_metrics_of_several_tasks_stand_in_their_own_columns(store, put):
    put("relu", 0, 91.0)
    put("relu", 0, task="wave", metrics={"r2": 88.0, "seconds": 3.0})
    frame = load(store.path).set_index("task")
    assert frame.loc["wave", "r2"] == 88.0 and pd.isna(frame.loc["moons", "r2"])
    assert frame.loc["wave", "metric_seconds"] == 3.0 and frame.loc["wave", "seconds"] == 1.5


def test_settings_are_printed_as_specs_print_them(store, put):
    put("relu", 0, 91.0, settings={"schedule": "cosine", "flag": True, "limit": None, "device": "cuda"})
    row = load(store.path).iloc[0]
    assert row.settings == "device=cuda, flag=true, limit=none, schedule=cosine" and row.device == "cuda"


def test_a_trial_whose_process_died_has_a_row(store, put):
    put("relu", 0, status="lost", message="killed", about={}, resolved={}, versions={})
    row = load(store.path).iloc[0]
    assert (row.status, row.reason, row.device) == ("lost", "killed", "")


def test_neither_afbench_nor_its_tables_need_pandas():
    import subprocess

    code = (
        "import sys, afbench, afbench.report.tables.formats, afbench.report.summary; sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
