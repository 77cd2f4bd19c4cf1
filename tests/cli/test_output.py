"""Standard output: any encoding, a reader that leaves, a full disk, closed streams; no run ends by what it prints."""

from __future__ import annotations

import errno
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from afbench.cli import output
from afbench.report.tables.grid import __file__ as grid

OUTPUT = output.__file__
PRINTS = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("output", {path!r})
output = importlib.util.module_from_spec(spec)
spec.loader.exec_module(output)
made = output.steady()
{body}
lost = output.flushed(made, whole={whole})
open({told!r}, "w").write("lost " + str(lost and lost.errno))
sys.exit(7)
"""


@pytest.fixture
def prints(tmp_path):
    """Run lines in a fresh process that has made its output steady; returns exit code, output, and what was told."""

    def call(body, *, shell=None, whole=False, **variables):
        told = tmp_path / "told"
        code = PRINTS.format(path=OUTPUT, body=body, told=str(told), whole=whole)
        environment = {**os.environ, "PYTHONUTF8": "0", **variables}
        (tmp_path / "code.py").write_text(code)
        command = [sys.executable, str(tmp_path / "code.py")]
        if shell is not None:
            command = ["bash", "-c", shell.format(" ".join(command))]
        ended = subprocess.run(command, env=environment, capture_output=True, cwd=tmp_path)
        return ended.returncode, ended.stdout, ended.stderr, told.read_text() if told.exists() else "died"

    return call


SIGNS = (
    "accuracy \u2191 91.8 \u00b1 0.4 \u2013 1.2\u00d7 x\u00b2 \u03b2 \u2265 Schr\u00f6der \u2588\u2501 \u4e2d \udcff"
)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8", "cp437"])
def test_every_encoding_prints(prints, encoding):
    code, out, err, told = prints(f"print({SIGNS!r}); print({SIGNS!r}, file=sys.stderr)", PYTHONIOENCODING=encoding)
    assert (code, told) == (7, "lost None")
    assert b"91.8" in out and b"91.8" in err
    spelled = "accuracy ^ 91.8 +- 0.4 - 1.2x x2 beta >= Schroder #- ? ?\n"
    if encoding == "ascii":
        assert out.decode() == spelled
    kept = [letter for letter in SIGNS if letter.encode(encoding, "ignore")]
    assert all(letter in out.decode(encoding) for letter in kept), "what an encoding has is printed as it is"


def test_the_c_locale_prints(prints):
    variables = {"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0"}
    assert prints(f"print({SIGNS!r})", **variables)[::3] == (7, "lost None")


MANY = "for i in range(20000): print('a line of some length', i, flush=i % 7 == 0)"


def test_a_reader_that_leaves_ends_nothing(prints):
    code, out, err, told = prints(MANY, shell="{} | head -1; exit ${{PIPESTATUS[0]}}")
    assert (code, told, err) == (7, "lost None", b"")
    assert out == b"a line of some length 0\n"
    code, _, _, told = prints(MANY, shell="{} | head -1; exit ${{PIPESTATUS[0]}}", whole=True)
    assert (code, told) == (7, f"lost {errno.EPIPE}"), "where all of it is wanted"


def test_a_full_disk_behind_the_output_is_told_once(prints):
    code, _, err, told = prints(MANY, shell="{} > /dev/full")
    assert (code, err, told) == (7, b"", f"lost {28}")
    code, _, _, told = prints(MANY.replace(", flush", ", file=sys.stderr, flush"), shell="{} 2> /dev/full")
    assert (code, told) == (7, "lost None"), "nobody can be told of it"


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_end_nothing_and_lend_their_numbers_to_no_file(prints, closed):
    body = (
        "import os\nfile = open('kept', 'w')\nassert file.fileno() > 2\nprint('x' * 9000)\nprint('y', file=sys.stderr)"
    )
    assert prints(body, shell=f"{{}} {closed}")[::3] == (7, "lost None")


def test_no_sign_of_the_tables_becomes_a_question_mark():
    folder = Path(grid).parent
    signs = {letter for file in folder.rglob("*.py") for letter in file.read_text() if not letter.isascii()}
    assert {letter for letter in signs if output.ascii_of(letter) == "?"} == set()


def test_the_module_needs_nothing_of_afbench():
    spec = importlib.util.spec_from_file_location("output_alone", OUTPUT)
    assert "from ." not in Path(spec.origin).read_text()
