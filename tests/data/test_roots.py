"""Where data is looked for: the given folder, the cache, the system's, in this order."""

import os
import subprocess
import sys

import pytest

from afbench.data import roots
from afbench.errors import UsageError


def test_order(data_root, tmp_path):
    assert [root.path for root in roots.roots()] == [data_root, tmp_path / "cache" / "afbench", tmp_path / "system"]
    assert roots.home() == data_root


@pytest.mark.parametrize("given", [None, ""])
def test_without_a_given_folder_the_cache_comes_first(data_root, tmp_path, monkeypatch, given):
    monkeypatch.delenv("AFBENCH_DATA") if given is None else monkeypatch.setenv("AFBENCH_DATA", given)
    assert roots.home() == tmp_path / "cache" / "afbench"


@pytest.mark.parametrize("xdg", ["", "relative/cache"])
def test_cache_is_under_home_unless_xdg_names_an_absolute_folder(tmp_path, monkeypatch, xdg):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", xdg)
    assert roots.cache() == tmp_path / ".cache" / "afbench"


def test_a_used_folder_is_absolute_and_inherited(data_root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    roots.use("data")
    code = "from afbench.data import roots; print(roots.home())"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd="/").stdout
    assert said.strip() == os.environ["AFBENCH_DATA"] == str(data_root)


def test_a_missing_folder_is_refused(data_root, tmp_path):
    with pytest.raises(UsageError, match="nowhere' is not a folder"):
        roots.use(tmp_path / "nowhere")
    assert os.environ["AFBENCH_DATA"] == str(data_root)


@pytest.mark.parametrize("given", ["~nobody-of-that-name/x", "", "a" * 300])
def test_what_can_be_no_folder_is_refused_in_a_line(data_root, given):
    with pytest.raises(UsageError, match="data root") as told:
        roots.use(given)
    assert "\n" not in str(told.value)


def test_a_folder_that_may_not_be_looked_into_is_none(data_root, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert roots.closed(data_root) and not roots.is_open(data_root)


@pytest.mark.parametrize("before", [None, "/elsewhere"])
def test_a_folder_is_used_within_a_block(data_root, tmp_path, monkeypatch, before):
    monkeypatch.delenv("AFBENCH_DATA") if before is None else monkeypatch.setenv("AFBENCH_DATA", before)
    with pytest.raises(KeyError), roots.using(tmp_path):
        assert roots.home() == tmp_path
        raise KeyError
    assert os.environ.get("AFBENCH_DATA") == before
