"""Each finding by itself: what warns, and what it says is to be done."""

import pytest

from afbench import doctor
from afbench.doctor import Finding, examine, host, judged, processes, scaling, threads


def test_a_finding_without_a_remedy_is_ok():
    assert Finding("a", "b").ok and not Finding("a", "b", "c").ok


def test_nothing_to_read_is_no_error(tmp_path, monkeypatch):
    monkeypatch.delattr(doctor.os, "getloadavg", raising=False)
    monkeypatch.setattr(doctor.environment, "stolen_time", lambda wait: None)
    findings = {finding.name: finding for finding in examine(tmp_path, wait=0.0)}
    for name in ("load", "host", "frequency"):
        assert findings[name].ok and findings[name].found == "this system does not report it"
    assert {"jitter", "kernels", "caches", "memory", "device", "versions", "threads"} <= set(findings)


@pytest.mark.parametrize(("average", "ok"), [(0.4, True), (0.6, False)])
def test_load_is_judged_per_core(monkeypatch, average, ok):
    monkeypatch.setattr(doctor.os, "getloadavg", lambda: (average, 0.0, 0.0), raising=False)
    monkeypatch.setattr(doctor.os, "cpu_count", lambda: 2)
    assert doctor.load().ok == ok


def test_busy_processes_are_named():
    assert processes([]).ok
    found = processes([(f"p{i}", i, 1.0 - i / 10) for i in range(5)])
    assert found.found.startswith("p0 (0) 100 %, p1 (1) 90 %, p2 (2) 80 % and 2 more") and not found.ok


@pytest.mark.parametrize(("share", "ok"), [(None, True), (0.01, True), (0.05, False)])
def test_a_host_that_gives_time_to_others_warns(share, ok):
    assert host(share).ok == ok


@pytest.mark.parametrize(
    ("governors", "turbo", "ok"),
    [
        ([], None, True),
        (["performance"], False, True),
        (["powersave"], False, False),
        (["performance", "powersave"], None, False),
        (["performance"], True, False),
    ],
)
def test_a_frequency_that_changes_warns(governors, turbo, ok):
    assert scaling(governors, turbo).ok == ok


def test_threads_beyond_the_cores_or_the_groups_time_warn():
    assert threads(2, 2, None, {}).ok and threads(1, 2, 2.0, {"OMP_NUM_THREADS": "1"}).ok
    assert "OMP_NUM_THREADS=1" in threads(1, 2, None, {"OMP_NUM_THREADS": "1"}).found
    assert "set OMP_NUM_THREADS=2" in threads(4, 2, None, {}).remedy
    assert "at most --threads 1" in threads(2, 2, 1.5, {}).remedy


@pytest.mark.parametrize(
    ("times", "ok"),
    [
        ([1.0] * 40, True),
        ([0.94, 1.0, 1.06] * 13, False),  # 12 % between the quartiles
        ([1.0] * 37 + [9.0] * 3, True),
        ([1.0] * 35 + [9.0] * 5, False),  # one in eight is late
    ],
)
def test_jitter(times, ok):
    assert judged(times).ok == ok
