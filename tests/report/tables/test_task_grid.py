"""The numbers that a task's grid holds for machines."""

from __future__ import annotations

import json

from afbench.report.tables.task_grid import task_grid


def test_lines_are_ready_for_json(nasty):
    lines = [line for table in nasty for line in task_grid(table).data]
    (gone,) = (line for line in lines if line["activation"] == "broken")
    assert gone["mean"] is None and gone["error"] == 3 and gone["best"] is False
    json.dumps(lines, allow_nan=False)
