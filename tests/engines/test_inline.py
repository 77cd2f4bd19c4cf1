"""The inline engine: one after another, here."""

import operator
import os
import sys
from functools import partial
from pathlib import Path

import pytest

from afbench.engines import ENGINES, Setup
from afbench.engines.inline import inline
from afbench.errors import UsageError


def test_results_come_with_their_items_in_order() -> None:
    assert list(inline(abs, [-3, 1, -2])) == [(-3, 3), (1, 1), (-2, 2)]


def test_nothing_in_is_nothing_out() -> None:
    assert list(inline(abs, [])) == []


def test_it_works_in_this_process() -> None:
    [(_, pid)] = inline(operator.call, [os.getpid])
    assert pid == os.getpid()


def test_an_item_is_not_begun_before_the_last_outcome_was_taken() -> None:
    begun: list[int] = []
    outcomes = inline(begun.append, [1, 2, 3])
    next(outcomes)
    assert begun == [1]
    next(outcomes)
    assert begun == [1, 2]


def test_what_an_item_raises_ends_the_run() -> None:
    outcomes = inline(operator.call, [partial(int, "1"), partial(int, "one"), partial(int, "2")])
    assert next(outcomes)[1] == 1
    with pytest.raises(ValueError, match="one"):
        next(outcomes)


def test_plugins_and_path_are_set_up_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "plugin.py").write_text("import sys; sys.inline_plugin_was_here = True")
    setup = Setup(plugins=(str(tmp_path / "plugin.py"),), path=(str(tmp_path),))
    [(_, found)] = inline(partial(getattr, sys), ["inline_plugin_was_here"], setup=setup)
    assert found is True
    assert sys.path[-1] == str(tmp_path)
    del sys.inline_plugin_was_here


def test_a_missing_plugin_is_refused() -> None:
    with pytest.raises(UsageError, match="no_such_plugin.py not found"):
        list(inline(abs, [1], setup=Setup(plugins=("no_such_plugin.py",))))


def test_it_takes_what_the_process_engine_takes() -> None:
    for engine in (ENGINES["inline"], inline):
        assert list(engine(abs, [-1], jobs=4, setup=Setup(), timeout=5.0)) == [(-1, 1)]
