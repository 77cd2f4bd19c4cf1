from afbench.records.cost import Cost, Figure
from afbench.records.groups import Group
from afbench.report.costs import Costs, costs_of
from afbench.report.summary import tables

HERE = Group("moons", "", "cpu", "float32")


def test_a_cost_stands_beside_its_activation(store, worked, put_cost):
    put_cost("pau", 1.31)
    (table,) = tables(store)
    found = {row.activation: row.cost for row in table.rows}
    assert (found["pau"].step.median, found["pau"].step.quartiles) == (1.31, (1.21, 1.4100000000000001))
    assert found["pau"].saved_ratio == 1.25
    assert (found["relu"].step, found["relu"].saved_ratio) == (Figure(1.0), 1.0)  # beside itself
    assert (table.costs.baseline, table.costs.threads, table.costs.device) == ("relu", 1, "cpu")
    assert not table.footnotes


def test_costs_of_another_task_settings_or_device_are_left_out(store, worked, put_cost):
    put_cost("pau", key="a", task="spiral")
    put_cost("pau", key="b", settings={"epochs": 3})
    put_cost("pau", key="c", device="cuda:0")
    (table,) = tables(store)
    assert table.costs == Costs() and all(row.cost is None for row in table.rows)


def test_a_missing_and_a_failed_cost_are_said_and_never_invented(store, worked, put, put_cost):
    for seed in range(3):
        put("swish", seed, 91.0 + seed)
    put_cost("pau", status="oom", error={"message": "out of memory"}, step=None, saved=None)
    (table,) = tables(store)
    found = {row.activation: row for row in table.rows}
    assert found["swish"].cost is None and found["pau"].cost.step == Figure()
    assert [table.footnotes[m - 1] for m in found["swish"].marks] == ["no cost was measured"]
    assert [table.footnotes[m - 1] for m in found["pau"].marks] == ["no cost: oom: out of memory"]


def test_only_ratios_to_one_baseline_are_shown(store, worked, put_cost):
    put_cost("pau", 1.31, key="a")
    put_cost("pau", 0.9, key="b", baseline="gelu")
    (to_relu,), (to_gelu,) = tables(store), tables(store, baseline="gelu")
    assert (to_relu.costs.baseline, to_relu.rows[0].cost.step.median) == ("relu", 1.31)
    assert (to_gelu.costs.baseline, to_gelu.rows[0].cost.step.median) == ("gelu", 0.9)
    assert tables(store, baseline="elu")[0].costs.baseline in ("relu", "gelu")


def test_machines_are_not_mixed(store, worked, put_cost):
    put_cost("pau", 1.31, key="a")
    put_cost("relu", 1.01, key="b")
    put_cost("pau", 2.0, key="c", environment="cd34")
    (table,) = tables(store)
    assert [row.cost.step.median for row in table.rows] == [1.31, 1.01]
    assert "costs were measured in 2 environments; those of ab12 are shown" in table.notes


def test_what_a_cost_file_lacks_stays_empty():
    odd = Cost.from_json('{"key": "a", "task": "moons", "activation": "pau", "step": {"ratio": null}, "saved": null}')
    found = costs_of(HERE, [odd], "relu").by_activation["pau"]
    assert (found.step, found.saved_ratio) == (Figure(), None)
    assert costs_of(HERE, [], "relu") == Costs()
