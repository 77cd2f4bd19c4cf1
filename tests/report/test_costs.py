from afbench.records.groups import Group
from afbench.report.costs import Cost, Costs, costs_of
from afbench.report.summary import tables

HERE = Group("moons", "", "cpu", "float32")


def test_a_cost_stands_beside_its_activation(store, worked, put_cost):
    put_cost("pau", 1.31)
    (table,) = tables(store)
    found = {row.activation: row.cost for row in table.rows}
    assert found["pau"] == Cost(1.31, (1.21, 1.4100000000000001), 1.25)
    assert found["relu"] == Cost(1.0, None, 1.0)  # beside itself
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
    assert found["swish"].cost is None and found["pau"].cost.step is None
    assert [table.footnotes[m - 1] for m in found["swish"].marks] == ["its cost has not been measured"]
    assert [table.footnotes[m - 1] for m in found["pau"].marks] == ["no cost: oom out of memory"]


def test_only_ratios_to_one_baseline_are_shown(store, worked, put_cost):
    put_cost("pau", 1.31, key="a")
    put_cost("pau", 0.9, key="b", baseline="gelu")
    (to_relu,), (to_gelu,) = tables(store), tables(store, baseline="gelu")
    assert (to_relu.costs.baseline, to_relu.rows[0].cost.step) == ("relu", 1.31)
    assert (to_gelu.costs.baseline, to_gelu.rows[0].cost.step) == ("gelu", 0.9)
    assert tables(store, baseline="elu")[0].costs.baseline in ("relu", "gelu")


def test_machines_are_not_mixed(store, worked, put_cost):
    put_cost("pau", 1.31, key="a")
    put_cost("relu", 1.01, key="b")
    put_cost("pau", 2.0, key="c", environment="cd34")
    (table,) = tables(store)
    assert [row.cost.step for row in table.rows] == [1.31, 1.01]
    assert "costs were measured in 2 environments; those of ab12 are shown" in table.notes


def test_what_a_cost_file_lacks_stays_empty():
    odd = [{"task": "moons", "activation": "pau", "step": {"ratio": "fast", "quartiles": [1.0]}, "saved": None}]
    assert costs_of(HERE, odd, "relu").by_activation["pau"] == Cost(None, None, None)
    assert costs_of(HERE, [], "relu") == Costs()
