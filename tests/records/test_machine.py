"""What the system tells, from folders that are made up: as on several machines, and where something lacks."""

from __future__ import annotations

import time

import pytest

from afbench.records import machine


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
    assert machine.caches(root) == {1: 4 * 32 * 2**10, 3: 2 * 32 * 2**20}


def test_caches_that_are_not_in_sys_are_asked_of_the_c_library(tmp_path, monkeypatch):
    sizes = {"SC_LEVEL1_DCACHE_SIZE": 32768, "SC_LEVEL2_CACHE_SIZE": 0}

    def sysconf(name):
        if name not in sizes:
            raise ValueError(name)
        return sizes[name]

    monkeypatch.setattr(machine.os, "sysconf", sysconf)
    assert machine.caches(tmp_path) == {1: 32768}


def test_available_memory(write, tmp_path):
    assert machine.available_memory(tmp_path) is None
    assert machine.available_memory(write("proc/meminfo", "MemTotal: 9 kB\nMemAvailable:   2048 kB\n")) == 2**21


def test_governors_and_turbo(write, tmp_path):
    assert machine.governors(tmp_path) == [] and machine.turbo(tmp_path) is None
    for cpu, name in enumerate(["powersave", "performance", "powersave"]):
        write(f"sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_governor", name)
    assert machine.governors(tmp_path) == ["performance", "powersave"]
    assert machine.turbo(write("sys/devices/system/cpu/cpufreq/boost", "0")) is False
    assert machine.turbo(write("sys/devices/system/cpu/intel_pstate/no_turbo", "0")) is True


def test_the_strictest_limit_of_the_groups_around_counts(write, tmp_path):
    assert machine.cpu_limit(tmp_path) is None
    write("proc/self/cgroup", "0::/a/b\n")
    write("sys/fs/cgroup/cpu.max", "max 100000\n")
    write("sys/fs/cgroup/a/cpu.max", "150000 100000\n")
    assert machine.cpu_limit(write("sys/fs/cgroup/a/b/cpu.max", "max 100000\n")) == 1.5


def test_limits_of_version_1(write):
    write("proc/self/cgroup", "4:cpu,cpuacct:/a\n3:memory:/a\n")
    write("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "-1")
    write("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000")
    write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000")
    assert machine.cpu_limit(write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000")) == 2.0


def stat(pid, name, ticks):
    return f"{pid} ({name}) R 1 1 1 0 -1 0 0 0 0 0 {ticks} 0 0 0 20 0 1 0 9 9 9\n"


def test_busy_processes_are_those_whose_ticks_go_up(write, monkeypatch):
    write("proc/7/stat", stat(7, "a (b) c", 100))
    write("proc/8/stat", stat(8, "idle", 100))
    root = write("proc/9/stat", "no process")
    clock = iter([0.0, 1.0])
    monkeypatch.setattr(machine.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(machine.time, "sleep", lambda seconds: write("proc/7/stat", stat(7, "a (b) c", 150)))
    monkeypatch.setattr(machine.os, "sysconf", lambda name: 100)
    assert machine.busy(1.0, root) == [("a (b) c", 7, 0.5)]


def test_stolen_time(write, monkeypatch, tmp_path):
    monkeypatch.setattr(machine.time, "sleep", lambda seconds: None)
    assert machine.stolen(root=tmp_path) is None
    root = write("proc/stat", "cpu 100 0 0 100 0 0 0 0 0 0\n")
    monkeypatch.setattr(time, "sleep", lambda seconds: write("proc/stat", "cpu 140 0 0 150 0 0 0 10 0 0\n"))
    assert machine.stolen(root=root) == 0.1


def test_this_machine_answers_without_raising():
    assert machine.caches() is not None
    assert machine.busy(0.01) is not None
    machine.cpu_limit(), machine.governors(), machine.turbo(), machine.stolen(0.01)
