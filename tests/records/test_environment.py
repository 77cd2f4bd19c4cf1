"""The environment: stored ones keep their hash, and every system is read, made up from folders and from psutil."""

from __future__ import annotations

import json
import os
import platform
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch

from afbench.records import environment
from afbench.records.trial import digest

STORED = sorted((Path(__file__).parents[2] / "results" / "reference").glob("*/environments/*.json"))
CHANGING = ("schema", "id", "commit", "load_at_start")


@pytest.mark.parametrize("file", STORED, ids=lambda file: file.stem)
def test_a_machine_that_was_stored_has_the_same_description_and_id(file, monkeypatch, tmp_path):
    """Records name their environment by the id: read on the same machine, it must stay what it was."""
    stored = json.loads(file.read_text())
    assert stored["id"] == file.stem == digest({key: stored[key] for key in stored if key not in CHANGING})
    machine, page = stored["machine"], 4096
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(f"processor\t: 0\nmodel name\t: {machine['processor']}\nflags\t: fpu\n")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    for name in ("system", "release"):
        monkeypatch.setattr(platform, name, lambda name=name: machine[name])
    monkeypatch.setattr(platform, "machine", lambda: machine["architecture"])
    monkeypatch.setattr(platform, "python_version", lambda: stored["python"])
    sizes = {"SC_PAGE_SIZE": page, "SC_PHYS_PAGES": machine["memory_bytes"] // page}
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(machine["cores"])), raising=False)
    monkeypatch.setattr(environment, "version", stored["packages"].__getitem__)
    monkeypatch.setattr(environment, "__version__", stored["packages"]["afbench"])
    monkeypatch.setattr(torch, "__version__", stored["packages"]["torch"])
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(machine["cuda"]))
    monkeypatch.setattr(torch.cuda, "get_device_name", machine["cuda"].__getitem__)
    monkeypatch.setattr(torch, "get_num_threads", lambda: stored["torch"]["threads"])
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: stored["torch"]["capability"])
    for name in environment.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in stored["variables"].items():
        monkeypatch.setenv(name, value)
    here = environment.read.__wrapped__()
    assert {key: here[key] for key in stored if key not in CHANGING[1:]} == {
        key: stored[key] for key in stored if key not in CHANGING[1:]
    }
    assert here["id"] == stored["id"] and here.keys() == stored.keys()


def test_there_are_stored_environments():
    assert len(STORED) >= 3


def test_a_system_without_these_calls_is_described_all_the_same(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    for name in ("sysconf", "sched_getaffinity", "getloadavg"):
        monkeypatch.delattr(os, name, raising=False)
    here = environment.read.__wrapped__()
    assert here["machine"]["memory_bytes"] is None and here["load_at_start"] == []
    assert here["machine"]["cores"] == os.cpu_count() and here["machine"]["processor"]


@pytest.fixture
def write(tmp_path):
    """Write a file of the system below a folder."""

    def put(path, text):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
        return tmp_path

    return put


def cache(write, cpu, index, level, kind, size, shared):
    for name, text in (("level", level), ("type", kind), ("size", size), ("shared_cpu_list", shared)):
        root = write(f"sys/devices/system/cpu/cpu{cpu}/cache/index{index}/{name}", f"{text}\n")
    return root


def test_caches_are_added_up_over_chiplets_and_instructions_do_not_count(write):
    for cpu in range(4):
        cache(write, cpu, 0, 1, "Data", "32K", cpu)
        cache(write, cpu, 1, 1, "Instruction", "32K", cpu)
        root = cache(write, cpu, 3, 3, "Unified", "32M" if cpu else "32768K", "0-1" if cpu < 2 else "2-3")
    assert environment.caches(root) == {1: 4 * 32 * 2**10, 3: 2 * 32 * 2**20}


def test_caches_that_are_not_in_sys_are_asked_of_the_c_library(tmp_path, monkeypatch):
    sizes = {"SC_LEVEL1_DCACHE_SIZE": 32768, "SC_LEVEL2_CACHE_SIZE": 0}

    def sysconf(name):
        if name not in sizes:
            raise ValueError(name)
        return sizes[name]

    monkeypatch.setattr(environment.os, "sysconf", sysconf)
    assert environment.caches(tmp_path) == {1: 32768}


def test_governors_and_turbo(write, tmp_path):
    assert environment.governors(tmp_path) == [] and environment.turbo(tmp_path) is None
    for cpu, name in enumerate(["powersave", "performance", "powersave"]):
        write(f"sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_governor", name)
    assert environment.governors(tmp_path) == ["performance", "powersave"]
    assert environment.turbo(write("sys/devices/system/cpu/cpufreq/boost", "0")) is False
    assert environment.turbo(write("sys/devices/system/cpu/intel_pstate/no_turbo", "0")) is True


def test_the_strictest_limit_of_the_groups_around_counts(write, tmp_path):
    assert environment.cpu_limit(tmp_path) is None
    write("proc/self/cgroup", "0::/a/b\n")
    write("sys/fs/cgroup/cpu.max", "max 100000\n")
    write("sys/fs/cgroup/a/cpu.max", "150000 100000\n")
    assert environment.cpu_limit(write("sys/fs/cgroup/a/b/cpu.max", "max 100000\n")) == 1.5


def test_limits_of_version_1(write):
    write("proc/self/cgroup", "4:cpu,cpuacct:/a\n3:memory:/a\n")
    write("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "-1")
    write("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000")
    write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000")
    assert environment.cpu_limit(write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000")) == 2.0


def process(pid, name, seconds):
    times = SimpleNamespace(user=seconds, system=0.5) if seconds is not None else None
    return SimpleNamespace(pid=pid, info={"name": name, "cpu_times": times})


def test_busy_processes_are_those_whose_time_goes_up(monkeypatch):
    """Not this one, nor one that may not be looked at, nor one that took over the id of another."""
    before = {"b": 1.0, "idle": 1.0, "a": 1.0, "closed": None, "old": 1.0, "me": 1.0}
    after = {"b": 1.5, "idle": 1.01, "a": 2.0, "closed": None, "new": 9.0, "me": 9.0}
    ids = {"b": 7, "idle": 8, "a": 9, "closed": 10, "old": 11, "new": 11, "me": os.getpid()}
    listed = iter([[process(ids[name], name, seconds) for name, seconds in now.items()] for now in (before, after)])
    clock = iter([0.0, 1.0])
    monkeypatch.setattr(psutil, "process_iter", lambda attrs: next(listed))
    monkeypatch.setattr(environment.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(environment.time, "sleep", lambda seconds: None)
    assert environment.busy_processes(1.0) == [("a", 9, 1.0), ("b", 7, 0.5)]


Linux = namedtuple("Linux", "user nice system idle iowait irq softirq steal guest guest_nice")
Mac = namedtuple("Mac", "user nice system idle")


def test_stolen_time(monkeypatch):
    monkeypatch.setattr(environment.time, "sleep", lambda seconds: None)
    told = iter([Linux(100, 0, 0, 100, 0, 0, 0, 0, 5, 0), Linux(140, 0, 0, 150, 0, 0, 0, 10, 45, 0)])
    monkeypatch.setattr(psutil, "cpu_times", lambda: next(told))
    assert environment.stolen_time() == 0.1
    monkeypatch.setattr(psutil, "cpu_times", lambda: Linux(*[0.0] * 10))
    assert environment.stolen_time() == 0.0
    monkeypatch.setattr(psutil, "cpu_times", lambda: Mac(1, 1, 1, 1))
    assert environment.stolen_time() is None


def test_this_machine_answers_without_raising():
    total = environment.memory()
    assert 0 < environment.available_memory() <= (total or 2**60)
    assert environment.caches() is not None
    assert environment.busy_processes(0.01) is not None
    environment.cpu_limit(), environment.governors(), environment.turbo(), environment.stolen_time(0.01)
