"""When the machine is too busy for timing, and that tables then leave the step column out."""

import json

import pytest

from afbench.cost.busy import too_busy
from afbench.cost.network import NetworkJob
from afbench.records.cost import Cost
from afbench.records.store import Store
from afbench.records.trial import Record, Status, Trial
from afbench.report.summary import tables
from afbench.report.tables.formats import FORMATS, render
from afbench.report.tables.task_grid import task_grid

WIDE = ["quartiles 41 % apart"]


def cost(name, ratio, unstable=(), **changes):
    step = {"ratio": ratio, "quartiles": [ratio * 0.99, ratio * 1.01], "rounds": 15, "unstable": list(unstable)}
    held = {"key": name, "task": "moons", "activation": name, "baseline": "relu", "settings": {}, "device": "cpu"}
    held |= {"status": "ok", "environment": "ab", "step": step, "saved": {"ratio": 1.25}, **changes}
    return Cost.from_json(json.dumps(held))


@pytest.mark.parametrize(
    ("costs", "why"),
    [
        ([], ""),
        ([cost("relu", 1.04), cost("pau", 1.3, WIDE), cost("elu", 1.1)], ""),
        ([cost("relu", 1.04), cost("pau", 1.3, WIDE), cost("elu", 1.1, WIDE)], "2 of 3 step times have quartiles"),
        ([cost("relu", 0.85), cost("pau", 1.3), cost("elu", 1.1)], "relu relative to itself took 0.85x"),
        ([cost("relu", 1.0), cost("pau", 1.3, ["shortest sample 0.4 ms"])], ""),
        ([cost("pau", 1.3, WIDE)], ""),
        (
            [
                cost("relu", 1.0, step=None),
                cost("pau", 1.0, step={"ratio": None}),
                cost("elu", 1.0, status="error", step=None),
            ],
            "",
        ),
    ],
)
def test_the_rule(costs, why):
    assert too_busy(costs).startswith(why) and bool(too_busy(costs)) == bool(why)


@pytest.fixture
def store(tmp_path):
    store = Store.open(tmp_path, write=True)
    about = {"metric": "accuracy", "unit": "%", "higher_is_better": True}
    for name in ("relu", "pau", "elu"):
        known = {"task": {"device": "cpu", "dtype": "float32"}}
        store.write(Record(Trial("moons", name, 0, {}), Status.OK, about, known, metrics={"accuracy": 90.0}))
    return store


def put(store, *costs):
    for one in costs:
        store.write_cost(one)


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "csv"])
def test_a_table_marks_unstable_steps_as_the_cost_table_does(store, format):
    put(store, cost("relu", 1.0), cost("pau", 0.27, WIDE), cost("elu", 1.31))
    shown = render(map(task_grid, tables(store)), format)
    sign = {"text": "0.27x!", "md": "0.27x!", "latex": r"0.27$\times$!", "html": "0.27×!"}[format]
    assert sign in shown and " ".join(shown.split()).count("! marks an unreliable time") == 1
    assert "1.31x!" not in shown.replace("×", "x").replace(r"$\times$", "x")


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "csv"])
def test_a_table_leaves_step_times_out_that_are_noise_and_says_so(store, format):
    put(store, cost("relu", 1.24), cost("pau", 0.27, WIDE), cost("elu", 1.31))
    shown = render(map(task_grid, tables(store)), format)
    assert "0.27" not in shown and "1.31" not in shown and "1.25" in shown
    assert (
        "Note: the column step is left out: the machine was too busy for timing (relu relative to itself took 1.24x)."
        in " ".join(shown.split())
    )


def test_a_csv_says_which_steps_are_unstable(store):
    put(store, cost("relu", 1.0), cost("pau", 0.27, WIDE), cost("elu", 1.31))
    lines = render(map(task_grid, tables(store)), "csv").splitlines()
    assert "step_unstable" in lines[0] and sum("quartiles 41 % apart" in line for line in lines) == 1


def test_a_run_says_that_the_machine_was_too_busy(tmp_path, monkeypatch):
    from afbench.campaign import run as runner

    heard = []

    class Listening(runner.RunListener):
        def warned(self, message):
            heard.append(message)

    def measure(job):
        told = cost(job.activation, {"relu": 1.2, "gelu": 2.0}[job.activation])
        return [job.blank(job.activation).with_(times=told.times, device="cpu")]

    monkeypatch.setattr(NetworkJob, "measure", measure)
    runner.run("gmm", "relu,gelu", seeds=1, budget="smoke", out=tmp_path, engine="inline", listener=Listening())
    (said,) = heard
    assert said.startswith(
        "the machine was too busy for timing (relu relative to itself took 1.20x), so the table shows no"
    )
    assert f"afbench cost --task gmm --acts relu,gelu --set epochs=2 --again --out {tmp_path}" in said
    assert "2.00x" not in render(map(task_grid, tables(Store.open(tmp_path))))
