"""The verb doctor: a line a finding, JSON, and when it exits with 1."""

import json

import pytest

from afbench import doctor
from afbench.cli import main
from afbench.doctor import Finding

FINE, BAD = Finding("load", "0.1"), Finding("jitter", "wild", "wait")


@pytest.mark.parametrize(
    ("findings", "options", "code"),
    [([FINE], ["--strict"], 0), ([FINE, BAD], [], 0), ([FINE, BAD], ["--strict"], 1)],
)
def test_lines_and_exit_code(monkeypatch, capsys, findings, options, code):
    monkeypatch.setattr(doctor, "examine", lambda: findings)
    assert main(["doctor", *options]) == code
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["ok", "load", "0.1"]
    assert lines[1:] == ["warn  jitter  wild; wait"][: len(findings) - 1]


def test_json(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "examine", lambda: [FINE, BAD])
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found[1] == {"name": "jitter", "found": "wild", "remedy": "wait", "ok": False}
    assert found[0]["ok"]
